//! The admin listener, reload, and the end.

use tokenward_pdp::config::{AdminIdentity, Role};
use tokenward_testbed::Stopwatch;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::harness::{Behind, Client, PATIENCE, SECRET, Scene, replace_file, request, token};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

#[tokio::test]
async fn only_the_secret_opens_the_desk() {
    let behind = Behind::answering(OK).await;
    let scene = Scene::new(behind.addr, "/rest/.*");
    let secret = std::fs::read_to_string(scene.folder.path().join("admin.secret")).unwrap();
    let secret = secret.trim();
    for path in ["/v1/audit", "/v1/audit/tail", "/metrics"] {
        for authorization in [
            String::new(),
            "Authorization: Bearer wrong\r\n".to_owned(),
            format!("Authorization: Basic {secret}\r\n"),
            format!("Authorization: Bearer {secret}x\r\n"),
            format!("Authorization: Bearer {secret}\r\nAuthorization: Bearer {secret}\r\n"),
        ] {
            let mut client = Client(TcpStream::connect(scene.running().admin_addr()).await.unwrap());
            client
                .send(&format!(
                    "GET {path} HTTP/1.1\r\nHost: localhost\r\n{authorization}\r\n"
                ))
                .await;
            assert_eq!(client.reply().await.status, 401, "{path} {authorization}");
        }
    }
    let mut client = Client(TcpStream::connect(scene.running().admin_addr()).await.unwrap());
    client
        .send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .await;
    assert_eq!(client.reply().await.body, "ok\n");
    client
        .send("GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .await;
    let open = client.reply().await;
    assert!(
        open.status == 200 && !open.body.contains("reload_failure"),
        "{open:?}"
    );
    assert_eq!(scene.admin("/v1/audit?nonsense=1").await.status, 400);
    assert_eq!(scene.admin("/v1/audit?verdict=maybe").await.status, 400);
}

#[tokio::test]
async fn wrong_admin_secrets_are_counted_and_slowed_and_the_right_one_is_not() {
    let delay = std::time::Duration::from_millis(300);
    let behind = Behind::answering(OK).await;
    let policy = token("t", SECRET, "user = \"u\"", "/rest/.*");
    let scene = Scene::with(behind.addr, &policy, |config| {
        config.auth.throttling.attempts = 2;
        config.auth.throttling.delay = delay;
    });
    let address = scene.running().admin_addr();
    let ask = |path: &'static str, authorization: &'static str| async move {
        let began = std::time::Instant::now();
        let mut client = Client(TcpStream::connect(address).await.unwrap());
        client
            .send(&format!(
                "GET {path} HTTP/1.1\r\nHost: localhost\r\n{authorization}\r\n"
            ))
            .await;
        (client.reply().await, began.elapsed())
    };
    const WRONG: &str = "Authorization: Bearer wrong\r\n";
    // Requests without a secret are no attempts, however many there are.
    for _ in 0..5 {
        assert_eq!(ask("/metrics", "").await.0.status, 401);
    }
    for path in ["/metrics", "/v1/audit"] {
        let (reply, took) = ask(path, WRONG).await;
        assert!(reply.status == 401 && took < delay, "{reply:?} after {took:?}");
    }
    // The open page answers differently to the secret, so wrong ones count there, too.
    for (path, status) in [("/metrics", 401), ("/readyz", 200)] {
        let (reply, took) = ask(path, WRONG).await;
        assert_eq!(reply.status, status, "{path}");
        assert!(took >= delay, "{path} after {took:?}");
    }
    let began = std::time::Instant::now();
    let metrics = scene.admin("/metrics").await;
    assert!(began.elapsed() < delay && metrics.status == 200, "{metrics:?}");
    assert!(
        metrics.body.contains("tokenward_wrong_admin_secrets_total 4\n"),
        "{}",
        metrics.body
    );
    // Of many at one time some are refused.
    let mut asked: Vec<_> = (0..40).map(|_| tokio::spawn(ask("/metrics", WRONG))).collect();
    let mut refused = 0;
    for asked in asked.drain(..) {
        let (reply, _) = asked.await.unwrap();
        if reply.status == 429 {
            refused += 1;
            assert_eq!(reply.header("retry-after"), Some("60"), "{reply:?}");
        }
    }
    assert_eq!(refused, 40 - 16);
    assert_eq!(scene.admin("/metrics").await.status, 200);
}

/// Everybody can open one of the few connections, so that a body that never comes must not keep it.
#[tokio::test]
async fn a_body_that_nobody_reads_keeps_no_connection() {
    let behind = Behind::answering(OK).await;
    let scene = Scene::new(behind.addr, "/rest/.*");
    for (line, body, status) in [
        ("POST /v1/try", "Transfer-Encoding: chunked\r\n\r\n5\r\nab", 401),
        ("GET /healthz", "Transfer-Encoding: chunked\r\n\r\n5\r\nab", 200),
        ("POST /v1/try", "Content-Length: 100\r\n\r\nab", 401),
    ] {
        let mut client = Client(TcpStream::connect(scene.running().admin_addr()).await.unwrap());
        client
            .send(&format!(
                "{line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{body}"
            ))
            .await;
        let mut answer = Vec::new();
        timeout(PATIENCE, client.0.read_to_end(&mut answer))
            .await
            .expect("the connection is closed")
            .unwrap();
        let answer = String::from_utf8(answer).unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{answer}");
    }
}

#[tokio::test]
async fn an_admin_secret_that_others_can_read_prevents_starting() {
    let behind = Behind::answering(OK).await;
    let mut scene = Scene::new(behind.addr, "/rest/.*");
    let file = scene.folder.path().join("admin.secret");
    let config = scene.config.clone();
    scene.running.take().unwrap().stop().unwrap();
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    std::fs::set_permissions(&file, open).unwrap();
    let error = super::super::start(config).err().unwrap().to_string();
    assert!(
        error.contains("admin.secret") && error.contains("`chmod 600`"),
        "{error}"
    );
}

#[tokio::test]
async fn a_reload_is_shown_and_drops_no_request() {
    let behind = Behind::answering(OK).await;
    let scene = Scene::new(behind.addr, "/rest/a");
    let file = scene.folder.path().join("policies/a.toml");
    assert_eq!(scene.ask(&request("GET /rest/b", "")).await.status, 403);
    replace_file(&file, token("t", SECRET, "user = \"u\"", "/rest/b"));
    timeout(PATIENCE, async {
        while scene.ask(&request("GET /rest/b", "")).await.status != 200 {}
    })
    .await
    .expect("the new line counts");

    replace_file(&file, token("t", SECRET, "user = \"u\"", "/rest/(b"));
    let ready = timeout(PATIENCE, async {
        loop {
            let ready: serde_json::Value = serde_json::from_str(&scene.admin("/readyz").await.body).unwrap();
            if !ready["reload_failure"].is_null() {
                return ready;
            }
        }
    })
    .await
    .expect("the failure is shown");
    assert_eq!(ready["ready"], true);
    assert!(
        ready["reload_failure"].as_str().unwrap().contains("a.toml"),
        "{ready}"
    );
    assert_eq!(
        scene.ask(&request("GET /rest/b", "")).await.status,
        200,
        "the old policy stays"
    );
    assert!(
        scene
            .admin("/metrics")
            .await
            .body
            .contains("tokenward_policy_broken 1")
    );
}

#[tokio::test]
async fn a_tail_shows_calls_as_they_come() {
    let behind = Behind::answering(OK).await;
    let scene = Scene::new(behind.addr, "/rest/a");
    scene.ask(&request("GET /rest/before", "")).await;
    scene.only_entry().await;
    let secret = std::fs::read_to_string(scene.folder.path().join("admin.secret")).unwrap();
    let mut tail = Client(TcpStream::connect(scene.running().admin_addr()).await.unwrap());
    tail.send(&format!(
        "GET /v1/audit/tail?verdict=deny HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\r\n",
        secret.trim()
    ))
    .await;
    assert_eq!(tail.head().await.0, 200);
    for path in ["/rest/a", "/rest/one", "/rest/two"] {
        scene.ask(&request(&format!("GET {path}"), "")).await;
    }
    let mut text = String::new();
    timeout(PATIENCE, async {
        while !text.contains("/rest/two") {
            text.push(char::from(tail.0.read_u8().await.unwrap()));
        }
    })
    .await
    .expect("the calls are shown");
    assert!(
        text.find("/rest/one") < text.find("/rest/two") && text.contains("\"status\":403"),
        "{text}"
    );
    assert!(
        !text.contains("/rest/a\"") && !text.contains("/rest/before"),
        "{text}"
    );
}

#[tokio::test]
async fn stopping_lets_a_request_under_way_finish() {
    let (begun, mut begins) = tokio::sync::mpsc::unbounded_channel();
    let (go, went) = tokio::sync::watch::channel(false);
    let behind = Behind::new(move |_, mut stream| {
        let (begun, mut went) = (begun.clone(), went.clone());
        async move {
            use tokio::io::AsyncWriteExt;
            begun.send(()).unwrap();
            went.wait_for(|go| *go).await.unwrap();
            stream.write_all(OK.as_bytes()).await.unwrap();
            Some(stream)
        }
    })
    .await;
    let mut scene = Scene::new(behind.addr, "/rest/.*");
    let address = scene.running().proxy_addr();
    let mut client = scene.connect().await;
    client.send(&request("GET /rest/a", "")).await;
    begins.recv().await.unwrap();
    let running = scene.running.take().unwrap();
    let stopping = tokio::task::spawn_blocking(move || running.stop());
    timeout(PATIENCE, async {
        while TcpStream::connect(address).await.is_ok() {}
    })
    .await
    .expect("nothing new is accepted");
    go.send(true).unwrap();
    let reply = client.reply().await;
    assert_eq!(
        (reply.body.as_str(), reply.header("connection")),
        ("ok", Some("close"))
    );
    stopping.await.unwrap().unwrap();
}

#[tokio::test]
async fn stopping_has_an_end_whatever_the_upstream_does() {
    let (begun, mut begins) = tokio::sync::mpsc::unbounded_channel();
    let behind = Behind::new(move |_, stream| {
        let begun = begun.clone();
        async move {
            begun.send(()).unwrap();
            std::future::pending::<()>().await;
            Some(stream)
        }
    })
    .await;
    let grace = std::time::Duration::from_secs(1);
    let policy = token("t", SECRET, "user = \"u\"", "/rest/.*");
    let mut scene = Scene::with(behind.addr, &policy, |config| {
        config.server.shutdown_grace = grace
    });
    let mut client = scene.connect().await;
    client.send(&request("GET /rest/a", "")).await;
    begins.recv().await.unwrap();
    let running = scene.running.take().unwrap();
    let (began, watch) = (std::time::Instant::now(), Stopwatch::start());
    let stopping = tokio::task::spawn_blocking(move || running.stop());
    timeout(PATIENCE, stopping)
        .await
        .expect("an end")
        .unwrap()
        .unwrap();
    assert!(began.elapsed() >= grace);
    let took = watch.took();
    assert!(took < grace * 4, "{took:?}");
    let _ = client.end().await;
    scene.restart_stopped();
    let entry = scene.only_entry().await;
    assert_eq!(
        entry["outcome"]["end"], "client-gone",
        "the outcome is kept: {entry}"
    );
}

#[tokio::test]
async fn what_prevents_starting_is_told_in_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = tokenward_pdp::config::Config {
        policies: folder.path().join("absent"),
        audit: tokenward_audit::Config::at(folder.path().join("audit")),
        ..tokenward_pdp::config::Config::default()
    };
    config.admin.secret_file = folder.path().join("admin.secret");
    let error = super::super::start(config.clone()).err().unwrap().to_string();
    assert!(error.contains("absent"), "{error}");

    std::fs::create_dir(&config.policies).unwrap();
    std::fs::write(
        config.policies.join("a.toml"),
        token("t", SECRET, "usr = \"u\"", "/rest/b"),
    )
    .unwrap();
    let error = super::super::start(config.clone()).err().unwrap().to_string();
    assert!(
        error.contains("a.toml") && error.contains("does not compile"),
        "{error}"
    );

    std::fs::write(
        config.policies.join("a.toml"),
        token("t", SECRET, "user = \"u\"", "/rest/b"),
    )
    .unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    config.server.listen = taken.local_addr().unwrap();
    let error = super::super::start(config.clone()).err().unwrap().to_string();
    assert!(error.contains("in use") && error.contains("[server]"), "{error}");
}

