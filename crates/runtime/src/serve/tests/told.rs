//! What callers learn of a denial: what the call lacks, why a body was not read, and who learns that a token has ended.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::harness::{Behind, Reply, SECRET, Scene, request, token};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const JSON: &str = "Content-Type: application/json\r\n";

fn json(reply: &Reply) -> Value {
    serde_json::from_str(&reply.body).unwrap_or_else(|_| panic!("{reply:?}"))
}

fn send(line: &str, more: &str, body: &[u8]) -> Vec<u8> {
    let head = request(line, &format!("{more}Content-Length: {}\r\n", body.len()));
    [head.as_bytes(), body].concat()
}

async fn ask(scene: &Scene, bytes: &[u8]) -> Reply {
    use tokio::io::AsyncWriteExt as _;
    let mut client = scene.connect().await;
    client.0.write_all(bytes).await.unwrap();
    client.reply().await
}

#[tokio::test]
async fn a_denial_names_the_nearest_line_and_its_first_condition_that_failed() {
    let behind = Behind::answering(OK).await;
    let lines = "[get,put]/rest/api/2/issue/K-\\d+\n[get]/rest/api/2/search[QueryParam::jql==K][QueryParam::max?=\\d+][QueryParam::only]\n\
                 [post]/rest/api/2/issue[JsonData::fields.key==K][JsonData::public:boolean==false][JsonData::only]\n\
                 [post]/rest/api/2/issue[JsonData::other==1]\n!/rest/api/2/secret";
    let scene = Scene::new(behind.addr, lines);
    for (line, body, number, failed, found) in [
        ("GET /rest/api/2/issue/L-1", "", 7, "url", "another path"),
        ("DELETE /rest/api/2/issue/K-1", "", 7, "method GET, PUT", "DELETE"),
        ("GET /rest/api/2/search", "", 8, "QueryParam::jql==", "nothing"),
        (
            "GET /rest/api/2/search?jql=hidden",
            "",
            8,
            "QueryParam::jql==",
            "a value",
        ),
        (
            "GET /rest/api/2/search?jql=K&jql=hidden",
            "",
            8,
            "QueryParam::jql==",
            "2 values",
        ),
        (
            "GET /rest/api/2/search?jql=K&max=hidden",
            "",
            8,
            "QueryParam::max?=",
            "a value",
        ),
        (
            "GET /rest/api/2/search?jql=K&hidden=1",
            "",
            8,
            "QueryParam::only",
            "a name that the line does not have",
        ),
        (
            "POST /rest/api/2/issue",
            r#"{"fields":{"key":"K"},"public":"hidden"}"#,
            9,
            "JsonData::public:boolean==",
            "a string",
        ),
        (
            "POST /rest/api/2/issue",
            r#"{"fields":{"key":"K"},"public":true}"#,
            9,
            "JsonData::public:boolean==",
            "a boolean",
        ),
        (
            "POST /rest/api/2/issue",
            r#"{"fields":{"key":{"hidden":1}},"public":false}"#,
            9,
            "JsonData::fields.key==",
            "an object",
        ),
        (
            "POST /rest/api/2/issue",
            r#"{"fields":"hidden","public":false}"#,
            9,
            "JsonData::fields.key==",
            "a value of another kind on the way",
        ),
        (
            "POST /rest/api/2/issue",
            r#"{"other":[1,2]}"#,
            10,
            "JsonData::other==",
            "2 numbers",
        ),
        ("POST /rest/api/2/issue", "", 10, "JsonData::other==", "nothing"),
        // The root is a string, as in Jira's call that adds a watcher.
        (
            "POST /rest/api/2/issue",
            "\"hidden\"",
            10,
            "JsonData::other==",
            "a value of another kind on the way",
        ),
    ] {
        let reply = ask(&scene, &send(line, JSON, body.as_bytes())).await;
        let problem = json(&reply);
        assert_eq!(
            (reply.status, &problem["reason"]),
            (403, &"no-line".into()),
            "{line}"
        );
        let shown = problem["policy_line"].as_str().unwrap();
        assert!(
            shown.starts_with(&format!("a.toml:{number}: [")),
            "{line} {body}: {problem}"
        );
        assert_eq!(
            (&problem["failed"], &problem["found"]),
            (&failed.into(), &found.into()),
            "{line} {body}"
        );
        assert_eq!(problem["self"], "http://127.0.0.1:8080/.tokenward/self");
        // The URL is what the caller sent, and the only place of values.
        let rest = problem
            .to_string()
            .replace(problem["detail"].as_str().unwrap(), "");
        assert!(!rest.contains("hidden"), "{problem}");
    }
    let problem = json(&scene.ask(&request("GET /rest/api/2/secret", "")).await);
    assert_eq!(problem["reason"], "forbid-line");
    assert_eq!(problem["policy_line"], "a.toml:11: !/rest/api/2/secret");
    assert_eq!((problem.get("failed"), problem.get("unread")), (None, None));
}

