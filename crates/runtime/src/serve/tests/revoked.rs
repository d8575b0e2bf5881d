//! Revocation: what it ends, and that nothing undoes it.

use std::time::Duration;

use tokenward_testbed::Stopwatch;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::timeout;

use super::harness::{Behind, Client, PATIENCE, Reply, SECRET, Scene, replace_file, request, token};

/// What is promised.
const AT_MOST: Duration = Duration::from_secs(1);

/// An upstream that sends this and then nothing, and tells when its connection is closed.
async fn stalling(answer: &'static str) -> (Behind, UnboundedReceiver<&'static str>) {
    let (tell, told) = tokio::sync::mpsc::unbounded_channel();
    let behind = Behind::new(move |_, mut stream: TcpStream| {
        let tell = tell.clone();
        async move {
            stream.write_all(answer.as_bytes()).await.unwrap();
            tell.send("called").unwrap();
            let mut rest = Vec::new();
            let _ = stream.read_to_end(&mut rest).await;
            tell.send("closed").unwrap();
            None
        }
    })
    .await;
    (behind, told)
}

async fn news(told: &mut UnboundedReceiver<&'static str>) -> &'static str {
    timeout(PATIENCE, told.recv())
        .await
        .expect("news in time")
        .unwrap()
}

#[track_caller]
fn within(watch: &Stopwatch) {
    let took = watch.took();
    assert!(took < AT_MOST, "{took:?}");
}

/// A POST to the admin listener, with the secret.
async fn order(scene: &Scene, body: &str) -> Reply {
    let secret = std::fs::read_to_string(scene.folder.path().join("admin.secret")).unwrap();
    let mut client = Client(TcpStream::connect(scene.running().admin_addr()).await.unwrap());
    client
        .send(&format!(
            "POST /v1/revoke HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\nContent-Length: {}\r\n\r\n{body}",
            secret.trim(),
            body.len()
        ))
        .await;
    client.reply().await
}

fn revoke_in_file(scene: &Scene) {
    let revoked = token("t", SECRET, "user = \"u\"\nrevoked = true", "/rest/.*");
    replace_file(scene.folder.path().join("policies/a.toml"), revoked);
}

#[tokio::test]
async fn a_call_that_waits_is_answered_401_and_leaves_the_upstream() {
    let (behind, mut told) = stalling("").await;
    let scene = Scene::new(behind.addr, "/rest/.*");
    let mut client = scene.connect().await;
    client.send(&request("GET /rest/a", "")).await;
    assert_eq!(news(&mut told).await, "called");
    // The policy otherwise does not compile.
    std::fs::write(scene.folder.path().join("policies/broken.toml"), "[[token").unwrap();
    let watch = Stopwatch::start();
    revoke_in_file(&scene);
    let reply = client.reply().await;
    assert_eq!((reply.status, reply.reason().as_str()), (401, "revoked"));
    assert_eq!(news(&mut told).await, "closed");
    within(&watch);
    let entry = scene.only_entry().await;
    assert_eq!(
        (&entry["outcome"]["end"], &entry["outcome"]["status"]),
        (&"revoked".into(), &401.into())
    );
}

#[tokio::test]
async fn an_answer_under_way_ends_in_a_reset() {
    let (behind, mut told) = stalling("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nthe begin").await;
    let scene = Scene::new(behind.addr, "/rest/.*");
    let mut client = scene.connect().await;
    client.send(&request("GET /rest/a", "")).await;
    assert_eq!(client.head().await.0, 200);
    assert_eq!(news(&mut told).await, "called");
    let watch = Stopwatch::start();
    assert_eq!(order(&scene, r#"{"token":"t"}"#).await.status, 200);
    assert!(client.end().await.is_err(), "a reset");
    assert_eq!(news(&mut told).await, "closed");
    within(&watch);
    assert_eq!(scene.only_entry().await["outcome"]["end"], "revoked");
}

#[tokio::test]
async fn a_client_that_takes_nothing_holds_nothing_up() {
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let behind = Behind::new(move |_, mut stream: TcpStream| {
        let tell = tell.clone();
        async move {
            stream
                .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
                .await
                .unwrap();
            let block = vec![b'x'; 1 << 20];
            // Until nothing moves any more, and then until it is closed.
            while let Ok(Ok(())) = timeout(Duration::from_millis(300), stream.write_all(&block)).await {}
            tell.send("full").unwrap();
            while stream.write_all(&block).await.is_ok() {}
            tell.send("closed").unwrap();
            None
        }
    })
    .await;
    let scene = Scene::new(behind.addr, "/rest/.*");
    let mut client = scene.connect().await;
    client.send(&request("GET /rest/a", "")).await;
    assert_eq!(news(&mut told).await, "full");
    let watch = Stopwatch::start();
    assert_eq!(order(&scene, r#"{"token":"t"}"#).await.status, 200);
    assert_eq!(news(&mut told).await, "closed");
    within(&watch);
    assert!(client.end().await.is_err(), "a reset");
    assert_eq!(scene.only_entry().await["outcome"]["end"], "revoked");
}

#[tokio::test]
async fn an_upload_under_way_ends() {
    let (behind, mut told) = stalling("").await;
    let scene = Scene::new(behind.addr, "/rest/.*");
    let mut client = scene.connect().await;
    client
        .send(&request("POST /rest/a", "Content-Length: 10000000\r\n"))
        .await;
    client.send(&"x".repeat(100_000)).await;
    assert_eq!(news(&mut told).await, "called");
    assert_eq!(order(&scene, r#"{"token":"t"}"#).await.status, 200);
    assert_eq!(news(&mut told).await, "closed");
    assert_eq!(client.head().await.0, 401);
    assert_eq!(scene.only_entry().await["outcome"]["end"], "revoked");
}

#[tokio::test]
async fn other_tokens_go_on() {
    let (begun, mut begins) = tokio::sync::mpsc::unbounded_channel();
    let (go, went) = tokio::sync::watch::channel(false);
    let behind = Behind::new(move |_, mut stream| {
        let (begun, mut went) = (begun.clone(), went.clone());
        async move {
            begun.send(()).unwrap();
            went.wait_for(|go| *go).await.unwrap();
            stream
                .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                .await
                .unwrap();
            Some(stream)
        }
    })
    .await;
    let policy = [
        token("t", SECRET, "user = \"u\"", "/rest/.*"),
        token("o", "twd_another", "user = \"o\"", "/rest/.*"),
    ]
    .concat();
    let scene = Scene::with(behind.addr, &policy, |_| {});
    let mut client = scene.connect().await;
    client.send(&request("GET /rest/a", "")).await;
    begins.recv().await.unwrap();
    assert_eq!(order(&scene, r#"{"token":"o"}"#).await.status, 200);
    let mut other = scene.connect().await;
    other
        .send(&request("GET /rest/a", "").replace(SECRET, "twd_another"))
        .await;
    assert_eq!(other.reply().await.status, 401);
    go.send(true).unwrap();
    assert_eq!(client.reply().await.body, "ok");
}

#[tokio::test]
async fn orders_are_carried_out_or_refused_and_outlive_the_process() {
    let behind = Behind::answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    let mut scene = Scene::new(behind.addr, "/rest/.*");
    for wrong in [
        "",
        "{}",
        r#"{"token":"t","hash":"sha256:00"}"#,
        r#"{"hash":"00"}"#,
        r#"{"tokn":"t"}"#,
    ] {
        assert_eq!(order(&scene, wrong).await.status, 400, "{wrong}");
    }
    assert_eq!(order(&scene, r#"{"token":"nobody"}"#).await.status, 404);
    assert_eq!(scene.ask(&request("GET /rest/a", "")).await.status, 200);
    let hash = format!("sha256:{}", hex::encode(tokenward_pdp::secret::hash(SECRET)));
    let reply = order(&scene, &format!(r#"{{"hash":"{hash}"}}"#)).await;
    assert_eq!(
        (reply.status, reply.body),
        (200, format!("{{\"revoked\":[\"{hash}\"]}}\n"))
    );
    assert_eq!(scene.ask(&request("GET /rest/a", "")).await.status, 401);
    scene.restart();
    assert_eq!(scene.ask(&request("GET /rest/a", "")).await.status, 401);
}
