//! What one client of HTTP/2 can use up by many streams.

use std::time::Duration;

use bytes::Bytes;
use h2::client::{Builder, Connection, SendRequest};
use h2::{Reason, RecvStream};
use http::{Request, Response};
use tokenward_pdp::config::Config;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;

use super::harness::{Behind, PATIENCE, SECRET, Scene, token, until};
use super::tls::{Authority, connect};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const OTHER: &str = "twd_secret-of-o";

fn policy() -> String {
    [
        token("t", SECRET, "user = \"u\"", "/rest/.*"),
        token("o", OTHER, "user = \"u\"", "/rest/.*"),
    ]
    .concat()
}

fn scene(
    authority: &Authority,
    upstream: &Behind,
    change: impl FnOnce(&mut Config),
) -> (Scene, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let files = authority.files(folder.path(), "localhost");
    let scene = Scene::with(upstream.addr, &policy(), |config| {
        config.server.tls = Some(files);
        change(config);
    });
    (scene, folder)
}

type Client = (SendRequest<Bytes>, Connection<TlsStream<TcpStream>, Bytes>);

/// A client whose windows for each stream, and for the connection, have this size at first.
async fn client(scene: &Scene, authority: &Authority, window: u32) -> Client {
    let stream = connect(scene, authority.client(&[b"h2"]), "localhost")
        .await
        .unwrap();
    Builder::new()
        .initial_window_size(window)
        .initial_connection_window_size(window.max(65_535))
        .handshake(stream)
        .await
        .unwrap()
}

fn request(path: &str, secret: &str) -> Request<()> {
    Request::builder()
        .uri(format!("https://localhost{path}"))
        .header("authorization", format!("Bearer {secret}"))
        .body(())
        .unwrap()
}

async fn body(answer: Response<RecvStream>) -> Result<Vec<u8>, h2::Error> {
    let mut stream = answer.into_body();
    let mut whole = Vec::new();
    while let Some(data) = timeout(PATIENCE, stream.data()).await.expect("data in time") {
        whole.extend(data?);
    }
    Ok(whole)
}

/// An upstream that answers calls below `/rest/free` only.
async fn silent() -> Behind {
    Behind::new(|head, mut stream| async move {
        if !head.contains(" /rest/free") {
            std::future::pending::<()>().await;
        }
        stream.write_all(OK.as_bytes()).await.unwrap();
        Some(stream)
    })
    .await
}

#[tokio::test]
async fn one_token_cannot_have_all_calls_in_progress() {
    let upstream = silent().await;
    let authority = Authority::new();
    let (scene, _folder) = scene(&authority, &upstream, |config| {
        config.limits.max_calls = Some(32);
    });
    let (mut sender, connection) = client(&scene, &authority, 65_535).await;
    let connection = tokio::spawn(connection);
    let mut answers: Vec<_> = (0..40)
        .map(|_| {
            sender
                .send_request(request("/rest/slow", SECRET), true)
                .unwrap()
                .0
        })
        .collect();
    for refused in answers.split_off(16) {
        let refused = timeout(PATIENCE, refused)
            .await
            .expect("a refusal in time")
            .unwrap();
        assert_eq!(refused.status(), 503);
        assert_eq!(refused.headers()["retry-after"], "5");
        let problem: serde_json::Value = serde_json::from_slice(&body(refused).await.unwrap()).unwrap();
        assert_eq!(problem["reason"], "call-budget");
    }
    // Refusals do not wait for the connections to the upstream, on which the others arrive.
    until(|| upstream.heads().len() >= 16).await;
    // Another token's calls go on, from the same address and on the same connection.
    let answer = sender.send_request(request("/rest/free", OTHER), true).unwrap().0;
    let answer = timeout(PATIENCE, answer)
        .await
        .expect("an answer in time")
        .unwrap();
    assert_eq!(answer.status(), 200);
    // When its calls end, the token has room again.
    connection.abort();
    drop(answers);
    scene.counted(&["tokenward_calls_in_flight 0"]).await;
    let (mut sender, connection) = client(&scene, &authority, 65_535).await;
    tokio::spawn(connection);
    let answer = sender
        .send_request(request("/rest/free", SECRET), true)
        .unwrap()
        .0;
    assert_eq!(answer.await.unwrap().status(), 200);
    let entries = scene.audit_when(|entries| entries.len() == 42).await;
    let refused = entries.iter().filter(|entry| entry["reason"] == "call-budget");
    assert_eq!(refused.count(), 24);
    // All of them, with the two that were answered: nothing that was refused arrived.
    assert_eq!(upstream.heads().len(), 18);
}

