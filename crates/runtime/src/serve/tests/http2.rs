//! HTTP/2 by a client that keeps to it.

use std::time::Duration;

use bytes::Bytes;
use h2::client::{Connection, SendRequest};
use h2::{RecvStream, SendStream};
use http::{Request, Response};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;

use super::harness::{Behind, PATIENCE, SECRET, Scene, field, replace_file, until};
use super::tls::{Authority, connect, scene};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nLink: <a>\r\nLink: <b>\r\n\r\nok";

async fn client(
    scene: &Scene,
    authority: &Authority,
) -> (SendRequest<Bytes>, tokio::task::JoinHandle<Result<(), h2::Error>>) {
    let stream = connect(scene, authority.client(&[b"h2", b"http/1.1"]), "localhost")
        .await
        .unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (client, connection): (_, Connection<TlsStream<TcpStream>>) =
        h2::client::handshake(stream).await.unwrap();
    (client, tokio::spawn(connection))
}

fn request(method: &str, path: &str) -> Request<()> {
    Request::builder()
        .method(method)
        .uri(format!("https://localhost{path}"))
        .header("authorization", format!("Bearer {SECRET}"))
        .body(())
        .unwrap()
}

async fn body(mut stream: RecvStream) -> Result<Vec<u8>, h2::Error> {
    let mut whole = Vec::new();
    while let Some(data) = timeout(PATIENCE, stream.data()).await.expect("data in time") {
        let data = data?;
        stream.flow_control().release_capacity(data.len())?;
        whole.extend(data);
    }
    Ok(whole)
}

async fn send(stream: &mut SendStream<Bytes>, mut data: Bytes) -> Result<(), h2::Error> {
    while !data.is_empty() {
        stream.reserve_capacity(data.len());
        let capacity = std::future::poll_fn(|cx| stream.poll_capacity(cx)).await;
        let Some(capacity) = capacity.transpose()? else {
            break;
        };
        stream.send_data(data.split_to(capacity), false)?;
    }
    stream.send_data(Bytes::new(), true)
}

async fn ask(client: &mut SendRequest<Bytes>, request: Request<()>) -> Response<RecvStream> {
    let (answer, _) = client.send_request(request, true).unwrap();
    timeout(PATIENCE, answer)
        .await
        .expect("an answer in time")
        .unwrap()
}

#[tokio::test]
async fn requests_go_the_same_way_as_those_of_http1() {
    let upstream = Behind::answering(OK).await;
    let authority = Authority::new();
    let (scene, _folder) = scene(&authority, &upstream, |_| {});
    let (mut client, _connection) = client(&scene, &authority).await;
    let answer = ask(&mut client, request("GET", "/rest/a?b=%20c")).await;
    assert_eq!(answer.status(), 200);
    let links: Vec<_> = answer.headers().get_all("link").iter().collect();
    assert_eq!(links, ["<a>", "<b>"]);
    assert_eq!(answer.headers()["content-length"], "2");
    assert!(answer.headers().contains_key("date") && answer.headers().contains_key("x-request-id"));
    assert_eq!(body(answer.into_body()).await.unwrap(), b"ok");
    let head = upstream.heads()[0].clone();
    assert!(head.starts_with("GET /rest/a?b=%20c HTTP/1.1\r\n"), "{head}");
    assert_eq!(field(&head, "x-forwarded-user"), Some("u"));
    assert_eq!(field(&head, "authorization"), None);
    assert_eq!(field(&head, "x-forwarded-for"), Some("127.0.0.1"));
    for (path, status, reason) in [
        ("/elsewhere", 404, "outside-endpoints"),
        ("/rest/a;b", 400, "semicolon"),
    ] {
        let answer = ask(&mut client, request("GET", path)).await;
        assert_eq!(answer.status(), status, "{path}");
        let problem: serde_json::Value =
            serde_json::from_slice(&body(answer.into_body()).await.unwrap()).unwrap();
        assert_eq!(problem["reason"], reason, "{path}");
    }
    let head = ask(&mut client, request("HEAD", "/elsewhere")).await;
    assert_eq!((head.status().as_u16(), head.body().is_end_stream()), (404, true));
    let entries = scene.audit_when(|entries| entries.len() == 4).await;
    assert_eq!(entries[0]["method"], "GET");
    assert_eq!(upstream.heads().len(), 1);
}

#[tokio::test]
async fn many_requests_share_a_connection() {
    let upstream = Behind::answering(OK).await;
    let authority = Authority::new();
    let (scene, _folder) = scene(&authority, &upstream, |_| {});
    let (client, _connection) = client(&scene, &authority).await;
    let calls = (0..50).map(|number| {
        let mut client = client.clone();
        async move {
            let answer = ask(&mut client, request("GET", &format!("/rest/{number}"))).await;
            body(answer.into_body()).await.unwrap()
        }
    });
    let answers = futures_util::future::join_all(calls).await;
    assert!(answers.iter().all(|answer| answer == b"ok"));
    assert_eq!(upstream.heads().len(), 50);
}

