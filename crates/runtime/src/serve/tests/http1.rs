//! The connection loop of HTTP/1: turns, slow and vanishing clients, old versions, and the proxy's own end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::harness::{Behind, PATIENCE, SECRET, Scene, field, replace_file, request, token, until};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// The request in the words of HTTP/1.0.
fn old(line: &str, more: &str) -> String {
    request(line, more).replace("HTTP/1.1", "HTTP/1.0")
}

/// An upstream that answers when it is let.
async fn held(answer: &'static str) -> (Behind, Arc<Semaphore>) {
    let go = Arc::new(Semaphore::new(0));
    let wait = Arc::clone(&go);
    let behind = Behind::new(move |_, mut stream| {
        let wait = Arc::clone(&wait);
        async move {
            wait.acquire().await.unwrap().forget();
            stream.write_all(answer.as_bytes()).await.unwrap();
            Some(stream)
        }
    })
    .await;
    (behind, go)
}

/// An upstream that sends this, and then nothing until its connection ends.
async fn stalling(answer: &'static str) -> (Behind, Arc<AtomicU64>) {
    let ended = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&ended);
    let behind = Behind::new(move |_, mut stream: TcpStream| {
        let counter = Arc::clone(&counter);
        async move {
            stream.write_all(answer.as_bytes()).await.unwrap();
            let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
            counter.fetch_add(1, Ordering::SeqCst);
            None
        }
    })
    .await;
    (behind, ended)
}

async fn read_some(stream: &mut TcpStream, until: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let there = async {
        while !bytes.ends_with(until) {
            assert_ne!(stream.read_buf(&mut bytes).await.unwrap(), 0, "{bytes:?}");
        }
    };
    timeout(PATIENCE, there).await.expect("it comes in time");
    bytes
}

#[tokio::test]
async fn a_pipelined_request_waits_until_the_answer_before_it_is_complete() {
    let (behind, go) = held(OK).await;
    let scene = Scene::new(behind.addr, "/rest/.*");
    let mut client = scene.connect().await;
    let all = [
        request("POST /rest/one", "Content-Length: 5\r\n") + "hello",
        request("POST /rest/two", "Transfer-Encoding: chunked\r\n") + "1\r\na\r\n0\r\n\r\n",
        old("GET /rest/three", ""),
        request("GET /rest/never", ""),
    ];
    client.send(&all.concat()).await;
    for done in 1..=3 {
        until(|| behind.heads().len() == done).await;
        go.add_permits(1);
        let reply = client.reply().await;
        assert_eq!((reply.status, reply.body.as_str()), (200, "ok"));
        let version = if done == 3 { "HTTP/1.0 200" } else { "HTTP/1.1 200" };
        assert!(reply.head.starts_with(version), "{reply:?}");
    }
    assert_eq!(
        client.end().await.unwrap(),
        b"",
        "nothing is answered after the last"
    );
    assert_eq!(behind.heads().len(), 3);
}

#[tokio::test]
async fn a_slow_reader_gets_all_of_it() {
    const SIZE: usize = 3 << 20;
    for framing in [format!("Content-Length: {SIZE}"), "Connection: close".to_owned()] {
        let behind = Behind::new(move |_, mut stream| {
            let framing = framing.clone();
            async move {
                let head = format!("HTTP/1.1 200 OK\r\n{framing}\r\n\r\n");
                stream.write_all(head.as_bytes()).await.unwrap();
                let body: Vec<u8> = (0..SIZE)
                    .map(|at| b'a' + u8::try_from(at % 23).unwrap())
                    .collect();
                stream.write_all(&body).await.unwrap();
                None
            }
        })
        .await;
        let scene = Scene::new(behind.addr, "/rest/.*");
        let mut client = scene.connect().await;
        client
            .send(&request("GET /rest/a", "Connection: close\r\n"))
            .await;
        let mut bytes = Vec::new();
        let mut piece = vec![0; 10_000];
        loop {
            let read = client.0.read(&mut piece).await.unwrap();
            if read == 0 {
                break;
            }
            bytes.extend_from_slice(&piece[..read]);
            tokio::task::yield_now().await;
        }
        let head = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
        let head_text = String::from_utf8(bytes[..head].to_vec()).unwrap();
        let mut body = &bytes[head..];
        let mut decoded = Vec::new();
        if field(&head_text, "transfer-encoding").is_some() {
            while let Some(end) = body.windows(2).position(|two| two == b"\r\n") {
                let size = std::str::from_utf8(&body[..end]).unwrap();
                let size = usize::from_str_radix(size, 16).unwrap();
                decoded.extend_from_slice(&body[end + 2..end + 2 + size]);
                body = &body[end + 4 + size..];
            }
        } else {
            decoded.extend_from_slice(body);
        }
        assert_eq!(decoded.len(), SIZE);
        assert!(
            decoded
                .iter()
                .enumerate()
                .all(|(at, byte)| usize::from(*byte - b'a') == at % 23)
        );
        assert_eq!(scene.only_entry().await["outcome"]["end"], "complete");
    }
}