#[tokio::test]
async fn a_body_that_cannot_be_read_is_told_with_the_reason() {
    let behind = Behind::answering(OK).await;
    let scene = Scene::new(
        behind.addr,
        "[post]/rest/issue[JsonData::summary==.*]\n[put]/rest/.*\n![put]/rest/issue[JsonData::a==1]",
    );
    let utf16 = "Content-Type: application/json; charset=utf-16\r\n";
    let summary = br#"{"summary":"x"}"#;
    for (more, body, why) in [
        ("", &summary[..], "it has no Content-Type"),
        (
            "Content-Type: application/x-www-form-urlencoded\r\n",
            summary,
            "`application/x-www-form-urlencoded`",
        ),
        (
            "Content-Type: multipart/form-data; boundary=b\r\n",
            summary,
            "`multipart/form-data`",
        ),
        (
            "Content-Type: text/json\r\n",
            summary,
            "its Content-Type is `text/json`; send `application/json`",
        ),
        (utf16, summary, "its charset is not UTF-8"),
        (
            "Content-Type: application/json\r\nContent-Encoding: gzip\r\n",
            summary,
            "Content-Encoding",
        ),
        (
            JSON,
            b"{\"summary\":\"\xfc\"}",
            "a byte that is not UTF-8 (line 1, column 13); send UTF-8",
        ),
        (JSON, b"\xef\xbb\xbf{\"summary\":\"x\"}", "a byte-order mark"),
        (
            JSON,
            b"{\"summary\":\"x\",}",
            "a comma after the last element (line 1, column 15); remove it",
        ),
        (
            JSON,
            b"{\"summary\":\n\"x\"",
            "an object without an end (line 2, column 4)",
        ),
    ] {
        for line in ["POST /rest/issue", "PUT /rest/issue"] {
            let reply = ask(&scene, &send(line, more, body)).await;
            let problem = json(&reply);
            assert_eq!(reply.status, 403, "{line} {more}: {problem}");
            let unread = problem["unread"]
                .as_str()
                .unwrap_or_else(|| panic!("{line} {more}: {problem}"));
            assert!(unread.contains(why), "{line} {more}: {unread}");
            assert!(problem["detail"].as_str().unwrap().contains(why), "{problem}");
        }
    }
    // Where no line looks into the body, nothing is said of it.
    let reply = ask(
        &scene,
        &send("POST /rest/other", "Content-Type: text/json\r\n", b"x"),
    )
    .await;
    assert_eq!(json(&reply).get("unread"), None);
    let entries = scene.audit_when(|entries| entries.len() == 21).await;
    let unread: Vec<&str> = entries
        .iter()
        .filter_map(|entry| entry["unread"].as_str())
        .collect();
    assert_eq!(unread.len(), 20, "{unread:?}");
}

