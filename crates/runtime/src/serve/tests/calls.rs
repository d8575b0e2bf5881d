//! Calls as they go through: what the upstream gets, and what comes back.

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::harness::{Behind, Nobody, SECRET, Scene, field, request, token, until};

#[tokio::test]
async fn the_upstream_gets_what_was_judged_and_who_calls() {
    let behind = Behind::answering(
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Up: 1\r\nSet-Cookie: a=b\r\nAlt-Svc: h3\r\n\r\nok",
    )
    .await;
    let scene = Scene::new(behind.addr, "/rest/.*");
    let reply = scene
        .ask(&request(
            "GET /rest/%61?b=%63&d=e%20f",
            "Cookie: s=1\r\nX-Forwarded-User: admin\r\nX-Forwarded-For: 10.0.0.1\r\nX_Forwarded_User: admin\r\nAccept: a/b\r\nConnection: x-hop\r\nX-Hop: 1\r\n",
        ))
        .await;
    assert_eq!((reply.status, reply.body.as_str()), (200, "ok"));
    assert_eq!(reply.header("x-up"), Some("1"));
    assert_eq!(reply.header("set-cookie"), None);
    assert_eq!(reply.header("alt-svc"), None);
    assert_eq!(reply.header("cache-control"), Some("private"));
    let head = behind.heads().remove(0);
    assert!(head.starts_with("GET /rest/a?b=c&d=e%20f HTTP/1.1\r\n"), "{head}");
    assert_eq!(field(&head, "host"), Some("127.0.0.1:8080"));
    assert_eq!(field(&head, "accept"), Some("a/b"));
    assert_eq!(field(&head, "x-forwarded-user"), Some("u"));
    assert_eq!(field(&head, "x-forwarded-for"), Some("127.0.0.1"));
    assert_eq!(field(&head, "x-forwarded-proto"), Some("http"));
    assert_eq!(field(&head, "x-forwarded-host"), Some("127.0.0.1:8080"));
    assert_eq!(field(&head, "x-request-id"), reply.header("x-request-id"));
    let trace = format!("00-{}-", reply.header("x-request-id").unwrap());
    assert!(field(&head, "traceparent").unwrap().starts_with(&trace), "{head}");
    for gone in ["authorization", "cookie", "x-hop", "x_forwarded_user"] {
        assert_eq!(field(&head, gone), None, "{head}");
    }
    let entry = scene.only_entry().await;
    assert_eq!(entry["outcome"]["end"], "complete");
    assert_eq!(entry["outcome"]["status"], 200);
    assert_eq!(entry["outcome"]["received_bytes"], 2);
}

#[tokio::test]
async fn a_number_sign_is_data_where_it_is_lifted() {
    let behind = Behind::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    let policy = token("t", SECRET, "user = \"u\"", "/rest/a[#]b[QueryParam::c==d[#]e]");
    let scene = Scene::with(behind.addr, &policy, |config| config.relax.number_sign = true);
    assert_eq!(scene.ask(&request("GET /rest/a#b?c=d#e", "")).await.status, 200);
    assert!(behind.heads()[0].starts_with("GET /rest/a%23b?c=d%23e HTTP/1.1\r\n"));
}