#[tokio::test]
async fn a_client_that_takes_nothing_is_given_up_in_time() {
    let closed = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&closed);
    let behind = Behind::new(move |_, mut stream| {
        let counter = Arc::clone(&counter);
        async move {
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
            while stream.write_all(&[b'x'; 65536]).await.is_ok() {}
            counter.store(1, Ordering::SeqCst);
            None
        }
    })
    .await;
    let policy = token("t", SECRET, "user = \"u\"", "/rest/.*");
    let scene = Scene::with(behind.addr, &policy, |config| {
        config.limits.body_timeout = Duration::from_millis(300);
    });
    let mut client = scene.connect().await;
    // The end of the connection is the end of the body: a clean one would make the part a whole.
    client.send(&old("GET /rest/a", "")).await;
    until(|| closed.load(Ordering::SeqCst) == 1).await;
    let end = client.end().await;
    assert!(
        end.is_err(),
        "a reset, not {} bytes",
        end.map_or(0, |bytes| bytes.len())
    );
    assert_eq!(scene.only_entry().await["outcome"]["end"], "timeout");
}

#[tokio::test]
async fn a_client_that_goes_away_within_its_upload_ends_it_upstream() {
    for (framing, begun) in [
        ("Content-Length: 1000000\r\n", "x".repeat(200_000)),
        (
            "Transfer-Encoding: chunked\r\n",
            format!("{:x}\r\n{}", 300_000, "x".repeat(200_000)),
        ),
    ] {
        let (behind, ended) = stalling("").await;
        let scene = Scene::new(behind.addr, "/rest/.*");
        let mut client = scene.connect().await;
        client.send(&(request("POST /rest/a", framing) + &begun)).await;
        until(|| behind.heads().len() == 1).await;
        assert_eq!(ended.load(Ordering::SeqCst), 0);
        drop(client);
        until(|| ended.load(Ordering::SeqCst) == 1).await;
        assert_eq!(scene.only_entry().await["outcome"]["end"], "client-gone");
    }
}

#[tokio::test]
async fn an_http_1_0_answer_that_is_cut_ends_in_a_reset() {
    let (behind, ended) = stalling("HTTP/1.1 200 OK\r\n\r\nthe begin").await;
    let scene = Scene::new(behind.addr, "/rest/.*");
    let mut client = scene.connect().await;
    client.send(&old("GET /rest/a", "")).await;
    let begun = read_some(&mut client.0, b"the begin").await;
    let head = String::from_utf8(begun).unwrap();
    assert!(head.starts_with("HTTP/1.0 200 OK\r\n"), "{head}");
    assert_eq!(
        (field(&head, "transfer-encoding"), field(&head, "content-length")),
        (None, None)
    );
    let revoked = token("t", SECRET, "user = \"u\"\nrevoked = true", "/rest/.*");
    replace_file(scene.folder.path().join("policies/a.toml"), revoked);
    assert!(client.end().await.is_err(), "a reset");
    until(|| ended.load(Ordering::SeqCst) == 1).await;
    assert_eq!(scene.only_entry().await["outcome"]["end"], "revoked");
}

#[tokio::test]
async fn a_client_that_closes_its_side_gets_no_part_for_the_whole() {
    let (behind, ended) = stalling("HTTP/1.1 200 OK\r\n\r\nthe begin").await;
    let scene = Scene::new(behind.addr, "/rest/.*");
    let mut client = scene.connect().await;
    client.send(&old("GET /rest/a", "")).await;
    read_some(&mut client.0, b"the begin").await;
    client.0.shutdown().await.unwrap();
    assert!(client.end().await.is_err(), "a reset");
    until(|| ended.load(Ordering::SeqCst) == 1).await;
    assert_eq!(scene.only_entry().await["outcome"]["end"], "client-gone");
}

#[tokio::test]
async fn http_1_0_keeps_a_connection_where_both_say_so() {
    let behind = Behind::answering(OK).await;
    let scene = Scene::new(behind.addr, "/rest/.*");
    let mut client = scene.connect().await;
    for _ in 0..2 {
        client
            .send(&old("GET /rest/a", "Connection: keep-alive\r\n"))
            .await;
        let reply = client.reply().await;
        assert!(reply.head.starts_with("HTTP/1.0 200"), "{reply:?}");
        assert_eq!(
            (reply.header("connection"), reply.body.as_str()),
            (Some("keep-alive"), "ok")
        );
    }
    client.send(&old("GET /rest/a", "")).await;
    assert_eq!(client.reply().await.header("connection"), None);
    assert_eq!(client.end().await.unwrap(), b"");
}

