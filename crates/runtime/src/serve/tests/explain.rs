//! `POST /v1/explain`: answers of the admin listener, for operators only, and without secrets.

use serde_json::{Value, json};
use tokio::net::TcpStream;

use super::harness::{Behind, Client, Reply, SECRET, Scene, replace_file, request, token};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

async fn ask(scene: &Scene, secret: &str, question: &str) -> Reply {
    let mut client = Client(TcpStream::connect(scene.running().admin_addr()).await.unwrap());
    client
        .send(&format!(
            "POST /v1/explain HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {secret}\r\nContent-Length: {}\r\n\r\n{question}",
            question.len()
        ))
        .await;
    client.reply().await
}

#[tokio::test]
async fn the_running_proxy_explains_to_operators_alone_and_records_nothing() {
    let behind = Behind::answering(OK).await;
    let scene = Scene::new(behind.addr, "[get]/rest/a");
    let secret = std::fs::read_to_string(scene.folder.path().join("admin.secret")).unwrap();
    let secret = secret.trim();
    let question = |method: &str, more: Value| {
        let mut question = json!({ "token": "t", "method": method, "target": "/rest/a" });
        question
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        question.to_string()
    };
    assert_eq!(
        ask(&scene, "wrong", &question("GET", json!({}))).await.status,
        401
    );

    let hash = format!("sha256:{}", hex::encode(tokenward_pdp::secret::hash(SECRET)));
    let shown = |user: &str| json!({ "shown": { "scheme": "basic", "user": user, "secret_hash": hash } });
    let wrong =
        json!({ "shown": { "scheme": "bearer", "secret_hash": format!("sha256:{}", "0".repeat(64)) } });
    for (method, more, reason) in [
        ("GET", json!({}), "allowed"),
        ("PUT", json!({}), "no-line"),
        ("GET", shown("u"), "allowed"),
        ("GET", shown("other"), "wrong-user"),
        ("GET", wrong, "unknown-token"),
        ("GET", json!({ "time_ms": 4_200_000_000_000_i64 }), "expired"),
        (
            "GET",
            json!({ "headers": [["X-HTTP-Method-Override", "PUT"]] }),
            "method-override",
        ),
        (
            "GET",
            json!({ "headers": [["A", "b\r\nC: d"]] }),
            "control-character-in-head",
        ),
    ] {
        let reply = ask(&scene, secret, &question(method, more.clone())).await;
        let report: Value = serde_json::from_str(&reply.body).unwrap_or_default();
        assert_eq!(
            (reply.status, report["reason"].as_str()),
            (200, Some(reason)),
            "{more} {}",
            reply.body
        );
    }
    // Questions that have no answer say why, and repeat nothing of the request.
    for (question, expected) in [
        (SECRET.to_owned(), "the body is"),
        (question("GET", json!({ "nonsense": SECRET })), "the body is"),
        (question("GET", json!({ "token": SECRET })), "not its secret"),
        (question("GET", json!({ "body": "%" })), "base64"),
        (
            question(
                "GET",
                json!({ "shown": { "scheme": "basic", "secret_hash": SECRET } }),
            ),
            "64 hexadecimal digits",
        ),
    ] {
        let reply = ask(&scene, secret, &question).await;
        assert!(reply.status == 400 && reply.body.contains(expected), "{reply:?}");
        assert!(!reply.body.contains(SECRET), "{reply:?}");
    }
    assert_eq!(
        scene.admin("/v1/audit").await.body,
        "",
        "an explanation is not a call"
    );

    // What is revoked or changed is explained so at once.
    assert_eq!(scene.ask(&request("GET /rest/a", "")).await.status, 200);
    let file = scene.folder.path().join("policies/a.toml");
    replace_file(
        &file,
        token("t", SECRET, "user = \"u\"\nrevoked = true", "[get]/rest/a"),
    );
    while scene.ask(&request("GET /rest/a", "")).await.status != 401 {}
    let reply = ask(&scene, secret, &question("GET", json!({}))).await;
    assert!(reply.body.contains("\"revoked\""), "{reply:?}");
}
