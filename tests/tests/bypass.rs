//! The bypass vectors (`corpus/bypass`) through the running proxy: nothing that must be denied reaches the upstream, nothing that
//! must be allowed fails to. `e2e/bypass.sh` judges the same vectors to the byte of what was forwarded; this needs cargo alone.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail their test"
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use serde::Deserialize;
use tokenward_tests::{Client, Proxy, Setup, TestToken, Upstream, eventually};

#[derive(Deserialize)]
struct Policy {
    limits: Vec<String>,
    #[serde(default)]
    ip_limit: Vec<String>,
    /// Further lines of the token's entry.
    #[serde(default)]
    keys: Vec<String>,
    user: Option<String>,
    #[serde(default)]
    any_user: bool,
}

#[derive(Deserialize)]
struct Vector {
    id: String,
    policy_key: String,
    raw: String,
    expect: String,
}

fn read(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus/bypass")
        .join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn tokens(policies: &str) -> BTreeMap<String, TestToken> {
    let policies: BTreeMap<String, Policy> = serde_json::from_str(&read(policies)).unwrap();
    let token = |(key, policy): (String, Policy)| {
        let lines: Vec<_> = policy.limits.iter().map(String::as_str).collect();
        let mut token = TestToken::new(&key, &lines);
        if !policy.ip_limit.is_empty() {
            token = token.with(&format!("allowed_ips = {:?}", policy.ip_limit));
        }
        for key in &policy.keys {
            token = token.with(key);
        }
        if let Some(user) = &policy.user {
            token = token.of_user(user);
        }
        if policy.any_user {
            token = token.of_any_user();
        }
        (key, token)
    };
    policies.into_iter().map(token).collect()
}

/// Fills the placeholders; the text holds one character a byte.
fn bytes(raw: &str, token: &TestToken, all: &BTreeMap<String, TestToken>, host: &str) -> Vec<u8> {
    let basic = token.basic();
    let mut text = raw
        .replace("${TOKEN}", token.secret())
        .replace("${BASIC}", basic.trim_start_matches("Basic "))
        .replace("${USER}", "svc")
        .replace("${HOST}", host);
    for (key, other) in all {
        text = text.replace(&format!("${{TOKEN:{key}}}"), other.secret());
    }
    while let Some((before, rest)) = text.split_once("${B64(") {
        let (inner, after) = rest.split_once(")}").unwrap();
        let inner: Vec<u8> = inner.chars().map(|c| u8::try_from(c).unwrap()).collect();
        text = format!(
            "{before}{}{after}",
            base64::engine::general_purpose::STANDARD.encode(inner)
        );
    }
    text.chars().map(|c| u8::try_from(c).unwrap()).collect()
}

fn run(vectors: &str, policies: &str, product: &str) {
    let upstream = Upstream::start();
    let tokens = tokens(policies);
    let mut setup = Setup::new(upstream.port())
        .endpoints("/*")
        .product(product)
        // It goes on in [auth].
        .section("never_act_as = [\"admin\", \"Root\", \"site-admin\"]")
        // One vector never ends its body: the answer to it should not take long.
        .section("[limits]\nbody_timeout = \"1s\"");
    for token in tokens.values() {
        setup = setup.token(token);
    }
    let proxy = Proxy::start(&setup);
    let host = format!("127.0.0.1:{}", proxy.port());
    let mut wrong = Vec::new();
    let mut ran = 0;
    for line in read(vectors).lines() {
        let vector: Vector = serde_json::from_str(line).unwrap();
        let Some(token) = tokens.get(&vector.policy_key) else {
            panic!("{}: no such policy", vector.id)
        };
        let before = upstream.count();
        let mut client = Client::connect(proxy.port());
        let raw = bytes(&vector.raw, token, &tokens, &host);
        // The proxy may close while the rest of a malformed request is still being sent.
        let _ = client.write(&raw);
        let status = client
            .answer(raw.starts_with(b"HEAD"))
            .map(|answer| answer.status)
            .ok();
        if vector.raw.matches(" HTTP/1.").count() > 1 {
            // What hides behind the first request is decided as well before the next vector's turn.
            client.drain(Duration::from_millis(100));
        }
        let reached = upstream.count() - before;
        let fine = match vector.expect.as_str() {
            "deny" => reached == 0 && status.is_some_and(|status| (400..500).contains(&status)),
            "allow" => reached > 0 && status == Some(200),
            _ => reached > 0 || status.is_some_and(|status| (400..500).contains(&status)),
        };
        if !fine {
            wrong.push(format!(
                "{}: {} expected, status {status:?}, {reached} at the upstream",
                vector.id, vector.expect
            ));
        }
        ran += 1;
    }
    assert!(ran > 0);
    assert!(
        wrong.is_empty(),
        "{} of {ran}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    eventually("the audit answers", || (!proxy.audit().is_empty()).then_some(()));
}

#[test]
fn open_vectors() {
    run("vectors-open.jsonl", "policies.json", "jira");
}

#[test]
fn own_vectors() {
    run("vectors-own.jsonl", "policies-own.json", "jira");
}

#[test]
fn vectors_of_an_upstream_that_merges() {
    run("vectors-merge.jsonl", "policies-merge.json", "generic");
}

#[test]
fn vectors_of_calls_that_give() {
    for product in ["jira", "confluence", "gitlab", "redmine", "generic"] {
        run(
            &format!("vectors-calls-{product}.jsonl"),
            "policies-calls.json",
            product,
        );
    }
}

#[test]
fn vectors_of_names_of_people() {
    run("vectors-names.jsonl", "policies-names.json", "jira");
}
