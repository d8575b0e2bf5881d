//! Large, slow and broken bodies.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::harness::{Behind, PATIENCE, SECRET, Scene, field, request, token, until};

const HUGE: u64 = 1 << 40;

#[tokio::test]
async fn an_upload_waits_for_an_upstream_that_does_not_read() {
    let behind = Behind::new(|_, stream| async move {
        std::future::pending::<()>().await;
        Some(stream)
    })
    .await;
    let scene = Scene::new(behind.addr, "/rest/.*");
    let mut client = scene.connect().await;
    // Its end is a reset: a clean one would queue behind what nobody reads, and be unknown to the proxy.
    client.0.set_zero_linger().unwrap();
    client
        .send(&request("POST /rest/a", &format!("Content-Length: {HUGE}\r\n")))
        .await;
    let sent = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&sent);
    let upload = tokio::spawn(async move {
        loop {
            counter.fetch_add(
                client.0.write(&[7; 65536]).await.unwrap() as u64,
                Ordering::SeqCst,
            );
        }
    });
    // It stalls: what is between client and upstream is the sockets' buffers and ours, which are bounded.
    let mut before = u64::MAX;
    timeout(PATIENCE, async {
        while before != sent.load(Ordering::SeqCst) {
            before = sent.load(Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(150)).await;
        }
    })
    .await
    .expect("the client's sending comes to a halt");
    assert!(before > 100_000 && before < 64 << 20, "{before} bytes were taken");
    upload.abort();
    let entry = scene.only_entry().await;
    assert_eq!(entry["outcome"]["end"], "client-gone");
}

#[tokio::test]
async fn a_download_waits_for_a_client_that_does_not_read() {
    let sent = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&sent);
    let behind = Behind::new(move |_, mut stream| {
        let counter = Arc::clone(&counter);
        async move {
            stream
                .write_all(format!("HTTP/1.1 200 OK\r\nContent-Length: {HUGE}\r\n\r\n").as_bytes())
                .await
                .unwrap();
            while let Ok(bytes) = stream.write(&[7; 65536]).await {
                counter.fetch_add(bytes as u64, Ordering::SeqCst);
            }
            counter.store(u64::MAX, Ordering::SeqCst);
            None
        }
    })
    .await;
    let scene = Scene::new(behind.addr, "/rest/.*");
    let mut client = scene.connect().await;
    client.send(&request("GET /rest/a", "")).await;
    let (_, head) = client.head().await;
    assert_eq!(field(&head, "content-length"), Some(HUGE.to_string().as_str()));
    let mut before = u64::MAX;
    timeout(PATIENCE, async {
        while before != sent.load(Ordering::SeqCst) {
            before = sent.load(Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(150)).await;
        }
    })
    .await
    .expect("the upstream's sending comes to a halt");
    assert!(before < 64 << 20, "{before} bytes were taken");
    drop(client);
    until(|| sent.load(Ordering::SeqCst) == u64::MAX).await;
    assert_eq!(scene.only_entry().await["outcome"]["end"], "client-gone");
}

#[tokio::test]
async fn bodies_pass_unchanged_both_ways_whatever_their_framing() {
    let behind = Behind::new(|head, mut stream| async move {
        let mut body = Vec::new();
        if let Some(length) = field(&head, "content-length") {
            body.resize(length.parse().unwrap(), 0);
            stream.read_exact(&mut body).await.unwrap();
        } else {
            assert_eq!(field(&head, "transfer-encoding"), Some("chunked"));
            while !body.ends_with(b"\r\n0\r\n\r\n") {
                stream.read_buf(&mut body).await.unwrap();
            }
            body = body.iter().copied().filter(|byte| *byte == b'x').collect();
        }
        stream
            .write_all(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len()).as_bytes())
            .await
            .unwrap();
        stream.write_all(&body).await.unwrap();
        Some(stream)
    })
    .await;
    let scene = Scene::new(behind.addr, "/rest/.*");
    let mut client = scene.connect().await;
    for size in [0, 1, 65_535, 65_536, 65_537, 1_000_000] {
        let body = "x".repeat(size);
        client
            .send(&(request("POST /rest/a", &format!("Content-Length: {size}\r\n")) + &body))
            .await;
        assert_eq!(client.reply().await.body, body, "{size}");
        let mut chunks = request("POST /rest/a", "Transfer-Encoding: chunked\r\n");
        for chunk in body.as_bytes().chunks(50_000) {
            chunks.push_str(&format!(
                "{:x}\r\n{}\r\n",
                chunk.len(),
                String::from_utf8_lossy(chunk)
            ));
        }
        client.send(&(chunks + "0\r\nX-Trailer: 1\r\n\r\n")).await;
        assert_eq!(client.reply().await.body, body, "{size} in chunks");
    }
    // A small body is known whole, so its length goes along.
    assert_eq!(field(&behind.heads()[3], "content-length"), Some("1"));
}

