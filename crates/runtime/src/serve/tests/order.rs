//! Which answer wins, and that what is refused never touches the upstream.

use tokenward_testbed::Stopwatch;

use super::harness::{Behind, SECRET, Scene, request, token};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

fn post(path: &str, secret: &str, more: &str, body: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nAuthorization: Bearer {secret}\r\n{more}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

#[tokio::test]
async fn the_earlier_reason_wins() {
    let behind = Behind::answering(OK).await;
    let policy = [
        token(
            "t",
            SECRET,
            "user = \"u\"\non_behalf_of = [\"alice\"]",
            "/rest/ok\n[post]/rest/json[JsonData::a==1]\n!/rest/no",
        ),
        token(
            "elsewhere",
            "elsewhere",
            "user = \"u\"\nallowed_ips = [\"10.0.0.0/8\"]",
            "/rest/.*",
        ),
        token("revoked", "revoked", "user = \"u\"\nrevoked = true", "/rest/.*"),
        token("old", "old", "user = \"u\"", "/rest/.*").replace("2099", "2001"),
        token("two", "two", "users = [\"u\", \"v\"]", "/rest/.*"),
        token("any", "any", "any_user = true", "/rest/.*"),
    ]
    .concat();
    let scene = Scene::with(behind.addr, &policy, |config| {
        config.limits.inspect_bytes = 20;
        config.auth.never_act_as = vec!["admin".into()];
    });
    let get = |target: &str, secret: &str, more: &str| {
        format!(
            "GET {target} HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nAuthorization: Bearer {secret}\r\n{more}\r\n"
        )
    };
    let basic = |user: &str, secret: &str| {
        use base64::Engine as _;
        let pair = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{secret}"));
        format!("GET /rest/ok HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nAuthorization: Basic {pair}\r\n\r\n")
    };
    let json = "Content-Type: application/json\r\n";
    let cases = [
        // Framing before all: no token, no endpoint, and still 400.
        (
            "GET /x HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n".to_owned(),
            400,
            "",
        ),
        // Then 404, before the token.
        (get("/secure/admin", "nobody", ""), 404, "outside-endpoints"),
        // Then 401, before the address, the reading and the lines.
        (get("/rest/a;b", "nobody", ""), 401, "unauthenticated"),
        (get("/rest/ok", "revoked", ""), 401, "revoked"),
        (get("/rest/ok", "old", ""), 401, "expired"),
        (get("/rest/ok", "two", ""), 401, "unauthenticated"),
        (get("/rest/ok", "any", ""), 401, "unauthenticated"),
        (basic("v", SECRET), 401, "unauthenticated"),
        (basic("Admin", "any"), 401, "unauthenticated"),
        (basic("adm\u{131}n", "any"), 401, "unauthenticated"),
        (
            "GET /rest/ok HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n".to_owned(),
            401,
            "unauthenticated",
        ),
        // Then the address, before the reading.
        (get("/rest/a;b", "elsewhere", ""), 403, "address"),
        // Then the reading, before contextUser and the lines.
        (get("/rest/ok#x", SECRET, ""), 400, "number-sign"),
        (get("/rest/\u{e9}", SECRET, ""), 400, "target-byte"),
        (
            get("/rest/no/%2e%2e/ok", SECRET, "contextUser: mallory\r\n"),
            400,
            "dot-segment",
        ),
        (
            get("/rest/ok", SECRET, "contextUser: mallory\r\n"),
            403,
            "context-user",
        ),
        (get("/rest/none", SECRET, ""), 403, "no-line"),
        (get("/rest/no", SECRET, ""), 403, "forbid-line"),
        // Then what the body says.
        (
            post("/rest/json", SECRET, json, "{\"a\":1,\"b\":\"0123456789\"}"),
            413,
            "body-too-large",
        ),
        (
            post("/rest/json", SECRET, json, "{\"a\":1,\"a\":1}"),
            400,
            "json-duplicate-name",
        ),
        (post("/rest/json", SECRET, json, "{\"a\":2}"), 403, "no-line"),
        (post("/rest/json", SECRET, json, "{\"a\":"), 403, "no-line"),
    ];
    let total = cases.len();
    for (request, status, reason) in cases {
        let reply = scene.ask(&request).await;
        assert_eq!(reply.status, status, "{request}: {reply:?}");
        if !reason.is_empty() {
            assert_eq!(reply.reason(), reason, "{request}");
        }
        if status == 401 {
            assert!(reply.head.contains("www-authenticate: Basic"), "{reply:?}");
        }
    }
    assert_eq!(
        behind.connections(),
        0,
        "nothing that was refused touched the upstream"
    );
    let entries = scene.audit_when(|entries| entries.len() == total).await;
    let reasons: Vec<&str> = entries
        .iter()
        .map(|entry| entry["reason"].as_str().unwrap())
        .collect();
    for reason in [
        "revoked",
        "expired",
        "no-user",
        "wrong-user",
        "never-act-as",
        "unknown-token",
        "no-credentials",
        "address",
    ] {
        assert!(reasons.contains(&reason), "{reason} in {reasons:?}");
    }

    for allowed in [
        get("/rest/ok", SECRET, "contextUser: alice\r\n"),
        basic("v", "two"),
        basic("carol", "any"),
        post("/rest/json", SECRET, json, "{\"a\":1}"),
    ] {
        let reply = scene.ask(&allowed).await;
        assert_eq!(
            (reply.status, reply.body.as_str()),
            (200, "ok"),
            "{allowed}: {reply:?}"
        );
    }
    let users: Vec<String> = behind
        .heads()
        .iter()
        .map(|head| {
            super::harness::field(head, "x-forwarded-user")
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(users, ["alice", "v", "carol", "u"]);
}

#[tokio::test]
async fn bytes_that_are_no_request_get_a_bare_answer_and_a_count() {
    let behind = Behind::answering(OK).await;
    let scene = Scene::new(behind.addr, "/rest/.*");
    for (bytes, status) in [
        ("GET /rest/a HTTP/1.1\nHost: x\n\n", 400),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
        (
            &format!("GET /rest/a HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(200)),
            431,
        ),
        (
            &request(
                "POST /rest/a",
                "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n",
            ),
            400,
        ),
    ] {
        let mut client = scene.connect().await;
        client.send(bytes).await;
        let reply = client.reply().await;
        assert_eq!((reply.status, reply.body.as_str()), (status, ""), "{bytes:?}");
        assert_eq!(reply.header("connection"), Some("close"));
        assert_eq!(client.end().await.unwrap(), b"");
    }
    scene
        .counted(&["tokenward_bad_framing_total{reason=\"bare-lf\"} 1"])
        .await;
    assert_eq!(behind.connections(), 0);
    assert!(
        scene.admin("/v1/audit").await.body.is_empty(),
        "what never became a request is not recorded"
    );
}

#[tokio::test]
async fn a_refused_request_leaves_the_connection_usable() {
    let behind = Behind::answering(OK).await;
    let scene = Scene::new(behind.addr, "/rest/ok");
    let mut client = scene.connect().await;
    client
        .send(&post("/rest/no", SECRET, "", "some small body"))
        .await;
    assert_eq!(client.reply().await.status, 403);
    client.send(&request("GET /rest/ok", "")).await;
    assert_eq!(client.reply().await.status, 200);
}

#[tokio::test]
async fn the_record_is_there_before_the_upstream_is() {
    // The upstream looks the record up while it has the request.
    let behind = Behind::new(|_, stream| async move {
        std::future::pending::<()>().await;
        Some(stream)
    })
    .await;
    let scene = Scene::new(behind.addr, "/rest/.*");
    let mut client = scene.connect().await;
    client
        .send(&request("GET /rest/a?b=c", "X-Request-ID: mine\r\n"))
        .await;
    super::harness::until(|| behind.heads().len() == 1).await;
    let entry = scene.audit_when(|entries| entries.len() == 1).await.remove(0);
    assert!(entry["outcome"].is_null());
    assert_eq!(
        (entry["verdict"].as_str(), entry["reason"].as_str()),
        (Some("allow"), Some("allowed"))
    );
    assert_eq!(entry["line"]["file"], "a.toml");
    assert_eq!(entry["url"], "http://127.0.0.1:8080/rest/a?b=c");
    assert_eq!(entry["client_request_id"], "mine");
    let ours = super::harness::field(&behind.heads()[0], "x-request-id")
        .unwrap()
        .to_owned();
    assert_eq!(entry["request_id"], ours);
}

#[tokio::test]
async fn without_an_audit_nothing_passes_unless_that_is_set() {
    let behind = Behind::answering(OK).await;
    let scene = Scene::new(behind.addr, "/rest/.*");
    scene.running().audit().close().unwrap();
    for line in ["GET /rest/a", "POST /rest/a", "GET /rest/a;b"] {
        let reply = scene.ask(&request(line, "")).await;
        assert_eq!(
            (reply.status, reply.reason().as_str()),
            (503, "audit-unavailable"),
            "{line}"
        );
    }
    assert_eq!(behind.connections(), 0);
    // They are counted as they were answered.
    scene
        .counted(&["tokenward_calls_ended_total{end=\"complete\"} 3"])
        .await;
    let metrics = scene.admin("/metrics").await.body;
    assert!(
        metrics.contains("reason=\"audit-unavailable\"") && !metrics.contains("verdict=\"allow\""),
        "{metrics}"
    );

    let policy = token("t", SECRET, "user = \"u\"", "[get,post]/rest/a");
    let scene = Scene::with(behind.addr, &policy, |config| {
        config.audit.on_failure = tokenward_audit::OnFailure::AllowSafe;
    });
    scene.running().audit().close().unwrap();
    assert_eq!(scene.ask(&request("GET /rest/a", "")).await.status, 200);
    assert_eq!(scene.ask(&request("GET /rest/b", "")).await.reason(), "no-line");
    assert_eq!(scene.ask(&request("POST /rest/a", "")).await.status, 503);
    assert_eq!(behind.heads().len(), 1);
}

#[tokio::test]
async fn preflights_of_configured_origins_are_answered_here() {
    let behind = Behind::answering(OK).await;
    let policy = token("t", SECRET, "user = \"u\"", "/rest/a");
    let scene = Scene::with(behind.addr, &policy, |config| {
        config.answers.cors_origins = vec!["https://app.example.com".into()];
    });
    let preflight = |origin: &str| {
        format!(
            "OPTIONS /rest/a HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nOrigin: {origin}\r\nAccess-Control-Request-Method: PUT\r\nAccess-Control-Request-Headers: authorization\r\n\r\n"
        )
    };
    let reply = scene.ask(&preflight("https://app.example.com")).await;
    assert_eq!(reply.status, 204);
    assert_eq!(
        reply.header("access-control-allow-origin"),
        Some("https://app.example.com")
    );
    assert_eq!(reply.header("access-control-allow-methods"), Some("PUT"));
    assert_eq!(
        reply.header("access-control-allow-headers"),
        Some("authorization")
    );
    assert_eq!(
        scene.ask(&preflight("https://evil.example.com")).await.status,
        401
    );
    assert_eq!(behind.connections(), 0);
    for (path, status) in [("/rest/a", 200), ("/rest/b", 403)] {
        let reply = scene
            .ask(&request(
                &format!("GET {path}"),
                "Origin: https://app.example.com\r\n",
            ))
            .await;
        assert_eq!(reply.status, status);
        assert_eq!(
            reply.header("access-control-allow-origin"),
            Some("https://app.example.com")
        );
        assert_eq!(reply.header("vary"), Some("origin"));
    }
}

#[tokio::test]
async fn a_holder_may_ask_what_his_token_is() {
    let behind = Behind::answering(OK).await;
    let scene = Scene::new(behind.addr, "# only this\n[get]/rest/a");
    let reply = scene.ask(&request("GET /.tokenward/self", "")).await;
    let own: serde_json::Value = serde_json::from_str(&reply.body).unwrap();
    assert_eq!(
        (own["token"].as_str(), own["user"].as_str()),
        (Some("t"), Some("u")),
        "{reply:?}"
    );
    assert_eq!(own["expires"], "2099-01-01T00:00:00.000Z");
    assert_eq!(own["lines"], serde_json::json!(["[get]/rest/a"]));
    assert_eq!(
        scene
            .ask("GET /.tokenward/self HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n")
            .await
            .status,
        401
    );
    assert_eq!(scene.ask(&request("PUT /.tokenward/self", "")).await.status, 404);
    assert_eq!(behind.connections(), 0);
    scene
        .audit_when(|entries| entries.len() == 3 && entries[0]["reason"] == "self")
        .await;
}

#[tokio::test]
async fn a_long_url_is_recorded_as_far_as_the_audit_keeps_it() {
    let behind = Behind::answering(OK).await;
    let scene = Scene::new(behind.addr, "/rest/a");
    let query = "x".repeat(60_000);
    let reply = scene.ask(&request(&format!("GET /rest/a?jql={query}"), "")).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let url = scene.only_entry().await["url"].as_str().unwrap().to_owned();
    assert!(url.len() < 20_000 && url.contains("…[60"), "{}", url.len());
}

#[tokio::test]
async fn failed_credentials_are_slowed_and_valid_ones_are_not() {
    let behind = Behind::answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    let delay = std::time::Duration::from_millis(300);
    let scene = Scene::with(
        behind.addr,
        &token("t", SECRET, "user = \"u\"", "/rest/.*"),
        |config| {
            config.auth.throttling.attempts = 3;
            config.auth.throttling.delay = delay;
        },
    );
    let wrong = request("GET /rest/a", "").replace(SECRET, "twd_wrong");
    let bare = "GET /rest/a HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n";
    for _ in 0..10 {
        assert_eq!(scene.ask(bare).await.status, 401);
    }
    let watch = Stopwatch::start();
    for _ in 0..3 {
        assert_eq!(scene.ask(&wrong).await.status, 401);
    }
    assert!(
        watch.took() < delay,
        "none of the first is slowed, nor those without credentials"
    );
    let began = std::time::Instant::now();
    assert_eq!(scene.ask(&wrong).await.status, 401);
    assert!(began.elapsed() >= delay);
    // As many as may wait do, and the rest is told to come later.
    let all = futures_util::future::join_all((0..40).map(|_| scene.ask(&wrong))).await;
    let statuses: Vec<u16> = all.iter().map(|reply| reply.status).collect();
    let refused = all.iter().find(|reply| reply.status == 429).expect("a 429");
    assert!(statuses.contains(&401) && statuses.iter().all(|status| [401, 429].contains(status)));
    assert_eq!(refused.reason(), "too-many-failures");
    assert_eq!(refused.header("retry-after"), Some("60"));
    let watch = Stopwatch::start();
    assert_eq!(scene.ask(&request("GET /rest/a", "")).await.status, 200);
    assert!(watch.took() < delay, "valid ones pass as ever");
}

#[tokio::test]
async fn calls_that_give_need_the_keys_that_say_so() {
    let behind = Behind::answering(OK).await;
    let policy = [
        token("none", "none", "user = \"u\"", "/rest/.*"),
        token("minting", "minting", "user = \"u\"\nmint = true", "/rest/.*"),
        token(
            "escalating",
            "escalating",
            "user = \"u\"\nescalate = true",
            "/rest/.*",
        ),
        token(
            "both",
            "both",
            "user = \"u\"\nmint = true\nescalate = true",
            "/rest/.*",
        ),
        token(
            "narrow",
            "narrow",
            "user = \"u\"\nescalate = true",
            "/rest/api/2/issue",
        ),
    ]
    .concat();
    let scene = Scene::with(behind.addr, &policy, |_| {});
    let give = "PUT /rest/api/2/permissionscheme/1";
    let show = "GET /rest/pat/latest/tokens";
    let carry = "GET /rest/gadgets/1.0/makeRequest";
    for (call, secret, reason) in [
        (give, "none", "escalating"),
        (give, "minting", "escalating"),
        (give, "escalating", ""),
        (give, "both", ""),
        // The key alone allows nothing.
        (give, "narrow", "no-line"),
        (show, "none", "minting"),
        (show, "escalating", "minting"),
        (show, "minting", ""),
        (carry, "none", "minting"),
        (carry, "escalating", "minting"),
        (carry, "minting", "escalating"),
        (carry, "both", ""),
        ("GET /rest/api/2/issue", "none", ""),
    ] {
        let reply = scene
            .ask(&format!(
                "{call} HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nAuthorization: Bearer {secret}\r\n\r\n"
            ))
            .await;
        if reason.is_empty() {
            assert_eq!(reply.status, 200, "{call} {secret}: {reply:?}");
        } else {
            assert_eq!(
                (reply.status, reply.reason().as_str()),
                (403, reason),
                "{call} {secret}"
            );
            let lacks = |key: &str| reply.body.contains(&format!("`{key} = true`"));
            assert!(
                lacks("mint") || lacks("escalate") || reason == "no-line",
                "{reply:?}"
            );
        }
    }
    let reply = scene
        .ask("GET /.tokenward/self HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nAuthorization: Bearer escalating\r\n\r\n")
        .await;
    let own: serde_json::Value = serde_json::from_str(&reply.body).unwrap();
    assert_eq!((&own["mint"], &own["escalate"]), (&false.into(), &true.into()));
}
