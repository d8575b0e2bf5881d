//! Connections to the upstream that serve one call after another.

use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Notify;
use tokio::time::timeout;

use super::harness::{Behind, PATIENCE, Scene, request};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const EVIL: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil";

#[tokio::test]
async fn bytes_behind_a_response_are_not_the_next_calls_response() {
    let behind = Behind::new(|_, mut stream| async move {
        stream.write_all(&[OK, EVIL].concat()).await.unwrap();
        Some(stream)
    })
    .await;
    let scene = Scene::new(behind.addr, "/rest/.*");
    for calls in 1..4 {
        assert_eq!(scene.ask(&request("GET /rest/a", "")).await.body, "ok");
        assert_eq!(behind.connections(), calls, "none is used twice");
    }
}

#[tokio::test]
async fn bytes_on_an_idle_connection_are_not_the_next_calls_response() {
    let (go, sent) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (going, sending) = (Arc::clone(&go), Arc::clone(&sent));
    let behind = Behind::new(move |_, mut stream| {
        let (going, sending) = (Arc::clone(&going), Arc::clone(&sending));
        async move {
            stream.write_all(OK).await.unwrap();
            going.notified().await;
            stream.write_all(EVIL).await.unwrap();
            sending.notify_one();
            Some(stream)
        }
    })
    .await;
    let scene = Scene::new(behind.addr, "/rest/.*");
    for _ in 0..3 {
        assert_eq!(scene.ask(&request("GET /rest/a", "")).await.body, "ok");
        go.notify_one();
        sent.notified().await;
    }
    assert_eq!(behind.connections(), 3, "none is used twice");
}

#[tokio::test]
async fn a_connection_is_kept_after_every_response_whose_end_is_known() {
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX: y\r\n\r\n",
        "HTTP/1.1 204 No Content\r\n\r\n",
        "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    ] {
        let behind = Behind::answering(answer).await;
        let scene = Scene::new(behind.addr, "/rest/.*");
        for call in ["GET /rest/a", "POST /rest/a", "DELETE /rest/a"] {
            let status = scene.ask(&request(call, "Content-Length: 0\r\n")).await.status;
            assert!(matches!(status, 200 | 204), "{call}: {status}");
        }
        assert_eq!(behind.connections(), 1, "{answer}");
    }
}

#[tokio::test]
async fn a_connection_is_given_up_after_a_response_that_may_have_another_end() {
    for (answer, status) in [
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            200,
        ),
        ("HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\n", 204),
    ] {
        let behind = Behind::answering(answer).await;
        let scene = Scene::new(behind.addr, "/rest/.*");
        for calls in 1..4 {
            assert_eq!(scene.ask(&request("GET /rest/a", "")).await.status, status);
            assert_eq!(behind.connections(), calls, "{answer}");
        }
    }
}

#[tokio::test]
async fn an_invalid_response_is_refused_and_not_asked_for_again() {
    let large = format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(64 * 1024));
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 4\r\n\r\nevil",
        "HTTP/1.1 200 OK\r\nContent-Length: 2, 4\r\n\r\nevil",
        "HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nX: y\r\n Content-Length: 2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nX: a\rContent-Length: 2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nevil",
        "220 mail.example ESMTP\r\n\r\n",
        &large,
    ] {
        let answer = Arc::<str>::from(answer);
        let written = Arc::clone(&answer);
        let behind = Behind::new(move |_, mut stream| {
            let written = Arc::clone(&written);
            async move {
                stream.write_all(written.as_bytes()).await.unwrap();
                Some(stream)
            }
        })
        .await;
        let scene = Scene::new(behind.addr, "/rest/.*");
        for calls in 1..3 {
            let reply = scene.ask(&request("GET /rest/a", "")).await;
            assert_eq!((reply.status, reply.reason().as_str()), (502, "upstream-broken"));
            assert_eq!(
                (behind.heads().len(), behind.connections()),
                (calls, calls),
                "{answer}"
            );
        }
    }
}

#[tokio::test]
async fn a_call_is_sent_again_only_if_it_changes_nothing() {
    let behind = Behind::new(|_, _| async { None }).await;
    let scene = Scene::new(behind.addr, "/rest/.*");
    let mut heads = 0;
    for (method, times) in [("GET", 2), ("HEAD", 2), ("POST", 1), ("PUT", 1), ("DELETE", 1)] {
        let mut client = scene.connect().await;
        client
            .send(&request(&format!("{method} /rest/a"), "Content-Length: 0\r\n"))
            .await;
        assert_eq!(client.head().await.0, 502, "{method}");
        heads += times;
        assert_eq!(behind.heads().len(), heads, "{method}");
    }
}

