//! One call of each kind through the running proxy: what the client gets, what the upstream sees, what the audit says.

use tokenward_tests::{Answer, Call, Client, Proxy, Setup, TestToken, Upstream};

const COMMENT: &str = "/rest/api/2/issue/KANBAN-100/comment";

fn writer() -> TestToken {
    TestToken::new(
        "writer",
        &[
            "[get].*/rest/api/2/issue/KANBAN-.*",
            "[post].*/rest/api/2/issue/KANBAN-100/comment[JsonData::public==false]",
            "[post]/rest/api/2/search",
        ],
    )
}

fn problem(answer: &Answer, status: u16) -> String {
    assert_eq!(answer.status, status, "{}", answer.text());
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    assert_eq!(answer.json("status"), status);
    let reason = answer.json("reason").as_str().unwrap_or_default().to_owned();
    assert!(!reason.is_empty(), "a stable reason code: {}", answer.text());
    assert!(
        answer
            .json("request_id")
            .as_str()
            .is_some_and(|id| !id.is_empty()),
        "a request id: {}",
        answer.text()
    );
    reason
}

#[test]
fn an_allowed_call_reaches_the_upstream_as_the_user_and_without_the_token() {
    let upstream = Upstream::start();
    let token = writer();
    let proxy = Proxy::start(&Setup::new(upstream.port()).token(&token));
    let mut client = Client::connect(proxy.port());

    for call in [
        Call::get("/rest/api/2/issue/KANBAN-7?fields=summary").basic(&token),
        Call::get("/rest/api/2/issue/KANBAN-7?fields=summary").bearer(&token),
    ] {
        let answer = client.send(&call.header("X-Forwarded-User", "admin").header("Cookie", "s=2"));
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.text(), "GET /rest/api/2/issue/KANBAN-7?fields=summary\n");
        assert_eq!(
            answer.header("set-cookie"),
            None,
            "a session would carry another identity past the token"
        );
    }
    let seen = upstream.seen();
    assert_eq!(seen.len(), 2);
    for request in &seen {
        assert_eq!(request.values("x-forwarded-user"), ["svc"]);
        assert!(request.values("authorization").is_empty());
        assert!(request.values("cookie").is_empty());
        assert!(
            request
                .headers
                .iter()
                .all(|(_, value)| !value.contains(token.secret()))
        );
    }
}

#[test]
fn a_body_that_the_policy_inspects_arrives_as_it_was_judged() {
    let upstream = Upstream::start();
    let token = writer();
    let proxy = Proxy::start(&Setup::new(upstream.port()).token(&token));
    let mut client = Client::connect(proxy.port());

    let body = "{ \"body\" : \"h\\u00e9\", \"public\": false }";
    assert_eq!(
        client.send(&Call::post_json(COMMENT, body).basic(&token)).status,
        200
    );
    let denied = client.send(&Call::post_json(COMMENT, "{\"public\":true}").basic(&token));
    problem(&denied, 403);
    let seen = upstream.seen();
    assert_eq!(seen.len(), 1);
    assert_eq!(
        seen.first().map(|request| request.body.as_slice()),
        Some(body.as_bytes())
    );
}

#[test]
fn refusals_have_their_status_and_reach_nobody() {
    let upstream = Upstream::start();
    let token = writer();
    let other = TestToken::new("expired", &[".*"]).with("expires = 2020-01-01T00:00:00Z");
    let revoked = TestToken::new("revoked", &[".*"]).with("revoked = true");
    let elsewhere = TestToken::new("elsewhere", &[".*"]).with("allowed_ips = [\"192.0.2.0/24\"]");
    let setup = Setup::new(upstream.port())
        .token(&token)
        .token(&other)
        .token(&revoked)
        .token(&elsewhere)
        .section("[limits]\ninspect_size = 1000\n[answers]\nshow_policy = false");
    let proxy = Proxy::start(&setup);
    let issue = "/rest/api/2/issue/KANBAN-7";
    let large = format!("{{\"public\":false,\"body\":\"{}\"}}", "x".repeat(2000));
    let wrong_user = TestToken::new("writer", &[])
        .basic()
        .replace("Basic ", "Basic eA");

    let cases = [
        (Call::get(issue), 401),
        (
            Call::get(issue).header("Authorization", "Bearer 0123456789abcdef0123456789abcdef"),
            401,
        ),
        (Call::get(issue).header("Authorization", &wrong_user), 401),
        (Call::get(issue).bearer(&other), 401),
        (Call::get(issue).bearer(&revoked), 401),
        (Call::get(issue).bearer(&elsewhere), 403),
        (Call::get("/login.jsp").bearer(&token), 404),
        (Call::get("/rest/api/2/issue/../user").bearer(&token), 400),
        (Call::get("/rest/api/2/user").bearer(&token), 403),
        (Call::new("DELETE", issue).bearer(&token), 403),
        (Call::post_json(COMMENT, &large).bearer(&token), 413),
    ];
    let expected = cases.len();
    for (call, status) in cases {
        let answer = Client::connect(proxy.port()).send(&call);
        problem(&answer, status);
        assert_eq!(
            answer.header("www-authenticate").is_some(),
            status == 401,
            "{call:?}"
        );
        assert!(
            !answer.text().contains("KANBAN-."),
            "no policy text where it is switched off"
        );
    }
    assert_eq!(upstream.count(), 0);
    let rows = proxy.audit();
    assert_eq!(rows.len(), expected);
    assert!(rows.iter().all(|row| row.text("verdict") != "allow"));
}

