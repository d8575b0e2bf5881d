//! What a caller presents stands in no record, no line of the log and no answer, wherever else he writes it.

use std::io;
use std::sync::{Arc, Mutex, OnceLock};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokenward_pdp::config::{CallLog, PasswordSource};
use tokenward_pdp::request::Keep;

use super::harness::{Behind, Scene, token, until};

/// As the ancestor made them: no prefix of ours.
const IMPORTED: &str = "k3v9x2m7q1z8b4n6c5l0j2h3g7f1d9s8";
const OURS: &str = "twd_0123456789abcdefghijklmnopqrstuvwxyz01";
/// Of no token.
const STRANGE: &str = "q8w2e6r4t1y9u3i7o5p0a2s4d6f8g1h3";
const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// What is logged in this process, from now on.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn kept() -> Self {
        static LOG: OnceLock<Log> = OnceLock::new();
        LOG.get_or_init(|| {
            let log = Self::default();
            let writer = log.clone();
            let subscriber = tracing_subscriber::fmt()
                .with_max_level(tracing::Level::TRACE)
                .with_ansi(false)
                .with_writer(move || writer.clone())
                .finish();
            tracing::subscriber::set_global_default(subscriber).unwrap();
            log
        })
        .clone()
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn basic(user: &str, secret: &str) -> String {
    STANDARD.encode(format!("{user}:{secret}"))
}

fn head(line: &str, authorization: &str, more: &str) -> String {
    format!("{line} HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nAuthorization: {authorization}\r\n{more}\r\n")
}

/// Letters and digits of the texts that must be nowhere: each secret, its first and its last characters, and the part of its
/// Base64 that does not depend on the user's length.
fn leaks(told: &str) -> Option<String> {
    let told = told.to_lowercase();
    let part = |text: &str, from: usize, length: usize| text.get(from..from + length).unwrap().to_lowercase();
    let parts = |secret: &str| [part(secret, 4, 16), part(secret, secret.len() - 16, 16)];
    let encoded = [IMPORTED, OURS, STRANGE].iter().flat_map(|secret| {
        ["", "x", "xx"].map(|before| part(&STANDARD.encode(format!("{before}{secret}")), 4, 24))
    });
    let mut wanted = [IMPORTED, OURS, STRANGE]
        .iter()
        .flat_map(|secret| parts(secret))
        .chain(encoded);
    wanted.find(|part| told.contains(part.as_str()))
}

#[tokio::test]
async fn presented_secrets_are_told_nowhere() {
    let log = Log::kept();
    let behind = Behind::answering(OK).await;
    let policy = [
        token("t", OURS, "users = [\"svc-ci\"]", "/rest/.*"),
        token("imported", IMPORTED, "any_user = true", "/rest/.*"),
    ];
    let scene = Scene::with(behind.addr, &policy.concat(), |config| {
        config.log.calls = CallLog::Info;
        config.auth.throttling.attempts = 0;
    });
    let mut calls = 0;
    for (secret, user) in [(IMPORTED, "old-ci"), (OURS, "another"), (STRANGE, "x")] {
        let known = format!("Basic {}", basic(user, secret));
        let other_scheme = format!("Token token=\"{secret}\"");
        let named_so = format!("Basic {}", basic(secret, secret));
        let encoded = basic("svc-ci", secret);
        let (begin, end) = secret.split_at(20);
        for line in [
            format!("GET /rest/a?note={secret}"),
            format!("GET /rest/{secret}/b"),
            format!("GET /elsewhere/{secret}"),
            format!("GET /rest/a?{secret}=1"),
            format!("{secret} /rest/a"),
            format!("GET /rest/a?p={encoded}"),
            format!("GET /rest/a?p={begin}%{end}"),
            format!("GET /rest/a?p={begin}%25{end}"),
            format!("GET /rest/a/{begin}/{end}"),
            format!("GET /rest/a#{secret}"),
            format!("GET http://u:{secret}@127.0.0.1:8080/rest/a"),
        ] {
            for authorization in [&known, &other_scheme, &named_so] {
                let id = format!(
                    "X-Request-ID: {secret}\r\ntracestate: a={secret}\r\ntraceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n"
                );
                let reply = scene.ask(&head(&line, authorization, &id)).await;
                assert!((400..500).contains(&reply.status), "{line}: {reply:?}");
                assert_eq!(leaks(&format!("{reply:?}")), None, "{line}");
                calls += 1;
            }
        }
    }
    assert_eq!(behind.heads(), [""; 0]);
    let entries = scene.audit_when(|entries| entries.len() == calls).await;
    for entry in &entries {
        assert_eq!(leaks(&entry.to_string()), None, "{entry}");
    }
    for reason in [
        "secret-in-url",
        "unknown-token",
        "wrong-user",
        "malformed-credentials",
        "query-escape",
    ] {
        assert!(entries.iter().any(|entry| entry["reason"] == reason), "{reason}");
    }
    assert!(entries.iter().any(|entry| entry["method"] == "***"));
    until(|| log.text().matches("tokenward::call").count() >= calls).await;
    drop(scene);
    assert!(log.text().contains("secret-in-url"));
    assert_eq!(leaks(&log.text()), None);
}