#[tokio::test]
async fn a_small_body_that_is_malformed_or_short_never_starts_a_call() {
    let behind = Behind::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    let policy = token("t", SECRET, "user = \"u\"", "/rest/.*");
    let scene = Scene::with(behind.addr, &policy, |config| {
        config.limits.body_timeout = Duration::from_millis(50)
    });
    let chunked = request("POST /rest/a", "Transfer-Encoding: chunked\r\n");
    for (request, status, reason) in [
        (chunked.clone() + "5\r\nhelloX", 400, "chunk-end"),
        (
            chunked.clone() + "5;a=b\r\nhello\r\n0\r\n\r\n",
            400,
            "chunk-extension",
        ),
        (chunked + "5\r\nhello\r\n", 408, "body-timeout"),
        (
            request("POST /rest/a", "Content-Length: 6\r\n") + "hello",
            408,
            "body-timeout",
        ),
    ] {
        let mut client = scene.connect().await;
        client.send(&request).await;
        let reply = client.reply().await;
        assert_eq!((reply.status, reply.reason().as_str()), (status, reason));
        assert_eq!(reply.header("connection"), Some("close"));
        assert_eq!(client.end().await.unwrap(), b"");
    }
    assert_eq!(behind.connections(), 0);
}

#[tokio::test]
async fn a_large_body_that_breaks_is_never_completed_upstream() {
    let ended = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&ended);
    let behind = Behind::new(move |_, mut stream| {
        let counter = Arc::clone(&counter);
        async move {
            let mut body = Vec::new();
            let _ = stream.read_to_end(&mut body).await;
            assert!(!body.ends_with(b"0\r\n\r\n"));
            counter.store(body.len() as u64, Ordering::SeqCst);
            None
        }
    })
    .await;
    let scene = Scene::new(behind.addr, "/rest/.*");
    let mut client = scene.connect().await;
    let start = request("POST /rest/a", "Transfer-Encoding: chunked\r\n")
        + &format!("{:x}\r\n{}\r\n", 200_000, "x".repeat(200_000));
    client.send(&start).await;
    until(|| behind.heads().len() == 1).await;
    client.send("nonsense\r\n").await;
    let reply = client.reply().await;
    assert_eq!((reply.status, reply.reason().as_str()), (400, "chunk-size"));
    until(|| ended.load(Ordering::SeqCst) > 0).await;
    assert_eq!(scene.only_entry().await["outcome"]["status"], 400);
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_by_its_length_or_where_it_exceeds_it() {
    let ended = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&ended);
    let behind = Behind::new(move |_, mut stream| {
        let counter = Arc::clone(&counter);
        async move {
            let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
            counter.fetch_add(1, Ordering::SeqCst);
            None
        }
    })
    .await;
    let policy = token("t", SECRET, "user = \"u\"", "/rest/.*");
    let scene = Scene::with(behind.addr, &policy, |config| {
        config.limits.body_bytes = Some(200_000);
    });
    let mut client = scene.connect().await;
    client
        .send(&request("POST /rest/a", "Content-Length: 200001\r\n"))
        .await;
    let reply = client.reply().await;
    assert_eq!((reply.status, reply.reason().as_str()), (413, "body-over-limit"));
    assert_eq!(behind.connections(), 0);

    let mut client = scene.connect().await;
    let chunk = |length: usize| format!("{length:x}\r\n{}\r\n", "x".repeat(length));
    let start = request("POST /rest/a", "Transfer-Encoding: chunked\r\n") + &chunk(200_000);
    client.send(&start).await;
    until(|| behind.heads().len() == 1).await;
    assert_eq!(ended.load(Ordering::SeqCst), 0);
    client.send(&chunk(1)).await;
    let reply = client.reply().await;
    assert_eq!((reply.status, reply.reason().as_str()), (413, "body-over-limit"));
    until(|| ended.load(Ordering::SeqCst) > 0).await;
}