#[tokio::test]
async fn a_refusal_names_the_header_or_parameter_and_the_remedy() {
    let behind = Behind::answering(OK).await;
    let policy = token("t", SECRET, "user = \"u\"", "/rest/.*");
    let scene = Scene::with(behind.addr, &policy, |config| {
        config.upstream.product = tokenward_pdp::request::Product::Jira;
    });
    let credentials = "would carry credentials or another identity to the upstream. Leave it out; the token alone authenticates the call.";
    let long = format!("X-{}-Api-Key", "a".repeat(70));
    for (line, more, reason, detail) in [
        ("GET /rest/a", "X-Api-Key: hidden\r\n", "credential-header", format!("The header `x-api-key` {credentials}")),
        ("GET /rest/a", &format!("{long}: hidden\r\n"), "credential-header", format!("A header {credentials}")),
        ("GET /rest/a", "X-HTTP-Method: DELETE\r\n", "method-override", "The header `x-http-method` would change the method. Use the method itself.".into()),
        ("GET /rest/a", "X-Original-URL: /hidden\r\n", "url-override", "The header `x-original-url` would name another URL. Leave the header out.".into()),
        ("GET /rest/a", "Connection: authorization\r\n", "connection-names", "The header `authorization` is named in Connection, but the proxy relies on it. Leave `Connection` to your HTTP library.".into()),
        ("GET /rest/a?os_username=hidden", "", "credential-parameter", format!("The parameter `os_username` {credentials}")),
        ("GET /rest/a;b", "", "semicolon", "The path has a semicolon, raw or as `%3B`, after which servlet containers cut it. Remove it and the text after it, such as `;jsessionid=…`.".into()),
        ("delete /rest/a", "", "method-case", "The method differs from a known one only in letter case, and some servers take it for that one. Write it in capitals.".into()),
    ] {
        let reply = scene.ask(&request(line, more)).await;
        let problem = json(&reply);
        assert_eq!((reply.status, problem["reason"].as_str()), (400, Some(reason)), "{line} {more}: {problem}");
        assert_eq!(problem["detail"], detail, "{line} {more}");
    }
    for (line, reason, detail) in [
        (
            "POST /rest/api/2/user",
            "minting",
            "The token lacks `mint = true` and `escalate = true`. The call sets a password, or creates an account with one. Ask the owner of the token.",
        ),
        (
            "GET /rest/auth/1/websudo",
            "minting",
            "The token lacks `mint = true`. The call shows the session, or begins or elevates one. Ask the owner of the token.",
        ),
        (
            "PUT /rest/api/2/role/1",
            "escalating",
            "The token lacks `escalate = true`. The call sets who is in a group or has a role, and so who may do what. Ask the owner of the token.",
        ),
    ] {
        let problem = json(&scene.ask(&request(line, "Content-Length: 0\r\n")).await);
        assert_eq!(
            (&problem["reason"], &problem["detail"]),
            (&reason.into(), &detail.into()),
            "{line}"
        );
    }
}