#[tokio::test]
async fn a_body_that_comes_though_it_was_not_asked_for_is_no_request() {
    let behind = Behind::answering(OK).await;
    let scene = Scene::new(behind.addr, "/rest/ok");
    let smuggled = request("GET /rest/ok", "");
    let head = format!("Content-Length: {}\r\nExpect: 100-continue\r\n", smuggled.len());
    let mut client = scene.connect().await;
    client.send(&request("POST /rest/no", &head)).await;
    let reply = client.reply().await;
    assert_eq!((reply.status, reply.reason().as_str()), (403, "no-line"));
    assert_eq!(reply.header("connection"), Some("close"));
    client.send(&smuggled).await;
    assert_eq!(
        client.end().await.unwrap(),
        b"",
        "an end, and no reset that takes the answer away"
    );
    assert_eq!(behind.connections(), 0);
}

#[tokio::test]
async fn what_a_refused_request_still_sends_is_read_if_it_is_little() {
    let behind = Behind::answering(OK).await;
    let scene = Scene::new(behind.addr, "/rest/ok");
    for (length, kept) in [(60_000, true), (70_000, false)] {
        let mut client = scene.connect().await;
        client
            .send(&request(
                "POST /rest/no",
                &format!("Content-Length: {length}\r\n"),
            ))
            .await;
        let reply = client.reply().await;
        let expected = if kept { None } else { Some("close") };
        assert_eq!(
            (reply.status, reply.header("connection")),
            (403, expected),
            "{length}"
        );
        client.send(&"x".repeat(length)).await;
        if kept {
            client.send(&request("GET /rest/ok", "")).await;
            assert_eq!(client.reply().await.body, "ok");
        } else {
            client.0.shutdown().await.unwrap();
            assert_eq!(client.end().await.unwrap(), b"");
        }
    }
}

#[tokio::test]
async fn odd_but_legal_fields_of_the_upstream_pass_as_they_are() {
    let odd: [&[u8]; 7] = [
        b"x-empty:",
        b"x-obs-text: caf\xe9 \xff\x80",
        b"x-tab: a\tb",
        b"x!#$%&'*+-.^_`|~9: token",
        b"x-many: 1",
        b"x-many: 2, 3",
        b"x-colons: a: b:: \"c\"",
    ];
    let long = format!("x-long: {}", "y".repeat(20_000));
    let mut answer = b"HTTP/1.1 200 Fine By Me\r\nConnection: keep-alive, x-hop\r\nx-hop: 1\r\nKeep-Alive: timeout=9\r\nContent-Length: 2\r\n".to_vec();
    for line in odd.into_iter().chain([long.as_bytes()]) {
        answer.extend_from_slice(line);
        answer.extend_from_slice(b"\r\n");
    }
    answer.extend_from_slice(b"\r\nok");
    let behind = Behind::new(move |_, mut stream| {
        let answer = answer.clone();
        async move {
            stream.write_all(&answer).await.unwrap();
            Some(stream)
        }
    })
    .await;
    let scene = Scene::new(behind.addr, "/rest/.*");
    let mut client = scene.connect().await;
    client.send(&request("GET /rest/a", "")).await;
    let bytes = read_some(&mut client.0, b"\r\n\r\nok").await;
    let lines: Vec<&[u8]> = bytes
        .split(|byte| *byte == b'\n')
        .map(|line| line.trim_ascii_end())
        .collect();
    assert_eq!(lines[0], b"HTTP/1.1 200 OK");
    for line in odd.into_iter().chain([long.as_bytes()]) {
        assert!(lines.contains(&line), "{:?}", String::from_utf8_lossy(line));
    }
    let count = |name: &[u8]| {
        let named = lines
            .iter()
            .filter(|line| line.to_ascii_lowercase().starts_with(name));
        named.count()
    };
    let counts = [
        &b"content-length:"[..],
        b"connection:",
        b"keep-alive:",
        b"x-hop:",
        b"date:",
        b"x-many:",
    ];
    assert_eq!(counts.map(count), [1, 0, 0, 0, 1, 2]);
}

#[tokio::test]
async fn a_stopping_proxy_ends_what_is_idle_and_finishes_what_is_not() {
    let (behind, go) = held(OK).await;
    let mut scene = Scene::new(behind.addr, "/rest/.*");
    let (mut idle, mut used, mut busy) = (
        scene.connect().await,
        scene.connect().await,
        scene.connect().await,
    );
    used.send(&request("GET /rest/no-answer-yet", "").replace("/rest/no-answer-yet", "/elsewhere"))
        .await;
    assert_eq!(used.reply().await.status, 404);
    busy.send(&request("GET /rest/a", "")).await;
    until(|| behind.heads().len() == 1).await;
    let running = scene.running.take().unwrap();
    let began = Instant::now();
    let stopping = tokio::task::spawn_blocking(move || running.stop());
    assert_eq!(idle.end().await.unwrap(), b"");
    assert_eq!(used.end().await.unwrap(), b"");
    go.add_permits(1);
    let reply = busy.reply().await;
    assert_eq!(
        (reply.body.as_str(), reply.header("connection")),
        ("ok", Some("close"))
    );
    assert_eq!(busy.end().await.unwrap(), b"");
    stopping.await.unwrap().unwrap();
    assert!(began.elapsed() < PATIENCE, "{:?}", began.elapsed());
}