#[tokio::test]
async fn an_early_answer_reaches_a_client_that_is_still_sending() {
    let (arrived, arrives) = tokio::sync::watch::channel(false);
    let behind = Behind::new(move |_, mut stream| {
        let mut arrives = arrives.clone();
        async move {
            stream
                .write_all(b"HTTP/1.1 413 Too Large\r\nContent-Length: 5\r\nConnection: close\r\n\r\nlarge")
                .await
                .unwrap();
            // It goes on reading, as servers do that mean the answer to arrive.
            let mut nowhere = tokio::io::sink();
            tokio::select! {
                _ = tokio::io::copy(&mut stream, &mut nowhere) => {}
                _ = arrives.wait_for(|arrived| *arrived) => {}
            }
            None
        }
    })
    .await;
    let scene = Scene::new(behind.addr, "/rest/.*");
    let client = scene.connect().await;
    let (read, mut write) = client.0.into_split();
    let sending = tokio::spawn(async move {
        let head = request("POST /rest/a", &format!("Content-Length: {HUGE}\r\n"));
        write.write_all(head.as_bytes()).await.unwrap();
        while write.write_all(&[7; 65536]).await.is_ok() {}
    });
    let mut answer = Vec::new();
    let mut read = read;
    timeout(PATIENCE, async {
        while !answer.ends_with(b"large") {
            assert_ne!(
                read.read_buf(&mut answer).await.unwrap(),
                0,
                "{}",
                String::from_utf8_lossy(&answer)
            );
        }
    })
    .await
    .expect("the answer arrives");
    arrived.send(true).unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 413"));
    drop(read);
    sending.abort();
    let entry = scene.only_entry().await;
    assert_eq!(
        (
            entry["outcome"]["status"].as_u64(),
            entry["outcome"]["end"].as_str()
        ),
        (Some(413), Some("complete"))
    );
}

#[tokio::test]
async fn a_client_that_goes_away_ends_the_call_upstream() {
    let closed = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&closed);
    let behind = Behind::new(move |_, mut stream| {
        let counter = Arc::clone(&counter);
        async move {
            let end = stream.read_u8().await;
            assert!(end.is_err());
            counter.store(1, Ordering::SeqCst);
            None
        }
    })
    .await;
    let scene = Scene::new(behind.addr, "/rest/.*");
    let mut client = scene.connect().await;
    client.send(&request("GET /rest/a", "")).await;
    until(|| behind.heads().len() == 1).await;
    drop(client);
    until(|| closed.load(Ordering::SeqCst) == 1).await;
    let entry = scene.only_entry().await;
    assert_eq!(
        (
            entry["outcome"]["end"].as_str(),
            entry["outcome"]["status"].as_u64()
        ),
        (Some("client-gone"), None)
    );
}

#[tokio::test]
async fn slow_heads_are_cut_off_on_every_request_of_a_connection() {
    let behind = Behind::answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    let policy = token("t", SECRET, "user = \"u\"", "/rest/.*");
    let scene = Scene::with(behind.addr, &policy, |config| {
        config.limits.head_timeout = Duration::from_millis(500);
        config.limits.idle_timeout = Duration::from_secs(1);
    });
    let mut client = scene.connect().await;
    client.send(&request("GET /rest/a", "")).await;
    assert_eq!(client.reply().await.status, 200);
    client.send("GET /rest/a HT").await;
    let reply = client.reply().await;
    assert_eq!((reply.status, reply.header("connection")), (408, Some("close")));
    // A connection that says nothing is closed without a word, at its opening and between requests.
    let mut idle = scene.connect().await;
    assert_eq!(idle.end().await.unwrap(), b"");
    let mut idle = scene.connect().await;
    idle.send(&request("GET /rest/a", "")).await;
    assert_eq!(idle.reply().await.status, 200);
    assert_eq!(idle.end().await.unwrap(), b"");
    // Some clients send an empty line after a request. It does not begin the next one.
    for stray in ["\r\n", "\r"] {
        let mut idle = scene.connect().await;
        idle.send(&(request("GET /rest/a", "") + stray)).await;
        assert_eq!(idle.reply().await.status, 200);
        assert_eq!(idle.end().await.unwrap(), b"", "{stray:?}");
    }
}

#[tokio::test]
async fn a_client_that_goes_away_within_a_small_body_is_recorded_all_the_same() {
    let behind = Behind::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    let scene = Scene::new(behind.addr, "/rest/.*");
    let mut client = scene.connect().await;
    client
        .send(&(request("POST /rest/a", "Content-Length: 6\r\n") + "hello"))
        .await;
    drop(client);
    let entry = scene.only_entry().await;
    assert_eq!(
        (entry["reason"].as_str(), entry["outcome"]["end"].as_str()),
        (Some("client-gone"), Some("client-gone"))
    );
    assert_eq!(behind.connections(), 0);
}