#[tokio::test]
async fn the_audit_tells_what_a_denied_call_lacked() {
    let behind = Behind::answering(OK).await;
    let scene = Scene::new(behind.addr, "[get]/rest/a\n[post]/rest/x[JsonData::n==1]");
    ask(&scene, &send("POST /rest/x", JSON, br#"{"n":"hidden"}"#)).await;
    let entry = scene.only_entry().await;
    assert_eq!(entry["lacking"]["line"]["number"], 8, "{entry}");
    assert_eq!(entry["lacking"]["condition"], "JsonData::n==");
    assert_eq!(entry["lacking"]["found"], "a string");
    assert_eq!(entry.get("unread"), None);
    assert!(!entry.to_string().contains("hidden"), "{entry}");
    scene.ask(&request("PUT /rest/a", "")).await;
    let entries = scene.audit_when(|entries| entries.len() == 2).await;
    let denied = entries.iter().find(|entry| entry["method"] == "PUT").unwrap();
    assert_eq!(denied["lacking"]["condition"], "method GET");
    // A call that is allowed lacks nothing.
    scene.ask(&request("GET /rest/a", "")).await;
    let entries = scene.audit_when(|entries| entries.len() == 3).await;
    let allowed = entries.iter().find(|entry| entry["method"] == "GET").unwrap();
    assert_eq!(allowed.get("lacking"), None);
}

#[tokio::test]
async fn one_setting_switches_policy_text_off() {
    let behind = Behind::answering(OK).await;
    let policy = token(
        "t",
        SECRET,
        "user = \"u\"",
        "[get]/rest/known[QueryParam::pin==1]\n!/rest/forbidden",
    );
    let scene = Scene::with(behind.addr, &policy, |config| config.answers.show_policy = false);
    for path in ["/rest/known", "/rest/forbidden", "/rest/else"] {
        let reply = scene.ask(&request(&format!("GET {path}"), "")).await;
        let problem = json(&reply);
        for member in ["policy_line", "failed", "found"] {
            assert_eq!(problem.get(member), None, "{problem}");
        }
        assert_eq!(problem["self"], "http://127.0.0.1:8080/.tokenward/self");
        assert!(
            !reply.body.contains("pin") && !reply.body.contains("a.toml"),
            "{reply:?}"
        );
    }
    let reply = scene.ask(&request("GET /.tokenward/self", "")).await;
    let own = json(&reply);
    assert!(
        own["lines"].is_null() && own["denials"].as_array().unwrap().len() == 3,
        "{own}"
    );
    assert!(
        !reply.body.contains("pin") && !reply.body.contains("a.toml"),
        "{reply:?}"
    );
    // The audit has it all the same.
    let entries = scene.audit_when(|entries| entries.len() == 4).await;
    assert!(
        entries
            .iter()
            .any(|entry| entry["lacking"]["condition"] == "QueryParam::pin==")
    );
}

/// A request with these Basic credentials.
fn basic(line: &str, user: &str, secret: &str) -> String {
    let pair = STANDARD.encode(format!("{user}:{secret}"));
    format!("{line} HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nAuthorization: Basic {pair}\r\n\r\n")
}

#[tokio::test]
async fn a_token_shows_its_last_denials_to_the_same_user_alone() {
    let behind = Behind::answering(OK).await;
    let policy = [
        token(
            "t",
            SECRET,
            "users = [\"u\", \"v\"]",
            "[get]/rest/a[QueryParam::p==1]",
        ),
        token("other", "other", "user = \"u\"", "/rest/.*"),
        token(
            "elsewhere",
            "elsewhere",
            "user = \"u\"\nallowed_ips = [\"10.0.0.0/8\"]",
            "/rest/.*",
        ),
    ]
    .concat();
    let scene = Scene::with(behind.addr, &policy, |_| {});
    for n in 0..12 {
        scene
            .ask(&basic(&format!("GET /rest/a?p=hidden{n}"), "u", SECRET))
            .await;
    }
    scene.ask(&basic("GET /rest/a;b", "u", SECRET)).await;
    scene.ask(&basic("GET /rest/a?p=1", "u", SECRET)).await;
    scene.ask(&basic("GET /rest/a", "w", SECRET)).await;
    scene.ask(&basic("GET /rest/a", "u", "elsewhere")).await;

    let own = json(&scene.ask(&basic("GET /.tokenward/self", "u", SECRET)).await);
    let denials = own["denials"].as_array().unwrap();
    assert_eq!(denials.len(), 10, "{own}");
    assert_eq!(
        (&denials[0]["status"], &denials[0]["reason"]),
        (&400.into(), &"semicolon".into())
    );
    let last = &denials[1];
    assert_eq!(
        (&last["status"], &last["reason"]),
        (&403.into(), &"no-line".into())
    );
    assert_eq!(last["url"], "http://127.0.0.1:8080/rest/a");
    assert_eq!(
        (&last["failed"], &last["found"]),
        (&"QueryParam::p==".into(), &"a value".into())
    );
    assert!(
        last["policy_line"]
            .as_str()
            .unwrap()
            .starts_with("a.toml:7: [get]/rest/a"),
        "{last}"
    );
    assert!(
        last["time"].as_str().unwrap().ends_with('Z') && last["request_id"].as_str().unwrap().len() == 32
    );
    assert!(!own.to_string().contains("hidden"), "{own}");

    for (user, secret) in [("v", SECRET), ("u", "other")] {
        let own = json(&scene.ask(&basic("GET /.tokenward/self", user, secret)).await);
        assert_eq!(own["denials"].as_array().unwrap().len(), 0, "{own}");
    }
}

#[tokio::test]
async fn only_who_shows_the_right_secret_learns_that_a_token_has_ended() {
    let behind = Behind::answering(OK).await;
    let rotated = hex::encode(tokenward_pdp::secret::hash("before"));
    let policy = [
        token("t", SECRET, "user = \"u\"", "/rest/.*"),
        token("old", "old", "user = \"u\"", "/rest/.*").replace("2099", "2001"),
        token("revoked", "revoked", "user = \"u\"\nrevoked = true", "/rest/.*"),
        token("both", "both", "user = \"u\"\nrevoked = true", "/rest/.*").replace("2099", "2001"),
        token(
            "rotated",
            "after",
            &format!("user = \"u\"\nprevious_secret_hash = \"sha256:{rotated}\"\nprevious_until = 2001-01-01T00:00:00Z"),
            "/rest/.*",
        ),
        token(
            "far",
            "far",
            "user = \"u\"\nrevoked = true\nallowed_ips = [\"10.0.0.0/8\"]",
            "/rest/.*",
        ),
        token("never", "never", "any_user = true\nrevoked = true", "/rest/.*"),
    ]
    .concat();
    let scene = Scene::with(behind.addr, &policy, |config| {
        config.auth.methods = tokenward_pdp::config::Methods::Basic;
        config.auth.never_act_as = vec!["admin".into()];
        config.auth.throttling.attempts = 0;
    });
    let mut alike = Vec::new();
    for (user, secret, reason) in [
        ("u", "old", "expired"),
        ("u", "revoked", "revoked"),
        ("u", "both", "revoked"),
        ("u", "before", "expired"),
        // Another user, another address, a user whom nobody may be: as an unknown secret.
        ("u", "unknown", "unauthenticated"),
        ("v", SECRET, "unauthenticated"),
        ("v", "old", "unauthenticated"),
        ("v", "revoked", "unauthenticated"),
        ("v", "before", "unauthenticated"),
        ("u", "far", "unauthenticated"),
        ("admin", "never", "unauthenticated"),
    ] {
        let reply = scene.ask(&basic("GET /rest/a", user, secret)).await;
        assert_eq!(
            (reply.status, reply.reason().as_str()),
            (401, reason),
            "{user} {secret}"
        );
        if reason == "unauthenticated" {
            let mut problem = json(&reply);
            problem["request_id"] = Value::Null;
            let head: Vec<&str> = reply
                .head
                .lines()
                .filter(|line| !line.starts_with("x-request-id"))
                .collect();
            alike.push(format!(
                "{problem} {}",
                head.join("\n").split("date:").next().unwrap()
            ));
        }
    }
    alike.dedup();
    assert_eq!(alike.len(), 1, "{alike:#?}");
    // The scheme that is accepted is told to whoever uses another, whether the secret is right or not.
    let mut answers = Vec::new();
    for value in [
        &format!("Bearer {SECRET}"),
        "Bearer unknown",
        "token x",
        "Digest x",
    ] {
        let line = format!("GET /rest/a HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nAuthorization: {value}\r\n\r\n");
        let reply = scene.ask(&line).await;
        let problem = json(&reply);
        assert_eq!(
            (reply.status, &problem["reason"]),
            (401, &"auth-method".into()),
            "{value}"
        );
        answers.push(problem["detail"].as_str().unwrap().to_owned());
    }
    answers.dedup();
    assert_eq!(
        answers,
        [
            "The proxy does not accept this scheme. Send an Authorization header: `Basic` (the user, and the token as the password)."
        ]
    );
}
