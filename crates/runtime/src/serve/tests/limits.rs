//! Limits of tokens: rate, calls in progress, size of a body.

use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::time::timeout;

use super::harness::{Behind, PATIENCE, SECRET, Scene, replace_file, request, token};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

fn limited(keys: &str) -> String {
    token("t", SECRET, &format!("user = \"u\"\n{keys}"), "/rest/.*")
}

#[tokio::test]
async fn past_the_rate_a_call_gets_429_and_is_told_when_to_come_back() {
    let behind = Behind::answering(OK).await;
    let scene = Scene::with(behind.addr, &limited("rate = \"2/1h\""), |_| {});
    let first = scene.ask(&request("GET /rest/a", "")).await;
    assert_eq!(first.status, 200);
    assert_eq!(first.header("ratelimit-policy"), Some("\"token\";q=2;w=3600"));
    assert_eq!(first.header("ratelimit"), Some("\"token\";r=1;t=1800"));
    let second = scene.ask(&request("GET /elsewhere", "")).await;
    assert_eq!(
        (second.status, second.header("ratelimit")),
        (404, None),
        "of no token"
    );
    // Calls that the policy denies count, too: each of them costs a decision.
    let second = scene.ask(&request("GET /rest/%zz", "")).await;
    assert_eq!(
        (second.status, second.header("ratelimit")),
        (400, Some("\"token\";r=0;t=1800"))
    );
    // Past the limit, the request's ambiguity and the policy are not looked at.
    for line in ["GET /rest/a", "GET /rest/%zz", "GET /.tokenward/self"] {
        let third = scene.ask(&request(line, "")).await;
        assert_eq!(
            (third.status, third.reason().as_str()),
            (429, "rate-limit"),
            "{line}"
        );
        assert_eq!(third.header("content-type"), Some("application/problem+json"));
        let wait: u64 = third.header("retry-after").unwrap().parse().unwrap();
        assert!((1790..=1800).contains(&wait), "{third:?}");
        assert_eq!(
            third.header("ratelimit").unwrap(),
            format!("\"token\";r=0;t={wait}")
        );
    }
    assert_eq!(behind.heads().len(), 1);
    let entries = scene.audit_when(|entries| entries.len() == 6).await;
    let last = entries.last().unwrap();
    assert_eq!(
        (&last["reason"], &last["token"], &last["verdict"]),
        (&"rate-limit".into(), &"t".into(), &"refuse".into()),
        "{last}"
    );
    scene
        .counted(&["tokenward_decisions_total{verdict=\"refuse\",reason=\"rate-limit\",token=\"t\"} 3"])
        .await;
}

#[tokio::test]
async fn limits_come_behind_credentials_and_the_address() {
    let behind = Behind::answering(OK).await;
    let policy = limited("rate = \"1/1h\"\nallowed_ips = [\"10.0.0.0/8\"]");
    let scene = Scene::with(behind.addr, &policy, |_| {});
    for _ in 0..3 {
        let refused = scene.ask(&request("GET /rest/a", "")).await;
        assert_eq!((refused.status, refused.reason().as_str()), (403, "address"));
        let unknown = request("GET /rest/a", "").replace(SECRET, "twd_unknown");
        assert_eq!(scene.ask(&unknown).await.status, 401);
    }
}

#[tokio::test]
async fn the_holder_sees_the_limits_that_apply() {
    let behind = Behind::answering(OK).await;
    let scene = Scene::with(behind.addr, &limited("concurrent = 5"), |config| {
        config.tokens.limits.rate = Some("60/1m".parse().unwrap());
        config.tokens.limits.max_body = Some(1000);
    });
    let reply = scene.ask(&request("GET /.tokenward/self", "")).await;
    let shown: serde_json::Value = serde_json::from_str(&reply.body).unwrap();
    let expected = serde_json::json!({
        "rate": "60/1m", "burst": 60, "left": 59, "concurrent": 5, "max_body": 1000,
    });
    assert_eq!(shown["limits"], expected);
    assert_eq!(reply.header("ratelimit"), Some("\"token\";r=59;t=1"));
}

/// An upstream that sends a head and one byte of two, and waits for the channel before it sends the other.
async fn slow() -> (Behind, tokio::sync::watch::Sender<bool>) {
    let (go, went) = tokio::sync::watch::channel(false);
    let behind = Behind::new(move |_, mut stream| {
        let mut went = went.clone();
        async move {
            let begin = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no";
            stream.write_all(begin).await.ok()?;
            went.wait_for(|go| *go).await.ok()?;
            stream.write_all(b"k").await.ok()?;
            Some(stream)
        }
    })
    .await;
    (behind, go)
}

