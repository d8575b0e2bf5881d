//! Requests of ordinary clients, and responses to them, that must pass although they look unusual.

use std::time::Duration;

use tokenward_pdp::config::Product;
use tokio::io::AsyncWriteExt;

use super::harness::{Behind, SECRET, Scene, field, request, token};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

fn policy(lines: &str) -> String {
    token("t", SECRET, "user = \"u\"", lines)
}

#[tokio::test]
async fn an_offer_of_http2_with_a_body_is_ignored_and_the_connection_closed() {
    let behind = Behind::answering(OK).await;
    let scene = Scene::new(behind.addr, "[post]/rest/a");
    let offer =
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n";
    // What follows the request is of the other protocol, or of none: it is never read.
    let behind_it = request("POST /rest/a", "") + "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    for (path, status) in [("/rest/a", 200), ("/rest/b", 403)] {
        let body =
            request(&format!("POST {path}"), &format!("{offer}Content-Length: 2\r\n")) + "{}" + &behind_it;
        let mut client = scene.connect().await;
        client.send(&body).await;
        let reply = client.reply().await;
        assert_eq!(reply.status, status, "{reply:?}");
        assert_eq!(reply.header("connection"), Some("close"), "{reply:?}");
        // Nothing but the end, or a reset because of the bytes that nobody reads.
        assert!(client.end().await.unwrap_or_default().is_empty());
    }
    let heads = behind.heads();
    assert_eq!(heads.len(), 1);
    assert_eq!(
        (field(&heads[0], "upgrade"), field(&heads[0], "http2-settings")),
        (None, None)
    );
}

#[tokio::test]
async fn a_chunked_body_without_a_byte_is_no_body() {
    let behind = Behind::answering(OK).await;
    let scene = Scene::new(
        behind.addr,
        "[get,head]/rest/.*\n[post]/rest/x[QueryParam::a==1]\n[put]/rest/x[JsonData::n?=1]",
    );
    let chunked = "Transfer-Encoding: chunked\r\n";
    for line in ["GET /rest/x", "HEAD /rest/x", "POST /rest/x?a=1", "PUT /rest/x"] {
        let mut client = scene.connect().await;
        client.send(&(request(line, chunked) + "0\r\n\r\n")).await;
        let (status, head) = client.head().await;
        assert_eq!(status, 200, "{line}: {head}");
        let sent = behind.heads().pop().unwrap();
        assert_eq!(field(&sent, "content-length"), Some("0"), "{line}: {sent}");
        assert_eq!(field(&sent, "transfer-encoding"), None, "{line}: {sent}");
        assert_eq!(field(&sent, "content-type"), None, "{line}: {sent}");
    }
    // Trailers do not make a body, and are dropped.
    let reply = scene
        .ask(&(request("GET /rest/x", chunked) + "0\r\nX-A: b\r\n\r\n"))
        .await;
    assert_eq!(reply.status, 200);
    let entries = scene.audit_when(|entries| entries.len() == 5).await;
    assert!(
        entries.iter().all(|entry| entry["request_bytes"] == 0),
        "{entries:?}"
    );
}

#[tokio::test]
async fn a_chunked_body_with_a_byte_is_judged_as_a_body() {
    let behind = Behind::answering(OK).await;
    let scene = Scene::new(
        behind.addr,
        "[get,post]/rest/.*\n[put]/rest/x[JsonData::n==1]\n!/rest/no",
    );
    let chunked = "Transfer-Encoding: chunked\r\n";
    for (line, status, reason) in [
        ("GET /rest/x", 400, "body-on-get"),
        ("PUT /rest/x", 403, "no-line"),
        // Both readings are refused by the head, so the body is not waited for.
        ("GET /rest/no", 400, "body-on-get"),
        ("GET /rest/../x", 400, "dot-segment"),
    ] {
        let reply = scene.ask(&(request(line, chunked) + "1\r\nx\r\n0\r\n\r\n")).await;
        assert_eq!(
            (reply.status, reply.reason().as_str()),
            (status, reason),
            "{line}"
        );
    }
    // An empty body is an empty object.
    let reply = scene.ask(&(request("PUT /rest/x", chunked) + "0\r\n\r\n")).await;
    assert_eq!((reply.status, reply.reason().as_str()), (403, "no-line"));
    let reply = scene.ask(&(request("POST /rest/x", chunked) + "z\r\n\r\n")).await;
    assert_eq!((reply.status, reply.reason().as_str()), (400, "chunk-size"));
    assert_eq!(behind.connections(), 0);
}

