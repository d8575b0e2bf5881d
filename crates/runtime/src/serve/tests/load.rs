//! What a client or an upstream can use up, and that the calls of others go on.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;
use tokio::time::timeout;

use super::harness::{Behind, Client, PATIENCE, SECRET, Scene, request, token, until};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
/// Longer than any test waits.
const NEVER: Duration = Duration::from_secs(3600);

fn policy() -> String {
    [
        token(
            "t",
            SECRET,
            "user = \"u\"",
            "/rest/.*\n[post]/rest/json[JsonData::a==1]",
        ),
        token(
            "o",
            "twd_secret-of-o",
            "user = \"u\"",
            "[post]/rest/json[JsonData::a==1]\n/rest/free",
        ),
        token(
            "j",
            "twd_secret-of-j",
            "user = \"u\"",
            "[post]/rest/json[JsonData::a==1]",
        ),
    ]
    .concat()
}

#[tokio::test]
async fn idle_connections_give_way_to_a_call() {
    let behind = Behind::answering(OK).await;
    let scene = Scene::with(behind.addr, &policy(), |config| {
        config.limits.max_connections = 8;
        config.limits.head_timeout = NEVER;
        config.limits.idle_timeout = NEVER;
    });
    // One of a token holder, idle after its call; the rest say nothing, or not enough.
    let mut known = scene.connect().await;
    known.send(&request("GET /rest/a", "")).await;
    assert_eq!(known.reply().await.status, 200);
    let mut strangers = Vec::new();
    for n in 0..7 {
        let mut stranger = scene.connect().await;
        if n % 2 == 1 {
            stranger.send("GET /rest/a HTTP/1.1\r\nHost: a\r\n").await;
        }
        strangers.push(stranger);
    }
    scene.counted(&["tokenward_connections 8"]).await;
    let reply = scene.ask(&request("GET /rest/a", "")).await;
    assert_eq!(reply.status, 200);
    scene.counted(&["tokenward_connections_gave_way_total 1"]).await;
    // The oldest stranger went; who was authenticated stays.
    assert!(strangers[0].end().await.is_ok_and(|rest| rest.is_empty()));
    known.send(&request("GET /rest/a", "")).await;
    assert_eq!(known.reply().await.status, 200);
}

#[tokio::test]
async fn a_client_at_its_limit_makes_room_for_its_own_call() {
    let behind = Behind::answering(OK).await;
    let scene = Scene::with(behind.addr, &policy(), |config| {
        config.limits.max_connections_per_client = 2;
        config.limits.head_timeout = NEVER;
    });
    let mut first = scene.connect().await;
    scene.counted(&["tokenward_connections 1"]).await;
    let second = scene.connect().await;
    scene.counted(&["tokenward_connections 2"]).await;
    assert_eq!(scene.ask(&request("GET /rest/a", "")).await.status, 200);
    assert!(first.end().await.is_ok());
    drop(second);
}

#[tokio::test]
async fn calls_in_progress_keep_their_connections() {
    let behind = Behind::new(|head, mut stream| async move {
        if head.contains("/rest/slow") {
            std::future::pending::<()>().await;
        }
        stream.write_all(OK.as_bytes()).await.unwrap();
        Some(stream)
    })
    .await;
    let scene = Scene::with(behind.addr, &policy(), |config| {
        config.limits.max_connections = 1;
        config.limits.head_timeout = NEVER;
    });
    let mut slow = scene.connect().await;
    slow.send(&request("GET /rest/slow", "")).await;
    until(|| behind.heads().len() == 1).await;
    // It waits, since nobody idles; and is answered once the other's client has gone.
    let mut waiting = scene.connect().await;
    waiting.send(&request("GET /rest/a", "")).await;
    let early = timeout(Duration::from_millis(200), waiting.0.readable()).await;
    assert!(early.is_err(), "a call in progress was ended for it");
    drop(slow);
    assert_eq!(waiting.reply().await.status, 200);
}

fn json(secret: &str, path: &str, length: usize) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nAuthorization: Bearer {secret}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    )
}

/// Bytes of bodies that the proxy keeps, as the metrics count them.
async fn held_bytes(scene: &Scene) -> usize {
    let metrics = scene.admin("/metrics").await.body;
    let held = metrics
        .lines()
        .find_map(|line| line.strip_prefix("tokenward_bodies_held_bytes "));
    held.unwrap_or_else(|| panic!("{metrics}")).parse().unwrap()
}

/// Waits until the client has an answer (`true`), or until the proxy keeps so many bytes of bodies.
async fn is_answered_or_held(scene: &Scene, client: &Client, bytes: usize) -> bool {
    timeout(PATIENCE, async {
        loop {
            if timeout(Duration::from_millis(5), client.0.readable())
                .await
                .is_ok()
            {
                return true;
            }
            if held_bytes(scene).await >= bytes {
                return false;
            }
        }
    })
    .await
    .expect("the body is taken or refused")
}

