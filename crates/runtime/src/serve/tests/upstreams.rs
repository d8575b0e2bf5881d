//! Several addresses of the upstream.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokenward_pdp::config::Config;
use tokenward_testbed::Stopwatch;

use super::harness::{Behind, Nobody, SECRET, Scene, field, request, token, until};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

fn before(upstreams: &[SocketAddr], change: impl FnOnce(&mut Config)) -> Scene {
    let policy = token("t", SECRET, "user = \"u\"", "/rest/.*");
    let first = *upstreams.first().unwrap();
    Scene::with(first, &policy, |config| {
        config.upstream.urls = upstreams.iter().map(|at| format!("http://{at}")).collect();
        change(config);
    })
}

#[tokio::test]
async fn calls_take_turns() {
    let (a, b) = (Behind::answering(OK).await, Behind::answering(OK).await);
    let scene = before(&[a.addr, b.addr], |_| {});
    for _ in 0..6 {
        assert_eq!(
            scene
                .ask(&request("POST /rest/a", "Content-Length: 0\r\n"))
                .await
                .status,
            200
        );
    }
    assert_eq!((a.heads().len(), b.heads().len()), (3, 3));
    assert_eq!(
        field(&b.heads()[0], "host"),
        Some("127.0.0.1:8080"),
        "the public one"
    );
}

#[tokio::test]
async fn what_changes_nothing_goes_to_another_address_and_the_rest_is_told() {
    let (gone, there) = (Nobody::new(), Behind::answering(OK).await);
    let scene = before(&[gone.addr, there.addr], |_| {});
    assert_eq!(scene.ask(&request("GET /rest/a", "")).await.status, 200);
    let metrics = scene.admin("/metrics").await.body;
    for line in [
        format!("tokenward_upstream_up{{address=\"{}\"}} 0", gone.addr),
        format!("tokenward_upstream_up{{address=\"{}\"}} 1", there.addr),
        format!(
            "tokenward_upstream_connect_failures_total{{address=\"{}\"}} 1",
            gone.addr
        ),
    ] {
        assert!(metrics.contains(&line), "{line} in {metrics}");
    }
    // Left out, it costs nobody a failure.
    for _ in 0..4 {
        assert_eq!(
            scene
                .ask(&request("POST /rest/a", "Content-Length: 1\r\n").replace("\r\n\r\n", "\r\n\r\nx"))
                .await
                .status,
            200
        );
    }
    // A call that may change something is never sent again.
    let scene = before(&[gone.addr, there.addr], |_| {});
    let reply = scene.ask(&request("POST /rest/a", "Content-Length: 0\r\n")).await;
    assert_eq!(
        (reply.status, reply.reason().as_str()),
        (502, "upstream-unreachable")
    );
}

#[tokio::test]
async fn with_no_address_left_it_is_told_at_once() {
    let (a, b) = (Nobody::new(), Nobody::new());
    let scene = before(&[a.addr, b.addr], |_| {});
    for _ in 0..3 {
        let watch = Stopwatch::start();
        let reply = scene.ask(&request("GET /rest/a", "")).await;
        assert_eq!(
            (reply.status, reply.reason().as_str()),
            (502, "upstream-unreachable")
        );
        let took = watch.took();
        assert!(took < Duration::from_secs(2), "{took:?}");
    }
}

#[tokio::test]
async fn one_that_is_not_well_is_left_out_and_taken_in_again() {
    let is_ill = Arc::new(AtomicBool::new(true));
    let (well, ill) = (Behind::answering(OK).await, {
        let is_ill = Arc::clone(&is_ill);
        Behind::new(move |head, mut stream| {
            let is_ill = Arc::clone(&is_ill);
            async move {
                use tokio::io::AsyncWriteExt;
                let health = head.starts_with("GET /ctx/status?deep ");
                let answer = if health && is_ill.load(Ordering::SeqCst) {
                    "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n"
                } else {
                    OK
                };
                stream.write_all(answer.as_bytes()).await.unwrap();
                Some(stream)
            }
        })
        .await
    });
    let scene = before(&[well.addr, ill.addr], |config| {
        config.upstream.health_path = Some("/ctx/status?deep".to_owned());
        config.upstream.health_interval = Duration::from_millis(50);
    });
    let checks = |behind: &Behind| {
        behind
            .heads()
            .iter()
            .filter(|head| head.contains("/ctx/status"))
            .count()
    };
    until(|| checks(&ill) >= 3).await;
    let calls = |behind: &Behind| behind.heads().len() - checks(behind);
    for _ in 0..4 {
        assert_eq!(scene.ask(&request("GET /rest/a", "")).await.status, 200);
    }
    assert_eq!((calls(&well), calls(&ill)), (4, 0));
    is_ill.store(false, Ordering::SeqCst);
    // The check that is in progress may still fail. The last of these begins after a good answer was taken in.
    let before = checks(&ill);
    until(|| checks(&ill) >= before + 3).await;
    for _ in 0..4 {
        assert_eq!(scene.ask(&request("GET /rest/a", "")).await.status, 200);
    }
    assert_eq!((calls(&well), calls(&ill)), (6, 2));
    let check = well
        .heads()
        .into_iter()
        .find(|head| head.contains("/ctx/status"))
        .unwrap();
    assert_eq!(field(&check, "host"), Some("127.0.0.1:8080"));
    for identity in ["authorization", "x-forwarded-user"] {
        assert_eq!(field(&check, identity), None, "{check}");
    }
}