#[tokio::test]
async fn a_body_without_a_type_is_sent_on_as_octets() {
    let behind = Behind::answering(OK).await;
    let lines = "[put]/rest/.*\n[post]/rest/x[QueryParam::a==1]\n[post]/rest/j[JsonData::a==1]\n![patch]/rest/f[JsonData::a==2]\n[patch]/rest/.*";
    for product in [Product::Jira, Product::Gitlab, Product::Generic] {
        let scene = Scene::with(behind.addr, &policy(lines), |config| {
            config.upstream.product = product;
            config.upstream.endpoints = vec!["/rest/*".into()];
            config.limits.inspect_bytes = 64;
        });
        let large = "x".repeat(2000);
        for (line, body, status) in [
            // `curl -T` of text, of any size: what looks like a form is none.
            ("PUT /rest/a", "hello%zz&_method=DELETE\n", 200),
            ("PUT /rest/a", large.as_str(), 200),
            // It adds no parameters to the query.
            ("POST /rest/x?a=1", "a=2", 200),
            // It is no JSON, whatever it holds.
            ("POST /rest/j", "{\"a\":1}", 403),
            ("PATCH /rest/f", "{\"a\":1}", 403),
        ] {
            let sent = request(line, &format!("Content-Length: {}\r\n", body.len())) + body;
            let reply = scene.ask(&sent).await;
            assert_eq!(reply.status, status, "{product:?} {line}: {reply:?}");
            if status == 200 {
                let head = behind.heads().pop().unwrap();
                assert_eq!(
                    field(&head, "content-type"),
                    Some("application/octet-stream"),
                    "{head}"
                );
            }
        }
    }
}

#[tokio::test]
async fn the_scheme_token_works_where_it_is_named() {
    let behind = Behind::answering(OK).await;
    let ask = |value: &str| {
        format!("GET /rest/a HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nAuthorization: {value}\r\n\r\n")
    };
    let named = Scene::with(behind.addr, &policy("/rest/.*"), |config| {
        config.auth.schemes = vec!["token".into()];
        config.auth.methods = tokenward_pdp::config::Methods::Basic;
    });
    for (value, status) in [
        (format!("token {SECRET}"), 200),
        (format!("Token {SECRET}"), 200),
        (format!("token: {SECRET}"), 200),
        (format!("Token token=\"{SECRET}\""), 200),
        (format!("Bearer {SECRET}"), 401),
        (format!("apikey {SECRET}"), 401),
        ("token other-secret".to_owned(), 401),
    ] {
        let reply = named.ask(&ask(&value)).await;
        assert_eq!(reply.status, status, "{value}: {reply:?}");
        assert_eq!(
            reply.head.contains("www-authenticate: token realm"),
            status == 401,
            "{reply:?}"
        );
    }
    let unnamed = Scene::new(behind.addr, "/rest/.*");
    assert_eq!(unnamed.ask(&ask(&format!("token {SECRET}"))).await.status, 401);
    for head in behind.heads() {
        assert_eq!(field(&head, "authorization"), None, "{head}");
    }
}

#[tokio::test]
async fn a_doubled_slash_is_served_by_an_endpoint_and_a_relaxation_of_its_own() {
    let behind = Behind::answering(OK).await;
    let serving = |endpoints: &[&str], relaxed: bool| {
        let endpoints = endpoints.iter().map(|path| (*path).to_owned()).collect();
        Scene::with(behind.addr, &policy("//rest/ok"), |config| {
            config.upstream.endpoints = endpoints;
            config.relax.empty_segment = relaxed;
        })
    };
    for (endpoints, relaxed, status) in [
        (&["/rest/*"][..], false, 400),
        (&["/rest/*"], true, 404),
        (&["/rest/*", "//rest/*"], true, 200),
    ] {
        let reply = serving(endpoints, relaxed)
            .ask(&request("GET //rest/ok", ""))
            .await;
        assert_eq!(reply.status, status, "{endpoints:?} {relaxed}: {reply:?}");
    }
    // What was matched is what is sent.
    assert!(
        behind.heads()[0].starts_with("GET //rest/ok HTTP/1.1"),
        "{:?}",
        behind.heads()
    );
}

