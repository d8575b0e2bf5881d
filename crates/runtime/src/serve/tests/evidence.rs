//! The audit has what a decision looked at, and of its values what the configuration says.

use tokenward_pdp::config::PasswordSource;
use tokenward_pdp::request::Keep;

use super::harness::{Behind, SECRET, Scene, token};

fn post(target: &str, body: &str) -> String {
    format!(
        "POST {target} HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nAuthorization: Bearer {SECRET}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

const LINES: &str = "/rest/x[QueryParam::a==1][JsonData::k==K]\n/rest/x[JsonData::k==J][JsonData::n==2]";

#[tokio::test]
async fn lines_that_were_tried_are_recorded_with_what_held() {
    let behind = Behind::answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    let scene = Scene::new(behind.addr, LINES);
    let reply = scene.ask(&post("/rest/x?a=2", r#"{"k": "J", "n": 3}"#)).await;
    assert_eq!(reply.status, 403);
    let entry = scene.only_entry().await;
    let tried = &entry["tried"];
    assert_eq!(tried[0]["held"], "no", "{entry}");
    assert_eq!(tried[0]["constraints"][0]["constraint"], "QueryParam::a==");
    assert_eq!(tried[0]["constraints"][0]["held"], "no");
    // The query ruled it out before the body was read.
    assert_eq!(tried[0]["constraints"][1]["held"], "unknown");
    assert_eq!(tried[1]["constraints"][0]["held"], "yes");
    assert_eq!(tried[1]["constraints"][1]["held"], "no");
    assert_eq!(tried[1]["line"]["file"], "a.toml");
    // By default a parameter is kept, as part of the URL, and a value of the body is not.
    assert!(entry["url"].as_str().unwrap().ends_with("/rest/x?a=2"));
    let nodes: Vec<_> = entry["nodes"].as_array().unwrap().iter().collect();
    assert_eq!(nodes.len(), 2);
    assert!(
        nodes
            .iter()
            .all(|node| node["value"].is_null() && node["hmac"].is_null())
    );
}

#[tokio::test]
async fn values_are_kept_hashed_or_dropped_and_secrets_never_kept() {
    let behind = Behind::answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    let key = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(key.path(), "0123456789abcdef0123456789abcdef").unwrap();
    let lines = "/rest/x[JsonData::k==.*][JsonData::s==.*][JsonData::h==.*][JsonData::password==.*]";
    let policy = token("t", SECRET, "user = \"u\"", lines);
    let scene = Scene::with(behind.addr, &policy, |config| {
        config.audit_values.query = Keep::Hash;
        config.audit_values.body = Keep::Text;
        config.audit_values.names = vec![("h".into(), Keep::Hash), ("d".into(), Keep::Nothing)];
        config.audit_values.key = Some(PasswordSource::File(key.path().to_owned()));
    });
    let leaked = format!("twd_{}", "0123456789abcdefghijklmnopqrstuv");
    let body = format!(r#"{{"k": "K", "s": "{leaked}", "h": "hidden", "password": "hunter2"}}"#);
    let reply = scene.ask(&post("/rest/x?q=visible&d=gone", &body)).await;
    assert_eq!(reply.status, 200);
    let entry = scene.only_entry().await;
    let url = entry["url"].as_str().unwrap();
    assert!(
        url.contains("?q=*hmac:") && url.ends_with("&d=*dropped*"),
        "{url}"
    );
    let told = entry.to_string();
    for gone in ["visible", "gone", "hidden", "hunter2", "0123456789abcdef"] {
        assert!(!told.contains(gone), "{told}");
    }
    assert_eq!(entry["nodes"][0]["value"], "K");
    assert_eq!(entry["nodes"][1]["value"], "***");
    assert_eq!(entry["nodes"][2]["hmac"].as_str().unwrap().len(), 24);
    assert!(entry["nodes"][3]["value"].is_null());
    let bytes = behind.heads().remove(0);
    assert!(bytes.starts_with("POST /rest/x?q=visible&d=gone "), "{bytes}");
}