#[tokio::test]
async fn bodies_in_memory_have_one_budget_of_which_each_token_gets_a_share() {
    let behind = Behind::answering(OK).await;
    let scene = Scene::with(behind.addr, &policy(), |config| {
        config.limits.inspect_bytes = 100_000;
        config.limits.inspected_total = 512 * 1024;
    });
    // One token keeps as much as it can in bodies that never end.
    let mut held = Vec::new();
    let refused = loop {
        let mut client = scene.connect().await;
        client.send(&json("twd_secret-of-j", "/rest/json", 90_000)).await;
        client.send(&"x".repeat(80_000)).await;
        if is_answered_or_held(&scene, &client, (held.len() + 1) * 80_000).await {
            break client.reply().await;
        }
        held.push(client);
        assert!(held.len() < 10, "nothing is refused");
    };
    assert!(held.len() >= 2);
    assert_eq!((refused.status, refused.reason().as_str()), (503, "body-budget"));
    assert_eq!(refused.header("retry-after"), Some("5"));
    assert_eq!(refused.header("connection"), Some("close"));
    assert!(held_bytes(&scene).await >= 160_000);
    // Another token's calls go on.
    let body = "{\"a\":1}";
    let reply = scene
        .ask(&(json("twd_secret-of-o", "/rest/json", body.len()) + body))
        .await;
    assert_eq!(reply.status, 200);
    drop(held);
    scene.counted(&["tokenward_bodies_held_bytes 0"]).await;
    let reply = scene
        .ask(&(json("twd_secret-of-j", "/rest/json", body.len()) + body))
        .await;
    assert_eq!(reply.status, 200);
}

#[tokio::test]
async fn large_bodies_are_judged_beside_the_worker() {
    let behind = Behind::answering(OK).await;
    let scene = Scene::new(behind.addr, "[post]/rest/json[JsonData::a==1]");
    for (size, a, status) in [
        (1000, 1, 200),
        (40_000, 1, 200),
        (200_000, 1, 200),
        (200_000, 2, 403),
    ] {
        let body = format!("{{\"a\":{a},\"b\":\"{}\"}}", "x".repeat(size));
        let reply = scene.ask(&(json(SECRET, "/rest/json", body.len()) + &body)).await;
        assert_eq!(reply.status, status, "{size}");
    }
    let entries = scene.audit_when(|entries| entries.len() == 4).await;
    assert_eq!(entries[3]["reason"], "no-line");
    assert!(
        entries[2]["nodes"]
            .as_array()
            .is_some_and(|nodes| !nodes.is_empty()),
        "{}",
        entries[2]
    );
}

#[tokio::test]
async fn a_client_that_reads_a_trickle_is_given_up() {
    let body = "x".repeat(8 << 20);
    let behind = Behind::new(move |_, mut stream| {
        let body = body.clone();
        async move {
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
            let _ = stream.write_all(head.as_bytes()).await;
            let _ = stream.write_all(body.as_bytes()).await;
            None
        }
    })
    .await;
    let scene = Scene::with(behind.addr, &policy(), |config| {
        config.limits.body_timeout = Duration::from_secs(2);
        config.limits.answer_rate = 1_000_000_000;
    });
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut client = Client(socket.connect(scene.running().proxy_addr()).await.unwrap());
    client.send(&request("GET /rest/a", "")).await;
    // It always takes something before the longest pause is over, so that only the rate ends it.
    let mut part = vec![0; 2048];
    let reading = async {
        while client.0.read(&mut part).await.is_ok_and(|read| read > 0) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, reading)
        .await
        .expect("the answer is broken off");
    scene.counted(&["tokenward_slow_readers_total 1"]).await;
    assert_eq!(scene.only_entry().await["outcome"]["end"], "timeout");
}

#[tokio::test]
async fn interim_responses_are_bounded_in_number_and_size() {
    let early = |count: usize, field: usize| {
        format!("HTTP/1.1 103 Early Hints\r\nLink: {}\r\n\r\n", "x".repeat(field)).repeat(count)
    };
    let in_reasons = format!("HTTP/1.1 103 {}\r\n\r\n", "x".repeat(20_000)).repeat(10);
    for (interims, status) in [
        (early(8, 100), 200),
        (early(1000, 1), 502),
        (early(10, 20_000), 502),
        (in_reasons, 502),
    ] {
        let behind = Behind::new(move |_, mut stream| {
            let interims = interims.clone();
            async move {
                let _ = stream.write_all(interims.as_bytes()).await;
                if status == 200 {
                    stream.write_all(OK.as_bytes()).await.unwrap();
                    return Some(stream);
                }
                // It goes on until the proxy closes.
                while stream.write_all(interims.as_bytes()).await.is_ok() {}
                None
            }
        })
        .await;
        let scene = Scene::with(behind.addr, &policy(), |config| {
            config.limits.upstream_timeout = NEVER
        });
        let reply = scene.ask(&request("GET /rest/a", "")).await;
        assert_eq!(reply.status, status);
        if status == 502 {
            assert_eq!(reply.reason(), "upstream-interim-flood");
            assert_eq!(scene.only_entry().await["outcome"]["end"], "upstream-failed");
        }
    }
}
