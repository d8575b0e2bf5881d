//! Whose request it is, behind other proxies.

use tokenward_pdp::request::ClientAddress;
use tokio::io::AsyncReadExt;

use super::harness::{Behind, SECRET, Scene, field, request, token};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// A proxy whose token may be used from 192.0.2.0/24 alone, behind `trusted`.
fn behind(upstream: &Behind, source: ClientAddress, trusted: &str) -> Scene {
    let policy = token(
        "t",
        SECRET,
        "user = \"u\"\nallowed_ips = [\"192.0.2.0/24\"]",
        "/rest/.*",
    );
    Scene::with(upstream.addr, &policy, |config| {
        config.server.client_address = source;
        config.server.trusted_proxies = vec![trusted.parse().unwrap()];
    })
}

#[tokio::test]
async fn limits_the_audit_and_the_upstream_see_whom_a_trusted_proxy_names() {
    let upstream = Behind::answering(OK).await;
    let scene = behind(&upstream, ClientAddress::XForwardedFor, "127.0.0.0/8");
    for (named, status, reason) in [
        ("X-Forwarded-For: 198.51.100.1, 192.0.2.7\r\n", 200, ""),
        ("X-Forwarded-For: 192.0.2.7, 198.51.100.1\r\n", 403, "address"),
        ("", 403, "address"),
        ("X-Forwarded-For: 192.0.2.7, unknown\r\n", 400, "client-address"),
    ] {
        let reply = scene.ask(&request("GET /rest/a", named)).await;
        assert_eq!(reply.status, status, "{named}");
        if !reason.is_empty() {
            assert_eq!(reply.reason(), reason, "{named}");
        }
    }
    // Before 404 and 401: nothing is said to whom nobody knows.
    let reply = scene
        .ask("GET /elsewhere HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: x\r\n\r\n")
        .await;
    assert_eq!((reply.status, reply.reason().as_str()), (400, "client-address"));
    let heads = upstream.heads();
    assert_eq!(heads.len(), 1);
    assert_eq!(field(&heads[0], "x-forwarded-for"), Some("192.0.2.7"));
    let entries = scene.audit_when(|entries| entries.len() == 5).await;
    let clients: Vec<_> = entries
        .iter()
        .map(|entry| entry["client"].as_str().unwrap())
        .collect();
    assert_eq!(
        clients,
        ["192.0.2.7", "198.51.100.1", "127.0.0.1", "127.0.0.1", "127.0.0.1"]
    );
}

#[tokio::test]
async fn a_connection_may_carry_the_requests_of_many() {
    let upstream = Behind::answering(OK).await;
    let scene = behind(&upstream, ClientAddress::Forwarded, "127.0.0.1/32");
    let mut client = scene.connect().await;
    for (address, status) in [("192.0.2.7", 200), ("198.51.100.1", 403), ("192.0.2.8", 200)] {
        client
            .send(&request(
                "GET /rest/a",
                &format!("Forwarded: for={address};proto=https\r\n"),
            ))
            .await;
        assert_eq!(client.reply().await.status, status, "{address}");
    }
}

#[tokio::test]
async fn what_others_claim_is_dropped() {
    let upstream = Behind::answering(OK).await;
    let scene = behind(&upstream, ClientAddress::XForwardedFor, "10.0.0.0/8");
    for claimed in ["192.0.2.7", "nonsense"] {
        let reply = scene
            .ask(&request(
                "GET /rest/a",
                &format!("X-Forwarded-For: {claimed}\r\n"),
            ))
            .await;
        assert_eq!((reply.status, reply.reason().as_str()), (403, "address"));
    }
    // Nor is a PROXY header read from them: it is no request.
    let scene = behind(&upstream, ClientAddress::ProxyProtocol, "10.0.0.0/8");
    let mut client = scene.connect().await;
    client.send("PROXY TCP4 192.0.2.7 192.0.2.1 1 2\r\n").await;
    client.send(&request("GET /rest/a", "")).await;
    assert_eq!(client.reply().await.status, 400);
    assert_eq!(upstream.connections(), 0);
}

#[tokio::test]
async fn the_proxy_protocol_names_the_client_of_a_whole_connection() {
    let upstream = Behind::answering(OK).await;
    let scene = behind(&upstream, ClientAddress::ProxyProtocol, "127.0.0.1/32");
    let mut client = scene.connect().await;
    client.send("PROXY TCP4 192.0.2.7 192.0.2.1 4711 443\r\n").await;
    for _ in 0..2 {
        client
            .send(&request("GET /rest/a", "X-Forwarded-For: 198.51.100.1\r\n"))
            .await;
        assert_eq!(client.reply().await.status, 200);
    }
    assert_eq!(field(&upstream.heads()[1], "x-forwarded-for"), Some("192.0.2.7"));
    // A health check of the proxy's own.
    let mut client = scene.connect().await;
    client.send("PROXY UNKNOWN\r\n").await;
    client.send(&request("GET /rest/a", "")).await;
    assert_eq!(client.reply().await.reason(), "address");
    // No header, or a wrong one: closed without a word, and counted.
    for bytes in [&request("GET /rest/a", ""), "PROXY TCP4 192.0.2.7\r\n"] {
        let mut client = scene.connect().await;
        client.send(bytes).await;
        assert_eq!(client.end().await.unwrap_or_default(), b"");
    }
    scene
        .counted(&["tokenward_bad_framing_total{reason=\"proxy-protocol\"} 2"])
        .await;
    assert_eq!(upstream.heads().len(), 2);
}

#[tokio::test]
async fn an_opening_that_does_not_come_is_not_waited_for() {
    let upstream = Behind::answering(OK).await;
    let policy = token("t", SECRET, "user = \"u\"", "/rest/.*");
    let scene = Scene::with(upstream.addr, &policy, |config| {
        config.server.client_address = ClientAddress::ProxyProtocol;
        config.server.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
        config.limits.head_timeout = std::time::Duration::from_millis(60);
    });
    let mut client = scene.connect().await;
    client.send("PROXY TCP4 192.0.2.7 ").await;
    assert_eq!(client.end().await.unwrap_or_default(), b"");
}

#[tokio::test]
async fn one_client_cannot_take_all_connections() {
    let upstream = Behind::answering(OK).await;
    let policy = token("t", SECRET, "user = \"u\"", "/rest/.*");
    let scene = Scene::with(upstream.addr, &policy, |config| {
        config.limits.max_connections_per_client = 2;
        config.server.client_address = ClientAddress::ProxyProtocol;
        config.server.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
    });
    let open = async |address: &str| {
        let mut client = scene.connect().await;
        client
            .send(&format!("PROXY TCP4 {address} 192.0.2.1 4711 443\r\n"))
            .await;
        client.send(&request("GET /rest/a", "")).await;
        client
    };
    let (mut first, mut second) = (open("192.0.2.7").await, open("192.0.2.7").await);
    assert_eq!(
        (first.reply().await.status, second.reply().await.status),
        (200, 200)
    );
    assert_eq!(open("192.0.2.7").await.end().await.unwrap_or_default(), b"");
    assert_eq!(open("192.0.2.8").await.reply().await.status, 200);
    // The proxy's own connections are not counted.
    for _ in 0..3 {
        assert_eq!(open("127.0.0.1").await.reply().await.status, 200);
    }
    scene
        .counted(&["tokenward_bad_framing_total{reason=\"too-many-connections\"} 1"])
        .await;
    drop(first);
    tokio::time::timeout(super::harness::PATIENCE, async {
        while open("192.0.2.7").await.0.read_u8().await.is_err() {}
    })
    .await
    .expect("a place becomes free");
}
