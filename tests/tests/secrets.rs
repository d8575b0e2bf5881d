//! Secrets stay secret: everything that the proxy writes and answers is searched for each of them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a failed expectation is a test's way to fail"
)]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use tokenward_tests::{Answer, Call, Client, Proxy, Setup, TestToken, Upstream};

const PASSWORD: &str = "upstream-Passw0rd-of-the-account";

/// What was written, each with the name that a failure shows.
type Written = Vec<(&'static str, Vec<u8>)>;

#[test]
fn no_secret_is_in_the_text_log_or_anything_else() {
    search("text");
}

#[test]
fn no_secret_is_in_the_json_log_or_anything_else() {
    search("json");
}

fn search(format: &str) {
    let upstream = Upstream::start();
    // It keeps what it is sent, which is all that a collector of spans is for here.
    let collector = Upstream::start();
    let token = TestToken::new("reader", &["[get,post]/rest/api/2/.*[JsonData::a?=.*]"]).with_prefix();
    let stranger = TestToken::new("unknown", &[]).with_prefix();
    let expired = TestToken::new("expired", &[".*"])
        .with_prefix()
        .with("expires = 2020-01-01T00:00:00Z");
    // `notify` would tell of each line of the log, which stands beside the policies, in a line of the log.
    let setup = Setup::new(upstream.port())
        .token(&token)
        .token(&expired)
        .section(&format!(
            "[log]\nformat = \"{format}\"\nlevel = \"trace,notify=info\"\ncalls = \"info\""
        ))
        .section(&format!(
            "[telemetry]\notlp_endpoint = \"http://127.0.0.1:{}/v1/traces\"",
            collector.port()
        ))
        .section(
            "[upstream.identity]\nmode = \"service-account\"\nuser = \"svc-account\"\nsecret_file = \"password\"",
        );
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("policies")).unwrap();
    fs::write(
        directory.path().join("policies/tokens.toml"),
        [token.entry(), expired.entry()].concat(),
    )
    .unwrap();
    let password = directory.path().join("password");
    fs::write(&password, PASSWORD).unwrap();
    fs::set_permissions(&password, fs::Permissions::from_mode(0o600)).unwrap();
    let proxy = Proxy::start_in(&setup, directory);

    let mut written: Written = Vec::new();
    for secret in [&token, &stranger, &expired] {
        for call in tries(secret, &token) {
            let answer = Client::connect(proxy.port()).send(&call);
            written.push(("an answer", whole(&answer)));
        }
    }
    assert!(
        upstream.seen().iter().any(|seen| seen
            .values("authorization")
            .join("")
            .contains(&STANDARD.encode(format!("svc-account:{PASSWORD}")))),
        "the account's password is in use"
    );
    // What never becomes a request.
    for bytes in [
        format!("GET /rest/{} HTTP/1.1\nHost: a\r\n\r\n", token.secret()),
        format!("GET /rest/a HTTP/1.1\r\nHost: a\r\n{}\r\n\r\n", token.secret()),
        format!("GET /rest/a HTTP/1.1\r\nHost: {}\r\n\r\n", token.secret()),
    ] {
        written.push(("an answer to bad framing", raw(proxy.port(), &bytes)));
    }
    // A policy that quotes a secret in an error, as people do.
    proxy.replace_policy_text(
        &token
            .entry()
            .replace("user =", &format!("secret = \"{}\"\nuser =", token.secret())),
    );
    let admin = fs::read_to_string(proxy.directory().join(".tokenward/admin.secret")).unwrap();
    let admin = admin.trim();
    for authorization in [
        format!("Bearer {admin}"),
        format!("Bearer {admin}x"),
        format!("Basic {admin}"),
    ] {
        for path in [
            "/metrics",
            "/readyz",
            "/v1/audit?limit=1000",
            "/v1/audit?nonsense=1",
            "/v1/revoke",
        ] {
            let call = Call::get(path)
                .header("Authorization", &authorization)
                .header("Connection", "close");
            written.push((
                "an answer to operators",
                whole(&Client::connect(proxy.admin_port()).send(&call)),
            ));
        }
    }
    let log = tokenward_tests::eventually("the log tells of the broken policy", || {
        Some(proxy.log()).filter(|log| log.contains("policy not replaced"))
    });
    assert!(
        log.contains("hyper") && log.contains("TRACE") && log.contains("tokenward::call"),
        "the log has all levels, and the libraries'"
    );
    let directory = proxy.stop();
    let spans: Vec<Vec<u8>> = collector.seen().into_iter().map(|sent| sent.body).collect();
    let sent = spans.concat();
    assert!(
        sent.windows(13).any(|text| text == b"tokenward.end"),
        "spans were sent"
    );
    written.extend(spans.into_iter().map(|span| ("a span", span)));
    written.push(("the log", fs::read(directory.path().join("serve.log")).unwrap()));
    files(&directory.path().join(".tokenward"), &mut written);

    let secrets = [
        token.secret(),
        stranger.secret(),
        expired.secret(),
        PASSWORD,
        admin,
    ];
    let users = ["svc", "svc-account", "", "tokenward"];
    let mut found = Vec::new();
    for secret in secrets {
        let mut forms = vec![secret.to_owned(), hex::encode(secret), secret.to_uppercase()];
        for user in users {
            let pair = format!("{user}:{secret}");
            forms.extend([STANDARD.encode(&pair), URL_SAFE_NO_PAD.encode(&pair)]);
        }
        // By half of it somebody may still find the rest.
        forms.push(secret.chars().take(secret.len() * 2 / 3).collect());
        for form in &forms {
            for (place, bytes) in &written {
                if let Some(at) = bytes
                    .windows(form.len())
                    .position(|window| window == form.as_bytes())
                {
                    let around = bytes
                        .get(at.saturating_sub(300)..at + form.len())
                        .unwrap_or_default();
                    found.push(format!(
                        "{form} is in {place}: {}",
                        String::from_utf8_lossy(around)
                    ));
                }
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n\n"));
}

/// Every place in which a secret might be put, rightly or wrongly; `valid` shows those that need it to get further.
fn tries(secret: &TestToken, valid: &TestToken) -> Vec<Call> {
    let text = secret.secret();
    let url = "/rest/api/2/issue";
    let as_user = format!("Basic {}", STANDARD.encode(format!("{text}:x")));
    vec![
        Call::get(url).basic(secret),
        Call::get(url).bearer(secret),
        Call::get(url).header("Authorization", text),
        Call::get(url).header("Authorization", &as_user),
        Call::get(url).header("Authorization", &format!("Digest {text}")),
        Call::get("/rest/secret").bearer(secret),
        Call::get(&format!("{url}?token={text}&os_password={text}&x={text}")).bearer(valid),
        Call::get(&format!("{url}/{text}")).bearer(valid),
        Call::get(&format!("{url}/{text}/../x")).bearer(valid),
        Call::get(&format!("/elsewhere/{text}?a={text}")).bearer(valid),
        Call::get(url).bearer(valid).header("PRIVATE-TOKEN", text),
        Call::get(url).bearer(valid).header("X-Api-Key", text),
        Call::get(url).bearer(valid).header("X-Request-Id", text),
        Call::get(url).bearer(valid).header("contextUser", text),
        Call::get(url)
            .bearer(valid)
            .header("Cookie", &format!("JSESSIONID={text}")),
        Call::get(url).bearer(valid).header("traceparent", text),
        Call::get(url).bearer(valid).header("User-Agent", text),
        Call::get(url).bearer(valid).header("Connection", text),
        Call::get(url).bearer(valid).header("Content-Type", text),
        Call::new(&format!("GET{text}"), url).bearer(valid),
        Call::post_json(url, &format!("{{\"os_password\":\"{text}\",\"a\":\"{text}\"}}")).bearer(valid),
        Call::post_json(url, &format!("{{\"{text}\":1,\"{text}\":2}}")).bearer(valid),
        Call::post_json(url, &format!("{{\"a\": {text}}}")).bearer(valid),
        Call::post_json(url, "{\"a\":1}").bearer(valid),
    ]
}

fn whole(answer: &Answer) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, value) in &answer.headers {
        bytes.extend_from_slice(format!("{name}: {value}\n").as_bytes());
    }
    // The test's upstream answers with the request's target, which the proxy passes on and does not write.
    if answer.status >= 400 || answer.header("content-type") != Some("text/plain") {
        bytes.extend_from_slice(&answer.body);
    }
    bytes
}

fn raw(port: u16, bytes: &str) -> Vec<u8> {
    use std::io::{Read as _, Write as _};
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.write_all(bytes.as_bytes()).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    answer
}

/// All files below a directory, but for the one whose purpose is to hold a secret.
fn files(directory: &Path, written: &mut Written) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, written);
        } else if !path.ends_with("admin.secret") {
            written.push(("a file", fs::read(&path).unwrap()));
        }
    }
}