/// Answers with the length of the body, and then with as much of its own.
async fn measuring() -> Behind {
    Behind::new(|head, mut stream| async move {
        let mut length = 0;
        match field(&head, "content-length") {
            Some(told) => {
                length = told.parse().unwrap();
                tokio::io::copy(
                    &mut tokio::io::AsyncReadExt::take(&mut stream, length),
                    &mut tokio::io::sink(),
                )
                .await
                .unwrap();
            }
            None => {
                let mut whole = Vec::new();
                while !whole.ends_with(b"\r\n0\r\n\r\n") {
                    tokio::io::AsyncReadExt::read_buf(&mut stream, &mut whole)
                        .await
                        .unwrap();
                }
                length += whole.iter().filter(|byte| **byte == b'x').count() as u64;
            }
        }
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n");
        stream.write_all(answer.as_bytes()).await.unwrap();
        stream
            .write_all("y".repeat(usize::try_from(length).unwrap()).as_bytes())
            .await
            .unwrap();
        Some(stream)
    })
    .await
}

#[tokio::test]
async fn bodies_of_any_size_pass_both_ways() {
    let upstream = measuring().await;
    let authority = Authority::new();
    let (scene, _folder) = scene(&authority, &upstream, |_| {});
    let (mut client, _connection) = client(&scene, &authority).await;
    for size in [1, 65_536, 3_000_000] {
        for told in [false, true] {
            let mut request = request("POST", "/rest/a");
            if told {
                request.headers_mut().insert("content-length", size.into());
            }
            let (answer, mut stream) = client.send_request(request, false).unwrap();
            send(&mut stream, Bytes::from("x".repeat(size))).await.unwrap();
            let answer = timeout(PATIENCE, answer)
                .await
                .expect("an answer in time")
                .unwrap();
            assert_eq!(
                body(answer.into_body()).await.unwrap().len(),
                size,
                "{size} {told}"
            );
        }
    }
}

#[tokio::test]
async fn a_body_is_asked_for_once_its_head_has_passed() {
    let upstream = measuring().await;
    let authority = Authority::new();
    let (scene, _folder) = scene(&authority, &upstream, |_| {});
    let (mut client, _connection) = client(&scene, &authority).await;
    let expecting = |path| {
        let mut request = request("POST", path);
        request
            .headers_mut()
            .insert("expect", "100-continue".parse().unwrap());
        request
    };
    let (answer, _stream) = client.send_request(expecting("/rest/a;b"), false).unwrap();
    assert_eq!(timeout(PATIENCE, answer).await.unwrap().unwrap().status(), 400);
    let (mut answer, mut stream) = client.send_request(expecting("/rest/a"), false).unwrap();
    let informed = std::future::poll_fn(|cx| answer.poll_informational(cx));
    let informed = timeout(PATIENCE, informed)
        .await
        .expect("100 in time")
        .unwrap()
        .unwrap();
    assert_eq!(informed.status(), 100);
    assert_eq!(upstream.connections(), 0);
    send(&mut stream, Bytes::from_static(b"xxx")).await.unwrap();
    assert_eq!(timeout(PATIENCE, answer).await.unwrap().unwrap().status(), 200);
}

#[tokio::test]
async fn an_upload_that_is_refused_or_given_up_ends_there() {
    let upstream = Behind::new(|_, stream| async move {
        std::future::pending::<()>().await;
        Some(stream)
    })
    .await;
    let authority = Authority::new();
    let (scene, _folder) = scene(&authority, &upstream, |_| {});
    let (mut client, _connection) = client(&scene, &authority).await;
    // Refused by its head: answered at once, and the rest is not wanted (NO_ERROR, RFC 9113 section 8.1).
    let (answer, mut stream) = client.send_request(request("POST", "/elsewhere"), false).unwrap();
    assert_eq!(timeout(PATIENCE, answer).await.unwrap().unwrap().status(), 404);
    let reset = timeout(PATIENCE, std::future::poll_fn(|cx| stream.poll_reset(cx)))
        .await
        .unwrap();
    assert_eq!(reset.unwrap(), h2::Reason::NO_ERROR);
    // Given up by the client, while the upstream has it.
    let (_answer, mut stream) = client.send_request(request("POST", "/rest/a"), false).unwrap();
    stream.reserve_capacity(100_000);
    stream.send_data(Bytes::from("x".repeat(100_000)), false).unwrap();
    until(|| upstream.heads().len() == 1).await;
    stream.send_reset(h2::Reason::CANCEL);
    let entries = scene
        .audit_when(|entries| entries.len() == 2 && !entries[1]["outcome"].is_null())
        .await;
    assert_eq!(entries[1]["outcome"]["end"], "client-gone");
}