/// A person that a proxy names may do what their role includes, and nothing that a page of another site asks for.
#[tokio::test]
async fn people_have_the_rights_of_their_role() {
    let behind = Behind::answering(OK).await;
    let policy = token("t", SECRET, "user = \"u\"", "/rest/.*");
    let people = |proxies: &'static str| {
        let roles = [
            ("ann", Role::Viewer),
            ("bob", Role::Revoker),
            ("carol", Role::Operator),
        ];
        AdminIdentity {
            header: "x-person".to_owned(),
            proxies: vec![proxies.parse().unwrap()],
            roles: roles.map(|(name, role)| (name.to_owned(), role)).into(),
        }
    };
    let scene = Scene::with(behind.addr, &policy, |config| {
        config.admin.identity = Some(people("127.0.0.0/8"));
    });
    let address = scene.running().admin_addr();
    let ask = |line: &'static str, more: String| async move {
        let mut client = Client(TcpStream::connect(address).await.unwrap());
        let request = format!("{line} HTTP/1.1\r\nHost: localhost\r\n{more}\r\n");
        client.send(&request).await;
        client.reply().await
    };
    let by = |name: &str| format!("X-Person: {name}\r\n");
    assert_eq!(ask("GET /v1/audit", String::new()).await.status, 401);
    assert_eq!(ask("GET /v1/audit", by("mallory")).await.status, 403);
    assert_eq!(ask("GET /v1/audit", by("ann") + &by("carol")).await.status, 401);
    for (name, export) in [("ann", 403), ("bob", 403), ("carol", 200)] {
        assert_eq!(ask("GET /v1/audit", by(name)).await.status, 200, "{name}");
        assert_eq!(
            ask("GET /v1/audit/export", by(name)).await.status,
            export,
            "{name}"
        );
        if export == 403 {
            let all = ask("GET /v1/audit/tail?after=0", by(name)).await;
            assert_eq!(all.status, 403, "{name}");
        }
        // A link or a form of another site makes nobody export or verify.
        let elsewhere = by(name) + "Sec-Fetch-Site: cross-site\r\n";
        for line in [
            "GET /v1/audit/export",
            "GET /v1/audit/expor%74",
            "GET /v1/audit/verify",
        ] {
            assert_eq!(ask(line, elsewhere.clone()).await.status, 403, "{name} {line}");
        }
        assert_eq!(ask("GET /v1/audit", elsewhere).await.status, 200, "{name}");
    }
    // The browser of a person sends the header for every page, so that it does not show that the person meant it.
    let order = "Content-Length: 13\r\n\r\n{\"token\":\"t\"}";
    for name in ["ann", "bob", "carol"] {
        let reply = ask("POST /v1/revoke", by(name) + order).await;
        assert_eq!(reply.status, 403, "{name}");
        assert_eq!(reply.body.contains("role"), name == "ann", "{}", reply.body);
    }
    assert_eq!(scene.ask(&request("GET /rest/a", "")).await.status, 200);
    // A proxy that is not named is nobody.
    let scene = Scene::with(behind.addr, &policy, |config| {
        config.admin.identity = Some(people("192.0.2.7/32"));
    });
    let address = scene.running().admin_addr();
    let mut client = Client(TcpStream::connect(address).await.unwrap());
    client
        .send(&format!(
            "GET /v1/audit HTTP/1.1\r\nHost: localhost\r\n{}\r\n",
            by("carol")
        ))
        .await;
    assert_eq!(client.reply().await.status, 401);
}
