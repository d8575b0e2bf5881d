//! Which answer wins, and that what is refused never touches the upstream.

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
        token("t", SECRET, "user = \"u\"\non_behalf_of = [\"alice\"]", "/rest/ok\n[post]/rest/json[JsonData::a==1]\n!/rest/no"),
        token("elsewhere", "elsewhere", "user = \"u\"\nallowed_ips = [\"10.0.0.0/8\"]", "/rest/.*"),
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
        format!("GET {target} HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nAuthorization: Bearer {secret}\r\n{more}\r\n")
    };
    let basic = |user: &str, secret: &str| {
        use base64::Engine as _;
        let pair = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{secret}"));
        format!("GET /rest/ok HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nAuthorization: Basic {pair}\r\n\r\n")
    };
    let json = "Content-Type: application/json\r\n";
    let cases = [
        // Framing before all: no token, no endpoint, and still 400.
        ("GET /x HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n".to_owned(), 400, ""),
        // Then 404, before the token.
        (get("/secure/admin", "nobody", ""), 404, "outside-endpoints"),
        // Then 401, before the address, the reading and the lines.
        (get("/rest/a;b", "nobody", ""), 401, "unauthenticated"),
        (get("/rest/ok", "revoked", ""), 401, "unauthenticated"),
        (get("/rest/ok", "old", ""), 401, "unauthenticated"),
        (get("/rest/ok", "two", ""), 401, "unauthenticated"),
        (get("/rest/ok", "any", ""), 401, "unauthenticated"),
        (basic("v", SECRET), 401, "unauthenticated"),
        (basic("Admin", "any"), 401, "unauthenticated"),
        ("GET /rest/ok HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n".to_owned(), 401, "unauthenticated"),
        // Then the address, before the reading.
        (get("/rest/a;b", "elsewhere", ""), 403, "address"),
        // Then the reading, before contextUser and the lines.
        (get("/rest/no/%2e%2e/ok", SECRET, "contextUser: mallory\r\n"), 400, "dot-segment"),
        (get("/rest/ok", SECRET, "contextUser: mallory\r\n"), 403, "context-user"),
        (get("/rest/none", SECRET, ""), 403, "no-line"),
        (get("/rest/no", SECRET, ""), 403, "forbid-line"),
        // Then what the body says.
        (post("/rest/json", SECRET, json, "{\"a\":1,\"b\":\"0123456789\"}"), 413, "body-too-large"),
        (post("/rest/json", SECRET, json, "{\"a\":1,\"a\":1}"), 400, "json-duplicate-name"),
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
    assert_eq!(behind.connections(), 0, "nothing that was refused touched the upstream");
    let entries = scene.audit_when(|entries| entries.len() == total).await;
    let reasons: Vec<&str> = entries.iter().map(|entry| entry["reason"].as_str().unwrap()).collect();
    for reason in ["revoked", "expired", "no-user", "wrong-user", "never-act-as", "unknown-token", "no-credentials", "address"] {
        assert!(reasons.contains(&reason), "{reason} in {reasons:?}");
    }

    for allowed in [
        get("/rest/ok", SECRET, "contextUser: alice\r\n"),
        basic("v", "two"),
        basic("carol", "any"),
        post("/rest/json", SECRET, json, "{\"a\":1}"),
    ] {
        let reply = scene.ask(&allowed).await;
        assert_eq!((reply.status, reply.body.as_str()), (200, "ok"), "{allowed}: {reply:?}");
    }
    let users: Vec<String> = behind
        .heads()
        .iter()
        .map(|head| super::harness::field(head, "x-forwarded-user").unwrap().to_owned())
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
        (&format!("GET /rest/a HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(200)), 431),
        (&request("POST /rest/a", "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n"), 400),
    ] {
        let mut client = scene.connect().await;
        client.send(bytes).await;
        let reply = client.reply().await;
        assert_eq!((reply.status, reply.body.as_str()), (status, ""), "{bytes:?}");
        assert_eq!(reply.header("connection"), Some("close"));
        assert_eq!(client.end().await.unwrap(), b"");
    }
    let metrics = scene.admin("/metrics").await.body;
    assert!(metrics.contains("tokenward_bad_framing_total{reason=\"bare-lf\"} 1"), "{metrics}");
    assert_eq!(behind.connections(), 0);
    assert!(scene.admin("/v1/audit").await.body.is_empty(), "what never became a request is not recorded");
}

#[tokio::test]
async fn a_refused_request_leaves_the_connection_usable() {
    let behind = Behind::answering(OK).await;
    let scene = Scene::new(behind.addr, "/rest/ok");
    let mut client = scene.connect().await;
    client.send(&post("/rest/no", SECRET, "", "some small body")).await;
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
    client.send(&request("GET /rest/a?b=c", "X-Request-ID: mine\r\n")).await;
    super::harness::until(|| behind.heads().len() == 1).await;
    let entry = scene.audit_when(|entries| entries.len() == 1).await.remove(0);
    assert!(entry["outcome"].is_null());
    assert_eq!((entry["verdict"].as_str(), entry["reason"].as_str()), (Some("allow"), Some("allowed")));
    assert_eq!(entry["line"]["file"], "a.toml");
    assert_eq!(entry["url"], "http://127.0.0.1:8080/rest/a?b=c");
    assert_eq!(entry["client_request_id"], "mine");
    let ours = super::harness::field(&behind.heads()[0], "x-request-id").unwrap().to_owned();
    assert_eq!(entry["request_id"], ours);
}