#[tokio::test]
async fn strangers_who_take_no_answer_hold_few_places() {
    let upstream = silent().await;
    let authority = Authority::new();
    let (scene, _folder) = scene(&authority, &upstream, |config| {
        config.limits.max_calls = Some(16);
        config.auth.throttling.attempts = 0;
    });
    // Without a window no body can be sent.
    let (mut sender, connection) = client(&scene, &authority, 0).await;
    let without_window = tokio::spawn(connection);
    let mut waiting = Vec::new();
    let mut refused = 0;
    for _ in 0..20 {
        let answer = sender
            .send_request(request("/rest/free", "guess"), true)
            .unwrap()
            .0;
        match timeout(PATIENCE, answer).await.expect("an end in time") {
            Ok(answer) => {
                assert_eq!(answer.status(), 401);
                waiting.push(answer);
            }
            Err(error) => {
                assert_eq!(error.reason(), Some(Reason::REFUSED_STREAM));
                refused += 1;
            }
        }
    }
    assert_eq!((waiting.len(), refused), (2, 18));
    let (mut sender, connection) = client(&scene, &authority, 65_535).await;
    tokio::spawn(connection);
    let answer = sender
        .send_request(request("/rest/free", SECRET), true)
        .unwrap()
        .0;
    let answer = timeout(PATIENCE, answer)
        .await
        .expect("an answer in time")
        .unwrap();
    assert_eq!(answer.status(), 200);
    without_window.abort();
}

/// An upstream whose answers have so many bytes, with this head.
async fn large(fields: String, bytes: usize) -> Behind {
    Behind::new(move |_, mut stream| {
        let head = format!("HTTP/1.1 200 OK\r\n{fields}\r\n\r\n");
        async move {
            let _ = stream.write_all(head.as_bytes()).await;
            let piece = vec![b'x'; bytes.min(64 * 1024)];
            let mut left = bytes;
            while left > 0 && stream.write_all(&piece[..left.min(piece.len())]).await.is_ok() {
                left = left.saturating_sub(piece.len());
            }
            None
        }
    })
    .await
}

/// Bytes of responses that the proxy keeps, as the metrics count them.
async fn held_bytes(scene: &Scene) -> usize {
    let metrics = scene.admin("/metrics").await.body;
    let held = metrics
        .lines()
        .find_map(|line| line.strip_prefix("tokenward_answers_held_bytes "));
    held.unwrap_or_else(|| panic!("{metrics}")).parse().unwrap()
}

#[tokio::test]
async fn clients_that_take_nothing_hold_little() {
    const STREAMS: usize = 20;
    // More than the kernel takes for a socket that nobody reads: a response that it has taken whole has ended.
    const BYTES: usize = 64 << 20;
    // One gives no window at all, the other a large one and reads nothing from its socket.
    for window in [0, 1 << 30] {
        let upstream = large(format!("Content-Length: {BYTES}"), BYTES).await;
        let authority = Authority::new();
        let (scene, _folder) = scene(&authority, &upstream, |config| {
            config.limits.body_timeout = Duration::from_secs(2);
        });
        let (mut sender, connection) = client(&scene, &authority, window).await;
        let answers: Vec<_> = (0..STREAMS)
            .map(|_| sender.send_request(request("/rest/a", SECRET), true).unwrap().0)
            .collect();
        let mut connection = Box::pin(connection);
        tokio::select! {
            _ = &mut connection => panic!("the connection ended"),
            () = until(|| upstream.heads().len() == STREAMS) => {}
        }
        // Meanwhile the client does nothing. A response has at most one piece of 64 KiB more than what has room.
        let mut most = 0;
        let ended = format!("tokenward_slow_readers_total {STREAMS}");
        timeout(PATIENCE, async {
            while !scene.admin("/metrics").await.body.contains(&ended) {
                most = most.max(held_bytes(&scene).await);
            }
        })
        .await
        .expect("the streams are given up");
        assert!(
            (1..=640 * 1024).contains(&most),
            "{most} bytes with a window of {window}"
        );
        scene.counted(&["tokenward_answers_held_bytes 0"]).await;
        drop((answers, connection));
    }
}

#[tokio::test]
async fn a_response_that_fits_the_window_exactly_ends() {
    const BYTES: usize = 65_535;
    for fields in [
        format!("Content-Length: {BYTES}"),
        // To the end of the connection: the proxy learns by reading on that there is no more.
        "Connection: close".to_owned(),
    ] {
        let upstream = large(fields, BYTES).await;
        let authority = Authority::new();
        let (scene, _folder) = scene(&authority, &upstream, |_| {});
        // Its windows are never extended.
        let (mut sender, connection) = client(&scene, &authority, 65_535).await;
        tokio::spawn(connection);
        let answer = sender.send_request(request("/rest/a", SECRET), true).unwrap().0;
        let answer = timeout(PATIENCE, answer)
            .await
            .expect("an answer in time")
            .unwrap();
        assert_eq!(body(answer).await.unwrap().len(), BYTES);
        assert_eq!(scene.only_entry().await["outcome"]["end"], "complete");
    }
}