#[tokio::test]
async fn a_response_that_breaks_off_is_not_complete() {
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\nx\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX\r\n\r\n",
    ] {
        let behind = Behind::new(move |_, mut stream| async move {
            stream.write_all(answer.as_bytes()).await.unwrap();
            None
        })
        .await;
        let scene = Scene::new(behind.addr, "/rest/.*");
        let mut client = scene.connect().await;
        client.send(&request("GET /rest/a", "")).await;
        let got = client.end().await.unwrap_or_default();
        let got = String::from_utf8(got).unwrap();
        let whole = got.ends_with("0\r\n\r\n") || got.contains("length: 2\r\n");
        assert!(!whole, "{got}");
        assert_eq!(
            scene.only_entry().await["outcome"]["end"],
            "upstream-failed",
            "{answer}"
        );
    }
}

#[tokio::test]
async fn a_response_arrives_though_the_upstream_closes_without_reading_the_upload() {
    const SIZE: usize = 16 << 20;
    let behind = Behind::new(|_, mut stream| async move {
        let answer = b"HTTP/1.1 413 Too Large\r\nContent-Length: 5\r\nConnection: close\r\n\r\nlarge";
        stream.write_all(answer).await.unwrap();
        None
    })
    .await;
    let scene = Scene::new(behind.addr, "/rest/.*");
    let mut client = scene.connect().await;
    client
        .send(&request("POST /rest/a", &format!("Content-Length: {SIZE}\r\n")))
        .await;
    let _ = client.0.write_all(&vec![b'x'; SIZE / 4]).await;
    let reply = client.reply().await;
    assert_eq!((reply.status, reply.body.as_str()), (413, "large"));
    assert_eq!(behind.heads().len(), 1, "it is not sent again");
}

#[tokio::test]
async fn an_upload_goes_on_while_its_client_does_not_read_the_response() {
    const SIZE: usize = 16 << 20;
    let behind = Behind::new(|_, stream| async move {
        let (mut read, mut write) = stream.into_split();
        let upload = tokio::spawn(async move {
            let mut body = vec![0; SIZE];
            read.read_exact(&mut body).await.unwrap();
        });
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {SIZE}\r\n\r\n");
        write.write_all(head.as_bytes()).await.unwrap();
        write.write_all(&vec![b'y'; SIZE]).await.unwrap();
        upload.await.unwrap();
        None
    })
    .await;
    let scene = Scene::new(behind.addr, "/rest/.*");
    let mut client = scene.connect().await;
    client
        .send(&request("POST /rest/a", &format!("Content-Length: {SIZE}\r\n")))
        .await;
    timeout(PATIENCE, client.0.write_all(&vec![b'x'; SIZE]))
        .await
        .expect("the upload is taken")
        .unwrap();
    let reply = timeout(PATIENCE, client.reply())
        .await
        .expect("the response arrives");
    assert_eq!(reply.body.len(), SIZE);
}

#[tokio::test]
async fn a_connection_that_the_upstream_closed_is_given_up_without_a_call() {
    let (closed, closing) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (told, close) = (Arc::clone(&closed), Arc::clone(&closing));
    let behind = Behind::new(move |_, mut stream| {
        let (told, close) = (Arc::clone(&told), Arc::clone(&close));
        async move {
            stream.write_all(OK).await.unwrap();
            close.notified().await;
            stream.shutdown().await.unwrap();
            // The proxy closes its side too.
            let end = stream.read(&mut [0]).await.unwrap();
            assert_eq!(end, 0);
            told.notify_one();
            None
        }
    })
    .await;
    let scene = Scene::new(behind.addr, "/rest/.*");
    assert_eq!(
        scene
            .ask(&request("POST /rest/a", "Content-Length: 0\r\n"))
            .await
            .status,
        200
    );
    closing.notify_one();
    timeout(PATIENCE, closed.notified()).await.expect("it is closed");
    // A call that must not be repeated finds another connection.
    let status = scene
        .ask(&request("POST /rest/a", "Content-Length: 0\r\n"))
        .await
        .status;
    assert_eq!(status, 200);
}