#[tokio::test]
async fn connections_are_kept_on_both_sides() {
    let behind = Behind::answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    let scene = Scene::new(behind.addr, "/rest/.*");
    let mut client = scene.connect().await;
    for _ in 0..5 {
        client.send(&request("GET /rest/a", "")).await;
        assert_eq!(client.reply().await.body, "ok");
    }
    assert_eq!(behind.connections(), 1);
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order_each_in_its_own_way() {
    let behind = Behind::new(|head, mut stream| async move {
        let path = head.split(' ').nth(1).unwrap().to_owned();
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", path.len());
        stream.write_all(answer.as_bytes()).await.unwrap();
        if !head.starts_with("HEAD") {
            stream.write_all(path.as_bytes()).await.unwrap();
        }
        Some(stream)
    })
    .await;
    let scene = Scene::new(behind.addr, "[get,head]/rest/.*");
    let mut client = scene.connect().await;
    // If requests were read ahead, an answer could be written as the last of them asks: HEAD without a body, `close`.
    let all = [
        request("GET /rest/one", ""),
        request("HEAD /rest/two", ""),
        request("DELETE /rest/no", ""),
        request("GET /rest/three", "Connection: close\r\n"),
    ]
    .concat();
    client.send(&all).await;
    let first = client.reply().await;
    assert_eq!(
        (first.body.as_str(), first.header("connection")),
        ("/rest/one", None)
    );
    let (status, head) = client.head().await;
    assert_eq!((status, field(&head, "content-length")), (200, Some("9")));
    assert_eq!(client.reply().await.status, 403);
    let last = client.reply().await;
    assert_eq!(
        (last.body.as_str(), last.header("connection")),
        ("/rest/three", Some("close"))
    );
    assert_eq!(client.end().await.unwrap(), b"");
}

#[tokio::test]
async fn answers_without_a_body_have_none() {
    for (method, answer, status, length) in [
        (
            "HEAD",
            "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n",
            200,
            Some("1000"),
        ),
        (
            "HEAD",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            200,
            None,
        ),
        (
            "GET",
            "HTTP/1.1 304 Not Modified\r\nContent-Length: 1000\r\nETag: \"a\"\r\n\r\n",
            304,
            Some("1000"),
        ),
        ("GET", "HTTP/1.1 304 Not Modified\r\n\r\n", 304, None),
        ("GET", "HTTP/1.1 204 No Content\r\n\r\n", 204, None),
        (
            "GET",
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
            200,
            Some("0"),
        ),
    ] {
        let behind = Behind::answering(answer).await;
        let scene = Scene::new(behind.addr, "[get,head]/rest/.*");
        let mut client = scene.connect().await;
        for _ in 0..2 {
            client.send(&request(&format!("{method} /rest/a"), "")).await;
            let (got, head) = client.head().await;
            assert_eq!(
                (got, field(&head, "content-length")),
                (status, length),
                "{answer:?}: {head}"
            );
            assert_eq!(field(&head, "transfer-encoding"), None);
        }
        let ends = scene
            .audit_when(|entries| entries.iter().filter(|e| !e["outcome"].is_null()).count() == 2)
            .await;
        assert!(
            ends.iter().all(|entry| entry["outcome"]["end"] == "complete"),
            "{ends:?}"
        );
    }
}

#[tokio::test]
async fn a_body_that_ends_with_the_connection_is_passed_whole() {
    let behind = Behind::new(|_, mut stream| async move {
        stream
            .write_all(b"HTTP/1.1 200 OK\r\n\r\nall of it")
            .await
            .unwrap();
        None
    })
    .await;
    let scene = Scene::new(behind.addr, "/rest/.*");
    let reply = scene.ask(&request("GET /rest/a", "")).await;
    assert_eq!(
        (reply.body.as_str(), reply.header("transfer-encoding")),
        ("all of it", Some("chunked"))
    );
    let old =
        format!("GET /rest/a HTTP/1.0\r\nHost: 127.0.0.1:8080\r\nAuthorization: Bearer {SECRET}\r\n\r\n");
    let reply = scene.ask(&old).await;
    assert_eq!(
        (reply.body.as_str(), reply.header("transfer-encoding")),
        ("all of it", None)
    );
    assert!(reply.head.starts_with("HTTP/1.0 200"), "{reply:?}");
}

#[tokio::test]
async fn a_truncated_answer_is_never_taken_for_whole() {
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsome",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nsome\r\n",
    ] {
        for version in ["1.1", "1.0"] {
            let behind = Behind::new(move |_, mut stream| async move {
                stream.write_all(answer.as_bytes()).await.unwrap();
                None
            })
            .await;
            let scene = Scene::new(behind.addr, "/rest/.*");
            let mut client = scene.connect().await;
            client
                .send(&request("GET /rest/a", "").replace("HTTP/1.1", &format!("HTTP/{version}")))
                .await;
            let end = client.end().await;
            assert!(end.is_err(), "a reset, not {:?}", end.map(String::from_utf8));
            assert_eq!(scene.only_entry().await["outcome"]["end"], "upstream-failed");
        }
    }
}

#[tokio::test]
async fn a_failing_upstream_is_told_as_what_it_is() {
    for (answer, status, reason) in [
        (
            "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n",
            502,
            "upstream-unauthorized",
        ),
        ("garbage\r\n\r\n", 502, "upstream-broken"),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
            502,
            "upstream-broken",
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
            502,
            "upstream-broken",
        ),
        ("", 502, "upstream-broken"),
    ] {
        let behind = Behind::new(move |_, mut stream| async move {
            stream.write_all(answer.as_bytes()).await.unwrap();
            None
        })
        .await;
        let scene = Scene::new(behind.addr, "/rest/.*");
        let reply = scene.ask(&request("POST /rest/a", "Content-Length: 0\r\n")).await;
        assert_eq!(
            (reply.status, reply.reason().as_str()),
            (status, reason),
            "{answer:?}"
        );
        assert_eq!(reply.header("www-authenticate"), None);
        assert_eq!(behind.heads().len(), 1, "a POST is never repeated");
    }
    let nobody = Nobody::new();
    let scene = Scene::new(nobody.addr, "/rest/.*");
    let reply = scene.ask(&request("GET /rest/a", "")).await;
    assert_eq!(
        (reply.status, reply.reason().as_str()),
        (502, "upstream-unreachable")
    );
    assert_eq!(scene.only_entry().await["outcome"]["end"], "upstream-failed");
}