#[test]
fn the_audit_has_every_call_with_what_decided_it() {
    let upstream = Upstream::start();
    let token = writer();
    let proxy = Proxy::start(&Setup::new(upstream.port()).token(&token));
    let mut client = Client::connect(proxy.port());
    client.send(
        &Call::get("/rest/api/2/issue/KANBAN-7?jql=%61")
            .basic(&token)
            .header("X-Request-Id", "mine"),
    );
    client.send(&Call::get("/rest/api/2/user").basic(&token));

    let rows = tokenward_tests::eventually("both outcomes are recorded", || {
        let rows = proxy.audit();
        (rows.len() == 2 && rows.iter().all(|row| !row.text("outcome/status").is_empty())).then_some(rows)
    });
    let texts = |name: &str| rows.iter().map(|row| row.text(name)).collect::<Vec<_>>();
    assert_eq!(texts("verdict"), ["allow", "deny"]);
    assert_eq!(texts("token"), ["writer", "writer"]);
    assert_eq!(texts("user"), ["svc", "svc"]);
    assert_eq!(texts("method"), ["GET", "GET"]);
    assert_eq!(texts("client"), ["127.0.0.1", "127.0.0.1"]);
    assert_eq!(texts("outcome/status"), ["200", "403"]);
    assert_eq!(texts("client_request_id"), ["mine", ""]);
    let base = format!("http://127.0.0.1:{}", proxy.port());
    assert_eq!(
        texts("url"),
        [
            format!("{base}/rest/api/2/issue/KANBAN-7?jql=a"),
            format!("{base}/rest/api/2/user")
        ]
    );
    assert!(
        rows.iter()
            .all(|row| row.text("request_id") != "mine" && !row.text("policy").is_empty())
    );
}

#[test]
fn an_upstream_that_fails_gives_502_and_is_recorded() {
    let upstream = Upstream::start();
    let token = TestToken::new("all", &[".*"]);
    let proxy = Proxy::start(&Setup::new(upstream.port()).token(&token));
    for target in ["/rest/drop", "/rest/unauthorized"] {
        problem(
            &Client::connect(proxy.port()).send(&Call::get(target).bearer(&token)),
            502,
        );
    }
    drop(upstream);
    tokenward_tests::eventually("a dead upstream gives 502", || {
        let answer = Client::connect(proxy.port()).send(&Call::get("/rest/api").bearer(&token));
        (answer.status == 502).then_some(())
    });
    assert!(proxy.audit().iter().all(|row| row.text("verdict") == "allow"));
}

#[test]
fn a_stopped_proxy_has_written_everything_and_says_nothing_secret() {
    let upstream = Upstream::start();
    let token = writer();
    let proxy = Proxy::start(
        &Setup::new(upstream.port())
            .token(&token)
            .section("[log]\nlevel = \"trace\""),
    );
    let mut client = Client::connect(proxy.port());
    client.send(&Call::get("/rest/api/2/issue/KANBAN-7").basic(&token));
    client.send(
        &Call::get(&format!(
            "/rest/api/2/issue/KANBAN-7?os_password={}",
            token.secret()
        ))
        .bearer(&token),
    );
    drop(client);
    let audit = proxy
        .audit()
        .iter()
        .map(|row| format!("{row:?}"))
        .collect::<String>();
    assert!(!audit.contains(token.secret()), "{audit}");
    // What follows the answers is written by now.
    let directory = proxy.stop();
    let log = std::fs::read_to_string(directory.path().join("serve.log")).unwrap();
    assert!(
        !log.contains(token.secret()) && !log.contains(&token.basic()),
        "{log}"
    );
}

#[test]
fn bodies_that_are_no_objects_are_judged_by_their_root() {
    let upstream = Upstream::start();
    let token = TestToken::new(
        "roots",
        &[
            "[post]/rest/api/2/issue/KANBAN-\\d+/watchers[JsonData::$:string==svc]",
            "[post]/rest/api/content/\\d+/label[JsonData::$[*].name==release|beta][JsonData::$[*].only]",
            "[post]/rest/api/2/payment[JsonData::amount:number>0][JsonData::amount:number<=500]",
        ],
    );
    let proxy = Proxy::start(&Setup::new(upstream.port()).token(&token));
    let mut client = Client::connect(proxy.port());
    let watchers = "/rest/api/2/issue/KANBAN-7/watchers";
    let labels = "/rest/api/content/7/label";
    let payment = "/rest/api/2/payment";
    for (path, body, status) in [
        (watchers, "\"svc\"", 200),
        (watchers, "\"admin\"", 403),
        (watchers, "[\"svc\", \"admin\"]", 403),
        (watchers, "{\"$\": \"svc\"}", 403),
        (labels, "[{\"name\": \"release\"}, {\"name\": \"beta\"}]", 200),
        (labels, "[{\"name\": \"release\"}, {\"name\": \"secret\"}]", 403),
        (labels, "[{\"name\": \"release\", \"prefix\": \"my\"}]", 403),
        (labels, "{\"name\": \"release\"}", 403),
        (payment, "{\"amount\": 500.00}", 200),
        (payment, "{\"amount\": 5e2}", 403),
        (payment, "{\"amount\": 500.01}", 403),
        (payment, "{\"amount\": \"5\"}", 403),
    ] {
        let answer = client.send(&Call::post_json(path, body).basic(&token));
        assert_eq!(answer.status, status, "{path} {body}: {}", answer.text());
    }
    let seen = upstream.seen();
    assert_eq!(seen.len(), 3, "only what was allowed");
}
