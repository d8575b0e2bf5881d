//! What callers and the upstream try with secrets, records and fields that are none of theirs.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::harness::{Behind, SECRET, Scene, request, token};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const EXPIRED: &str = "q8w2e6r4t1y9u3i7o5p0a2s4d6f8g1h3";

#[tokio::test]
async fn outsiders_cannot_hide_that_a_dead_token_is_used() {
    let behind = Behind::answering(OK).await;
    let policy = [
        token("t", SECRET, "user = \"u\"", "/rest/.*"),
        token("old", EXPIRED, "user = \"u\"", "/rest/.*").replace("2099", "2020"),
    ];
    let scene = Scene::with(behind.addr, &policy.concat(), |config| {
        config.audit.outsider_quota_per_minute = 2;
        config.auth.throttling.attempts = 0;
    });
    let ask = |secret: String| {
        let head =
            format!("GET /rest/a HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nAuthorization: Bearer {secret}\r\n\r\n");
        let scene = &scene;
        async move { scene.ask(&head).await.status }
    };
    for n in 0..10 {
        assert_eq!(ask(format!("guess-{n:032}")).await, 401);
    }
    assert_eq!(ask(EXPIRED.to_owned()).await, 401);
    let entries = scene
        .audit_when(|entries| entries.iter().any(|entry| entry["token"] == "old"))
        .await;
    // The quota is a minute's, and the test may have begun at its end.
    assert!(entries.len() < 10, "{entries:?}");
    scene.counted(&["tokenward_audit_refused_tokens_total 0"]).await;
}

#[tokio::test]
async fn refusals_by_a_limit_are_counted_beyond_their_quota() {
    let behind = Behind::answering(OK).await;
    let policy = [
        token("t", SECRET, "user = \"u\"\nrate = \"1/1h\"", "/rest/.*"),
        token("other", EXPIRED, "user = \"u\"\nrate = \"1/1h\"", "/rest/.*"),
    ];
    let scene = Scene::with(behind.addr, &policy.concat(), |config| {
        config.audit.outsider_quota_per_minute = 2;
    });
    for number in 0..20 {
        let status = scene.ask(&request("GET /rest/a", "")).await.status;
        assert_eq!(status, if number == 0 { 200 } else { 429 });
    }
    // What one token is refused does not hide what another one is refused.
    let other = request("GET /rest/a", "").replace(SECRET, EXPIRED);
    assert_eq!(scene.ask(&other).await.status, 200);
    assert_eq!(scene.ask(&other).await.status, 429);
    let of_other = |entry: &&serde_json::Value| entry["token"] == "other" && !entry["outcome"].is_null();
    let entries = scene
        .audit_when(|entries| entries.iter().filter(of_other).count() == 2)
        .await;
    // The quota is a minute's, and the test may have begun at its end.
    assert!(entries.len() <= 7, "{} records", entries.len());
    let metrics = scene.admin("/metrics").await.body;
    let counted = metrics
        .lines()
        .find_map(|line| line.strip_prefix("tokenward_audit_over_limit_total "))
        .unwrap_or_else(|| panic!("{metrics}"));
    assert!(counted.parse::<u32>().unwrap() >= 15, "{counted}");
    let decided = "tokenward_decisions_total{verdict=\"refuse\",reason=\"rate-limit\",token=\"t\"} 19";
    assert!(metrics.contains(decided), "{metrics}");
}

#[tokio::test]
async fn a_user_named_by_a_secret_is_neither_recorded_nor_sent() {
    let behind = Behind::answering(OK).await;
    let policy = [
        token("t", SECRET, "any_user = true", "/rest/.*"),
        token("other", EXPIRED, "user = \"u\"", "/rest/.*"),
    ];
    let scene = Scene::with(behind.addr, &policy.concat(), |_| {});
    let basic = STANDARD.encode(format!("{EXPIRED}:{SECRET}"));
    let head =
        format!("GET /rest/a HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nAuthorization: Basic {basic}\r\n\r\n");
    assert_eq!(scene.ask(&head).await.status, 401);
    let entry = scene.only_entry().await;
    assert_eq!(entry["reason"], "malformed-credentials");
    assert!(!entry.to_string().contains(EXPIRED), "{entry}");
    assert_eq!(behind.heads(), [""; 0]);
}

/// Orders to a server in front are dropped wherever the upstream may write a field: in an interim response, in the head
/// and in trailers.
#[tokio::test]
async fn orders_to_a_server_in_front_are_dropped() {
    const ANSWER: &str = "HTTP/1.1 103 Early Hints\r\nX-Accel-Redirect: /a\r\nLink: </x>\r\n\r\n\
        HTTP/1.1 200 OK\r\nX-Accel-Redirect: /b\r\nX-Sendfile: /etc/passwd\r\nX-Reproxy-URL: http://127.0.0.1/\r\n\
        Transfer-Encoding: chunked\r\nTrailer: X-Accel-Redirect\r\n\r\n2\r\nok\r\n0\r\nX-Accel-Redirect: /c\r\n\r\n";
    let behind = Behind::answering(ANSWER).await;
    let scene = Scene::new(behind.addr, "/rest/.*");
    let mut client = scene.connect().await;
    client
        .send(&request("GET /rest/a", "Connection: close\r\n"))
        .await;
    let sent = String::from_utf8(client.end().await.unwrap())
        .unwrap()
        .to_lowercase();
    assert!(sent.starts_with("http/1.1 200") && sent.contains("ok"), "{sent}");
    for order in ["x-accel", "x-sendfile", "x-reproxy", "103"] {
        assert!(!sent.contains(order), "{order} in {sent}");
    }
}