#[tokio::test]
async fn a_silent_upstream_is_given_up() {
    let behind = Behind::new(|_, stream| async move {
        std::future::pending::<()>().await;
        Some(stream)
    })
    .await;
    let policy = super::harness::token("t", SECRET, "user = \"u\"", "/rest/.*");
    let scene = Scene::with(behind.addr, &policy, |config| {
        config.limits.upstream_timeout = std::time::Duration::from_millis(500);
    });
    let reply = scene.ask(&request("GET /rest/a", "")).await;
    assert_eq!((reply.status, reply.reason().as_str()), (504, "upstream-timeout"));
    assert_eq!(scene.only_entry().await["outcome"]["end"], "timeout");
}

#[tokio::test]
async fn redirects_are_passed_on_and_made_safe() {
    let behind = Behind::new(|head, mut stream| async move {
        let host = stream.local_addr().unwrap();
        let location = if head.starts_with("POST") {
            format!("http://{host}/rest/a/")
        } else {
            format!("http://{host}/rest/b")
        };
        let answer = format!("HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n");
        stream.write_all(answer.as_bytes()).await.unwrap();
        Some(stream)
    })
    .await;
    let scene = Scene::new(behind.addr, "/rest/.*");
    let reply = scene.ask(&request("GET /rest/a", "")).await;
    assert_eq!(
        (reply.status, reply.header("location")),
        (302, Some("http://127.0.0.1:8080/rest/b"))
    );
    let reply = scene.ask(&request("POST /rest/a", "Content-Length: 0\r\n")).await;
    assert_eq!(
        (reply.status, reply.header("location")),
        (307, Some("http://127.0.0.1:8080/rest/a/"))
    );
    assert_eq!(behind.heads().len(), 2, "none was followed");
}

#[tokio::test]
async fn a_repeatable_request_survives_a_connection_that_just_closed() {
    // The first request of each connection is answered, the second gets the connection closed.
    let behind = Behind::new(|_, mut stream| async move {
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            .await
            .unwrap();
        super::harness::head(&mut stream).await;
        None
    })
    .await;
    let scene = Scene::new(behind.addr, "/rest/.*");
    for _ in 0..2 {
        assert_eq!(scene.ask(&request("GET /rest/a", "")).await.status, 200);
    }
    assert_eq!(behind.connections(), 2);
}

#[tokio::test]
async fn continue_is_sent_to_a_judged_head_alone() {
    let behind = Behind::new(|head, mut stream| async move {
        assert_eq!(field(&head, "expect"), None);
        let mut body = vec![0; field(&head, "content-length").unwrap().parse().unwrap()];
        stream.read_exact(&mut body).await.unwrap();
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
            .await
            .unwrap();
        stream.write_all(&body).await.unwrap();
        Some(stream)
    })
    .await;
    let scene = Scene::new(behind.addr, "/rest/ok");
    let head = "Content-Length: 5\r\nExpect: 100-Continue\r\n";
    let mut client = scene.connect().await;
    for _ in 0..2 {
        client.send(&request("POST /rest/ok", head)).await;
        assert_eq!(client.head().await.0, 100);
        client.send("hello").await;
        assert_eq!(client.reply().await.body, "hello");
    }
    client.send(&request("POST /rest/no", head)).await;
    let reply = client.reply().await;
    assert_eq!((reply.status, reply.header("connection")), (403, Some("close")));
    assert_eq!(
        client.end().await.unwrap(),
        b"",
        "the connection is closed: whether the body comes is not known"
    );
    until(|| behind.heads().len() == 2).await;
}

#[tokio::test]
async fn a_trace_goes_on_and_what_is_none_does_not() {
    let behind = Behind::answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    let scene = Scene::new(behind.addr, "/rest/.*");
    let id = "4bf92f3577b34da6a3ce929d0e0e4736";
    for (parent, kept) in [("00f067aa0ba902b7", true), ("0000000000000000", false)] {
        let fields = format!("Traceparent: 00-{id}-{parent}-01\r\nTracestate: a=1\r\n");
        assert_eq!(scene.ask(&request("GET /rest/a", &fields)).await.status, 200);
        let head = behind.heads().pop().unwrap();
        assert_eq!(head.to_lowercase().matches("traceparent").count(), 1);
        let sent = field(&head, "traceparent").unwrap();
        assert_eq!(sent.contains(id), kept, "{sent}");
        assert!(!sent.contains(parent) && sent.len() == 55, "{sent}");
        assert_eq!(field(&head, "tracestate"), kept.then_some("a=1"));
    }
}