#[tokio::test]
async fn a_call_is_in_progress_until_its_response_has_ended_or_its_client_is_gone() {
    let (behind, go) = slow().await;
    let scene = Scene::with(behind.addr, &limited("concurrent = 2"), |_| {});
    let mut one = scene.connect().await;
    one.send(&request("GET /rest/a", "")).await;
    assert_eq!(one.head().await.0, 200);
    let mut two = scene.connect().await;
    two.send(&request("GET /rest/a", "")).await;
    assert_eq!(two.head().await.0, 200);
    let refused = scene.ask(&request("GET /rest/a", "")).await;
    assert_eq!(
        (refused.status, refused.reason().as_str()),
        (429, "concurrent-limit")
    );
    assert_eq!(refused.header("retry-after"), Some("1"));
    // The client of one goes away within the response: its place is free.
    drop(one);
    let free = async {
        loop {
            let mut next = scene.connect().await;
            next.send(&request("GET /rest/a", "")).await;
            if next.head().await.0 == 200 {
                return next;
            }
        }
    };
    let mut three = timeout(PATIENCE, free).await.expect("the place becomes free");
    assert_eq!(scene.ask(&request("GET /rest/a", "")).await.status, 429);
    // The others end.
    go.send(true).unwrap();
    for client in [&mut two, &mut three] {
        let mut body = [0; 2];
        timeout(
            PATIENCE,
            tokio::io::AsyncReadExt::read_exact(&mut client.0, &mut body),
        )
        .await
        .unwrap()
        .unwrap();
        assert_eq!(&body, b"ok");
    }
    timeout(PATIENCE, async {
        while scene.ask(&request("GET /rest/a", "")).await.status != 200 {}
    })
    .await
    .expect("all places become free");
}

#[tokio::test]
async fn a_call_whose_client_has_left_is_in_progress_until_the_upstream_responds() {
    for (keys, together) in [("concurrent = 3", None), ("", Some(3))] {
        let (go, went) = tokio::sync::watch::channel(false);
        let behind = Behind::new(move |_, mut stream| {
            let mut went = went.clone();
            async move {
                // It works on, whether its connection is closed or not.
                went.wait_for(|go| *go).await.ok()?;
                stream.write_all(OK.as_bytes()).await.ok()?;
                Some(stream)
            }
        })
        .await;
        let scene = Scene::with(behind.addr, &limited(keys), |config| {
            config.tokens.together.concurrent =
                together.and_then(tokenward_compiler::call_limits::CallLimits::count);
        });
        for number in 0..8 {
            let mut client = scene.connect().await;
            client.send(&request("GET /rest/a", "")).await;
            let sent = async {
                while behind.heads().len() <= number {
                    let answered = timeout(Duration::from_millis(2), client.0.readable()).await;
                    if answered.is_ok() {
                        break;
                    }
                }
            };
            timeout(PATIENCE, sent)
                .await
                .expect("the call is sent or refused");
            drop(client);
            scene.counted(&["tokenward_calls_in_flight 0"]).await;
        }
        assert_eq!(behind.heads().len(), 3, "of {keys:?}, {together:?}");
        go.send(true).unwrap();
        timeout(PATIENCE, async {
            while scene.ask(&request("GET /rest/a", "")).await.status != 200 {}
        })
        .await
        .expect("the upstream has responded to all, and their places are free");
        let entries = scene.audit_when(|entries| entries.len() > 8).await;
        assert_eq!(entries[0]["outcome"]["end"], "client-gone", "{}", entries[0]);
    }
}

#[tokio::test]
async fn a_revocation_closes_the_upstream_call_of_a_client_that_has_left() {
    let (closed, mut is_closed) = tokio::sync::watch::channel(false);
    let behind = Behind::new(move |_, mut stream| {
        let closed = closed.clone();
        async move {
            let _ = tokio::io::AsyncReadExt::read(&mut stream, &mut [0]).await;
            let _ = closed.send(true);
            None
        }
    })
    .await;
    let scene = Scene::with(behind.addr, &limited("concurrent = 1"), |_| {});
    let mut client = scene.connect().await;
    client.send(&request("GET /rest/a", "")).await;
    super::harness::until(|| behind.heads().len() == 1).await;
    drop(client);
    scene.counted(&["tokenward_calls_in_flight 0"]).await;
    assert!(!*is_closed.borrow());
    let file = scene.folder.path().join("policies/a.toml");
    replace_file(&file, limited("revoked = true"));
    timeout(PATIENCE, is_closed.wait_for(|closed| *closed))
        .await
        .expect("the upstream's connection is closed")
        .unwrap();
}

#[tokio::test]
async fn a_body_over_the_tokens_limit_is_refused_announced_or_not() {
    let behind = Behind::answering(OK).await;
    let scene = Scene::with(behind.addr, &limited("max_body = \"100KiB\""), |config| {
        config.limits.body_bytes = Some(1 << 20);
    });
    let post = |more: &str| request("POST /rest/a", &format!("Content-Type: text/plain\r\n{more}"));
    let announced = scene.ask(&post("Content-Length: 102401\r\n")).await;
    assert_eq!(
        (announced.status, announced.reason().as_str()),
        (413, "body-over-token-limit")
    );
    assert_eq!(behind.heads(), [""; 0]);
    // A chunked body is refused when it passes the limit, while it is sent upstream.
    let mut client = scene.connect().await;
    client.send(&post("Transfer-Encoding: chunked\r\n")).await;
    let chunk = format!("5000\r\n{}\r\n", "x".repeat(0x5000));
    for _ in 0..6 {
        client.send(&chunk).await;
    }
    let reply = client.reply().await;
    assert_eq!(
        (reply.status, reply.reason().as_str()),
        (413, "body-over-token-limit"),
        "{reply:?}"
    );
    // Exactly as much passes.
    let whole = format!("{}{}", post("Content-Length: 102400\r\n"), "x".repeat(102_400));
    assert_eq!(scene.ask(&whole).await.status, 200);
    let entries = scene.audit_when(|entries| entries.len() == 3).await;
    assert_eq!(entries[0]["reason"], "body-over-token-limit", "{entries:?}");
}