#[tokio::test]
async fn an_answer_that_breaks_off_ends_in_a_reset() {
    let upstream = Behind::new(|_, mut stream| async move {
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
            .await
            .unwrap();
        None
    })
    .await;
    let authority = Authority::new();
    let (scene, _folder) = scene(&authority, &upstream, |_| {});
    let (mut client, _connection) = client(&scene, &authority).await;
    let answer = ask(&mut client, request("GET", "/rest/a")).await;
    let error = body(answer.into_body()).await.unwrap_err();
    assert_eq!(error.reason(), Some(h2::Reason::INTERNAL_ERROR));
}

#[tokio::test]
async fn a_connection_on_which_nothing_comes_is_closed() {
    let upstream = Behind::answering(OK).await;
    let authority = Authority::new();
    let (scene, _folder) = scene(&authority, &upstream, |config| {
        config.limits.idle_timeout = Duration::from_millis(50);
    });
    let (mut client, connection) = client(&scene, &authority).await;
    let answer = ask(&mut client, request("GET", "/rest/a")).await;
    body(answer.into_body()).await.unwrap();
    let ended = timeout(PATIENCE, connection)
        .await
        .expect("an end in time")
        .unwrap();
    // At most the client's own goodbye is no longer taken.
    assert!(ended.as_ref().err().is_none_or(h2::Error::is_io), "{ended:?}");
}

#[tokio::test]
async fn what_is_under_way_is_answered_when_the_proxy_is_told_to_stop() {
    let (go, went) = tokio::sync::watch::channel(false);
    let upstream = Behind::new(move |_, mut stream| {
        let mut went = went.clone();
        async move {
            went.wait_for(|go| *go).await.unwrap();
            stream.write_all(OK.as_bytes()).await.unwrap();
            Some(stream)
        }
    })
    .await;
    let authority = Authority::new();
    let (mut scene, _folder) = scene(&authority, &upstream, |_| {});
    let address = scene.running().proxy_addr();
    let (mut client, connection) = client(&scene, &authority).await;
    let (answer, _) = client.send_request(request("GET", "/rest/a"), true).unwrap();
    until(|| upstream.heads().len() == 1).await;
    let running = scene.running.take().unwrap();
    let stopped = tokio::task::spawn_blocking(|| running.stop());
    timeout(PATIENCE, async {
        while TcpStream::connect(address).await.is_ok() {}
    })
    .await
    .expect("nothing new is accepted");
    go.send(true).unwrap();
    let answer = timeout(PATIENCE, answer)
        .await
        .expect("an answer in time")
        .unwrap();
    assert_eq!(body(answer.into_body()).await.unwrap(), b"ok");
    drop(client);
    // Whether the proxy has closed the connection by the time at which the client does decides what the client ends with.
    let _ended = timeout(PATIENCE, connection)
        .await
        .expect("an end in time")
        .unwrap();
    stopped.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_revoked_token_loses_its_streams_and_another_keeps_its_own() {
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let upstream = Behind::new(move |head, mut stream| {
        let tell = tell.clone();
        async move {
            let begin = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nthe begin";
            if head.contains("/rest/answers") {
                stream.write_all(begin).await.unwrap();
            }
            tell.send(()).unwrap();
            let mut rest = Vec::new();
            let _ = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut rest).await;
            None
        }
    })
    .await;
    let authority = Authority::new();
    let (scene, folder) = scene(&authority, &upstream, |_| {});
    let (mut client, _connection) = client(&scene, &authority).await;
    let answers = ask_for(&mut client, "/rest/answers");
    let waits = ask_for(&mut client, "/rest/waits");
    let answers = timeout(PATIENCE, answers).await.unwrap().unwrap();
    assert_eq!(answers.status(), 200);
    for _ in 0..2 {
        timeout(PATIENCE, told.recv()).await.unwrap().unwrap();
    }
    let watch = tokenward_testbed::Stopwatch::start();
    let policies = scene.folder.path().join("policies/a.toml");
    let revoked = std::fs::read_to_string(&policies)
        .unwrap()
        .replace("user = \"u\"", "user = \"u\"\nrevoked = true");
    replace_file(&policies, revoked);
    // What was begun ends in a reset, what was not in a 401.
    let error = body(answers.into_body()).await.unwrap_err();
    assert!(error.is_reset(), "{error}");
    assert_eq!(timeout(PATIENCE, waits).await.unwrap().unwrap().status(), 401);
    let took = watch.took();
    assert!(took < Duration::from_secs(1), "{took:?}");
    // The connection stays, for whoever has another token.
    assert_eq!(ask(&mut client, request("GET", "/rest/a")).await.status(), 401);
    let ended = |entries: &[serde_json::Value]| {
        let revoked = entries
            .iter()
            .filter(|entry| entry["outcome"]["end"] == "revoked");
        revoked.count() == 2
    };
    scene.audit_when(ended).await;
    drop(folder);
}

fn ask_for(client: &mut SendRequest<Bytes>, path: &str) -> h2::client::ResponseFuture {
    client.send_request(request("GET", path), true).unwrap().0
}