#[tokio::test]
async fn kept_values_of_a_body_and_a_trace_have_no_presented_secret() {
    let behind = Behind::answering(OK).await;
    let key = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(key.path(), "0123456789abcdef0123456789abcdef").unwrap();
    let lines = "/rest/x[JsonData::k==.*][JsonData::s==.*][JsonData::h==.*]";
    let policy = token("t", IMPORTED, "user = \"old-ci\"", lines);
    let scene = Scene::with(behind.addr, &policy, |config| {
        config.audit_values.body = Keep::Text;
        config.audit_values.names = vec![("h".into(), Keep::Hash)];
        config.audit_values.key = Some(PasswordSource::File(key.path().to_owned()));
    });
    let encoded = basic("old-ci", IMPORTED);
    let body = format!(r#"{{"k": "say {IMPORTED}", "s": "{encoded}", "h": "{IMPORTED}"}}"#);
    let more = format!(
        "Content-Type: application/json\r\nContent-Length: {}\r\ntracestate: a={IMPORTED}\r\ntraceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n{IMPORTED}: x\r\n",
        body.len()
    );
    let request = head("POST /rest/x", &format!("Basic {encoded}"), &more);
    assert_eq!(scene.ask(&format!("{request}{body}")).await.status, 200);
    let entry = scene.only_entry().await;
    assert_eq!(leaks(&entry.to_string()), None, "{entry}");
    assert_eq!(entry["nodes"][0]["value"], "***");
    assert_eq!(entry["nodes"][1]["value"], "***");
    assert!(
        entry["nodes"][2]["value"].is_null() && entry["nodes"][2]["hmac"].is_null(),
        "{entry}"
    );
    let sent = behind.heads().remove(0);
    assert_eq!(leaks(&sent), None, "{sent}");
}

#[tokio::test]
async fn the_secret_of_another_known_token_in_a_cookie_is_masked_and_other_cookies_hide_nothing() {
    let behind = Behind::answering(OK).await;
    let policy = [
        token("t", OURS, "user = \"svc-ci\"", "/rest/.*"),
        token("old", IMPORTED, "user = \"old-ci\"\nrevoked = true", "/rest/.*"),
    ]
    .concat();
    let scene = Scene::with(behind.addr, &policy, |_| {});
    let own = format!("Basic {}", basic("svc-ci", OURS));
    for (authorization, cookie) in [
        (&*own, format!("s={IMPORTED}")),
        ("Bearer unknown", format!("a=b; s={}", basic("old-ci", IMPORTED))),
    ] {
        let line = format!("GET /rest/a?note={IMPORTED}");
        let reply = scene
            .ask(&head(&line, authorization, &format!("Cookie: {cookie}\r\n")))
            .await;
        assert_eq!(leaks(&reply.body), None, "{reply:?}");
    }
    let line = format!("GET /rest/a?note={STRANGE}");
    scene
        .ask(&head(&line, &own, &format!("Cookie: s={STRANGE}\r\n")))
        .await;
    let entries = scene.audit_when(|entries| entries.len() == 3).await;
    let url = |entry: &serde_json::Value| entry["url"].as_str().unwrap().to_owned();
    let mut urls: Vec<String> = entries.iter().map(url).collect();
    urls.sort_unstable();
    let shown = |note: &str| format!("http://127.0.0.1:8080/rest/a?note={note}");
    assert_eq!(urls, [shown("***"), shown("***"), shown(STRANGE)]);
}