#[tokio::test]
async fn a_reload_keeps_what_a_token_has_used() {
    let behind = Behind::answering(OK).await;
    let scene = Scene::with(behind.addr, &limited("rate = \"2/1h\""), |_| {});
    let file = scene.folder.path().join("policies/a.toml");
    for _ in 0..2 {
        assert_eq!(scene.ask(&request("GET /rest/a", "")).await.status, 200);
    }
    let changed = |keys: &str| limited(&format!("owner = \"somebody\"\n{keys}"));
    replace_file(&file, changed("rate = \"2/1h\""));
    scene.counted(&["tokenward_policy_loads_total 2"]).await;
    assert_eq!(scene.ask(&request("GET /rest/a", "")).await.status, 429);
    // Another rate takes effect at once, and the two calls count towards it.
    replace_file(&file, changed("rate = \"3/1h\""));
    scene.counted(&["tokenward_policy_loads_total 3"]).await;
    let reply = scene.ask(&request("GET /rest/a", "")).await;
    assert_eq!(
        (reply.status, reply.header("ratelimit-policy")),
        (200, Some("\"token\";q=3;w=3600"))
    );
    assert_eq!(scene.ask(&request("GET /rest/a", "")).await.status, 429);
    replace_file(&file, changed(""));
    scene.counted(&["tokenward_policy_loads_total 4"]).await;
    let reply = scene.ask(&request("GET /rest/a", "")).await;
    assert_eq!((reply.status, reply.header("ratelimit")), (200, None));
}

#[tokio::test]
async fn a_renamed_or_rotated_token_gets_no_new_burst() {
    const OTHER: &str = "twd_another-secret-of-t";
    let behind = Behind::answering(OK).await;
    let scene = Scene::with(behind.addr, &limited("rate = \"2/1h\""), |_| {});
    let file = scene.folder.path().join("policies/a.toml");
    for _ in 0..2 {
        assert_eq!(scene.ask(&request("GET /rest/a", "")).await.status, 200);
    }
    let keys = "user = \"u\"\nrate = \"2/1h\"";
    let previous = hex::encode(tokenward_pdp::secret::hash(SECRET));
    let overlap = format!(
        "{keys}\nprevious_secret_hash = \"sha256:{previous}\"\nprevious_until = 2099-01-01T00:00:00Z"
    );
    let renamed = token("renamed", SECRET, keys, "/rest/.*");
    let rotated = token("renamed", OTHER, &overlap, "/rest/.*");
    let done = token("renamed", OTHER, keys, "/rest/.*");
    for (loads, secret, policy) in [(2, SECRET, renamed), (3, OTHER, rotated), (4, OTHER, done)] {
        replace_file(&file, policy);
        scene
            .counted(&[&format!("tokenward_policy_loads_total {loads}")])
            .await;
        let ask = request("GET /rest/a", "").replace(SECRET, secret);
        assert_eq!(scene.ask(&ask).await.status, 429, "load {loads}");
    }
    // Another token of the former name has a burst of its own.
    let policy = [
        token("t", "twd_a-secret-of-somebody", keys, "/rest/.*"),
        token("renamed", OTHER, keys, "/rest/.*"),
    ];
    replace_file(&file, policy.concat());
    scene.counted(&["tokenward_policy_loads_total 5"]).await;
    let ask = request("GET /rest/a", "").replace(SECRET, "twd_a-secret-of-somebody");
    assert_eq!(scene.ask(&ask).await.status, 200);
}

#[tokio::test]
async fn a_policy_beyond_the_configuration_is_not_served() {
    let behind = Behind::answering(OK).await;
    let scene = Scene::with(behind.addr, &limited("concurrent = 5"), |config| {
        config.tokens.limits.concurrent = tokenward_compiler::call_limits::CallLimits::count(5);
        config.tokens.max_lifetime = Some(std::time::Duration::from_secs(86_400 * 36_500));
    });
    let file = scene.folder.path().join("policies/a.toml");
    let longer = limited("").replace("2099-", "2199-");
    for (loads, policy, said) in [(1, limited("concurrent = 6"), "TW0404"), (2, longer, "TW0403")] {
        replace_file(&file, policy);
        let line = format!("tokenward_policy_loads_failed_total {loads}");
        scene.counted(&[&line]).await;
        let ready = scene.admin("/readyz").await.body;
        assert!(ready.contains(said), "{ready}");
    }
    assert_eq!(
        scene.ask(&request("GET /rest/a", "")).await.status,
        200,
        "the old policy stays"
    );
}