#[tokio::test]
async fn headers_that_the_upstream_exposes_stay_exposed() {
    let behind = Behind::answering(
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nAccess-Control-Expose-Headers: X-Total, link\r\nAccess-Control-Expose-Headers: X-Request-Id,a b\r\nAccess-Control-Allow-Origin: *\r\n\r\nok",
    )
    .await;
    let scene = Scene::with(behind.addr, &policy("/rest/.*"), |config| {
        config.answers.cors_origins = vec!["https://app.example.com".into()];
    });
    let reply = scene
        .ask(&request("GET /rest/a", "Origin: https://app.example.com\r\n"))
        .await;
    assert_eq!(
        reply.header("access-control-expose-headers"),
        Some("x-request-id, x-total, link"),
        "{reply:?}"
    );
    assert_eq!(reply.head.matches("access-control-").count(), 2, "{reply:?}");
}

#[tokio::test]
async fn a_network_of_mapped_addresses_is_that_of_ipv4() {
    let behind = Behind::answering(OK).await;
    for (allowed, status) in [
        ("::ffff:127.0.0.1", 200),
        ("::ffff:127.0.0.0/104", 200),
        ("::ffff:10.0.0.0/104", 403),
        ("::/0", 403),
    ] {
        let policy = token(
            "t",
            SECRET,
            &format!("user = \"u\"\nallowed_ips = [\"{allowed}\"]"),
            "/rest/.*",
        );
        let scene = Scene::with(behind.addr, &policy, |_| {});
        assert_eq!(
            scene.ask(&request("GET /rest/a", "")).await.status,
            status,
            "{allowed}"
        );
    }
    // A trusted proxy that is named so, and a client that it names so.
    let policy = token(
        "t",
        SECRET,
        "user = \"u\"\nallowed_ips = [\"192.0.2.7\"]",
        "/rest/.*",
    );
    let scene = Scene::with(behind.addr, &policy, |config| {
        config.server.trusted_proxies = vec!["::ffff:127.0.0.0/104".parse().unwrap()];
        config.server.client_address = tokenward_pdp::config::ClientAddress::XForwardedFor;
    });
    let reply = scene
        .ask(&request("GET /rest/a", "X-Forwarded-For: ::ffff:192.0.2.7\r\n"))
        .await;
    assert_eq!(reply.status, 200, "{reply:?}");
}

/// An upstream whose body pauses for longer than `body_timeout`, after its first part.
async fn pausing(kind: &'static str) -> Behind {
    Behind::new(move |_, mut stream| async move {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: 6\r\n\r\n");
        stream.write_all((head + "one").as_bytes()).await.unwrap();
        tokio::time::sleep(Duration::from_millis(400)).await;
        // The proxy may have given up.
        let _ = stream.write_all(b"two").await;
        Some(stream)
    })
    .await
}

#[tokio::test]
async fn streams_may_pause_within_a_limit_of_their_own() {
    let stream = Duration::from_secs(30);
    for (kind, streams, stream_timeout, whole) in [
        ("text/event-stream; charset=utf-8", &[][..], stream, true),
        ("application/json", &["/rest/poll/*"], stream, true),
        ("application/json", &["/rest/other/*"], stream, false),
        ("text/event-stream", &[], Duration::from_millis(100), false),
    ] {
        let behind = pausing(kind).await;
        let scene = Scene::with(behind.addr, &policy("/rest/.*"), |config| {
            config.limits.body_timeout = Duration::from_millis(100);
            config.limits.stream_timeout = stream_timeout;
            config.upstream.streams = streams.iter().map(|path| (*path).to_owned()).collect();
        });
        let mut client = scene.connect().await;
        client
            .send(&request("GET /rest/poll/1", "Connection: close\r\n"))
            .await;
        client.head().await;
        let body = client.end().await.unwrap_or_default();
        assert_eq!(body == b"onetwo", whole, "{kind} {streams:?}: {body:?}");
        let end = if whole { "complete" } else { "timeout" };
        assert_eq!(
            scene.only_entry().await["outcome"]["end"],
            end,
            "{kind} {streams:?}"
        );
    }
}

#[tokio::test]
async fn headers_of_the_model_context_protocol_reach_the_upstream() {
    let behind = Behind::answering(OK).await;
    let scene = Scene::new(behind.addr, "/rest/.*");
    let names = [
        "Mcp-Method",
        "Mcp-Name",
        "Mcp-Param-User",
        "Mcp-Session-Id",
        "MCP-Protocol-Version",
    ];
    let more: String = names
        .iter()
        .map(|name| format!("{name}: tools/call\r\n"))
        .collect();
    assert_eq!(scene.ask(&request("GET /rest/a", &more)).await.status, 200);
    let head = behind.heads().pop().unwrap();
    for name in names {
        assert_eq!(field(&head, name), Some("tools/call"), "{name} in {head}");
    }
}
