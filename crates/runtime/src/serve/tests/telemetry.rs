//! Spans that reach a collector.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::harness::{self, Behind, SECRET, Scene, field, token, until};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
/// As long as real ones: shorter ones are no secrets, and are not looked for.
const LONG: &str = "twd_0123456789abcdefghijklmnopqrstuvwxyz01";
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// A collector that keeps what it is sent, and answers with this.
async fn collector(answer: &'static str) -> (Behind, Arc<Mutex<Vec<u8>>>) {
    let kept = Arc::new(Mutex::new(Vec::new()));
    let keeping = Arc::clone(&kept);
    let behind = Behind::new(move |head, mut stream| {
        let keeping = Arc::clone(&keeping);
        async move {
            let length = field(&head, "content-length").map_or(0, |length| length.parse().unwrap());
            let mut body = vec![0; length];
            stream.read_exact(&mut body).await.unwrap();
            keeping.lock().unwrap().extend(body);
            stream.write_all(answer.as_bytes()).await.unwrap();
            Some(stream)
        }
    })
    .await;
    (behind, kept)
}

fn scene(behind: &Behind, collector: Option<&Behind>) -> Scene {
    let policy = token("t", LONG, "user = \"u\"", "/rest/.*");
    Scene::with(behind.addr, &policy, |config| {
        config.telemetry.otlp_endpoint =
            collector.map(|collector| format!("http://{}/v1/traces", collector.addr));
    })
}

fn request(line: &str, more: &str) -> String {
    harness::request(line, more).replace(SECRET, LONG)
}

fn has(kept: &Mutex<Vec<u8>>, text: &[u8]) -> bool {
    kept.lock()
        .unwrap()
        .windows(text.len())
        .any(|window| window == text)
}

#[tokio::test]
async fn each_call_has_a_span_with_the_names_of_the_audit_and_no_secret() {
    let behind = Behind::answering(OK).await;
    let (collector, kept) = collector("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    let scene = scene(&behind, Some(&collector));
    let traced = format!("traceparent: 00-{TRACE}-00f067aa0ba902b7-01\r\nX-Note: {LONG}\r\n");
    assert_eq!(scene.ask(&request("GET /rest/a", &traced)).await.status, 200);
    let refused = scene
        .ask(&request(&format!("GET /rest/{LONG}?private_token={LONG}"), ""))
        .await;
    assert_eq!(refused.status, 400);
    let stranger = request("GET /rest/b", "").replace(LONG, "twd_of_a_stranger_0123456789");
    assert_eq!(scene.ask(&stranger).await.status, 401);
    until(|| has(&kept, b"/rest/a") && has(&kept, b"secret-in-url") && has(&kept, b"unknown-token")).await;
    let head = collector.heads()[0].clone();
    assert!(head.starts_with("POST /v1/traces HTTP/1.1\r\n"), "{head}");
    assert_eq!(field(&head, "content-type"), Some("application/x-protobuf"));
    for text in [
        &b"tokenward.token"[..],
        b"user.name",
        b"allowed",
        b"service.name",
        b"http.response.status_code",
        &hex::decode(TRACE).unwrap(),
        // The caller's place, and the call's own, of which the upstream was told.
        &hex::decode("00f067aa0ba902b7").unwrap(),
    ] {
        assert!(has(&kept, text), "{}", text.escape_ascii());
    }
    let upstream = behind.heads()[0].clone();
    let parent = field(&upstream, "traceparent").unwrap();
    let own = parent.split('-').nth(2).unwrap();
    assert!(has(&kept, &hex::decode(own).unwrap()), "{parent}");
    for secret in [LONG, "twd_of_a_stranger"] {
        assert!(!has(&kept, secret.as_bytes()), "{secret} is in a span");
    }
}

#[tokio::test]
async fn what_is_not_sampled_is_not_sent_and_a_new_trace_is() {
    let behind = Behind::answering(OK).await;
    let (collector, kept) = collector("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    let scene = scene(&behind, Some(&collector));
    let unsampled = format!("traceparent: 00-{TRACE}-00f067aa0ba902b7-00\r\n");
    assert_eq!(
        scene.ask(&request("GET /rest/left-out", &unsampled)).await.status,
        200
    );
    assert_eq!(scene.ask(&request("GET /rest/kept", "")).await.status, 200);
    until(|| has(&kept, b"/rest/kept")).await;
    assert!(!has(&kept, b"/rest/left-out"));
    assert!(field(&behind.heads()[1], "traceparent").unwrap().ends_with("-01"));
}

#[tokio::test]
async fn a_collector_that_fails_holds_up_no_call() {
    let behind = Behind::answering(OK).await;
    let (collector, kept) = collector("HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n").await;
    let scene = scene(&behind, Some(&collector));
    for _ in 0..3 {
        assert_eq!(scene.ask(&request("GET /rest/a", "")).await.status, 200);
    }
    until(|| has(&kept, b"/rest/a")).await;
    // Nobody listens there: the end of the proxy waits for it no longer than it must.
    let gone = self::scene(&behind, Some(&collector));
    drop(collector);
    assert_eq!(gone.ask(&request("GET /rest/a", "")).await.status, 200);
}

#[tokio::test]
async fn nothing_is_sent_unless_a_collector_is_named() {
    let behind = Behind::answering(OK).await;
    let scene = scene(&behind, None);
    assert_eq!(scene.ask(&request("GET /rest/a", "")).await.status, 200);
    assert!(field(&behind.heads()[0], "traceparent").unwrap().ends_with("-00"));
}
