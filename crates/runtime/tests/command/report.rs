//! `tokenward report`: the page for auditors.

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use base64::Engine;
use serde_json::json;
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use tokenward_audit::{Config, LineRef, Record, Store, Verdict};

use crate::policy;
use crate::repository::Repository;
use crate::tokenward::{run, succeed};

const DELETE: &str = r"[get,delete]/rest/filter/\d+";

fn description() -> String {
    let id = json!({ "name": "id", "in": "path", "required": true, "schema": { "type": "integer" } });
    json!({
        "openapi": "3.0.3",
        "info": { "title": "Tracker <b>", "version": "1" },
        "servers": [{ "url": "https://tracker.example/rest" }],
        "paths": {
            "/filter/{id}": {
                "parameters": [id],
                "get": { "operationId": "getFilter", "summary": "Read a filter <script>alert(1)</script>", "tags": ["filter"] },
                "delete": { "operationId": "deleteFilter", "tags": ["filter"] },
            },
            "/issue": { "post": { "operationId": "createIssue", "summary": "Create an issue", "tags": ["issue"] } },
        },
    })
    .to_string()
}

fn made() -> TempDir {
    let directory = TempDir::new().unwrap();
    let root = directory.path();
    fs::create_dir(root.join("policies")).unwrap();
    let policies = policy::token(
        "reader",
        "ab",
        "owner = \"team\"\ndescription = \"Reads.\"",
        DELETE,
    ) + &policy::token(
        "writer",
        "cd",
        "owner = \"team\"",
        "[post]/rest/issue[JsonData::public:boolean==false]",
    );
    fs::write(root.join("policies/ci.toml"), policies).unwrap();
    fs::write(root.join("api.json"), description()).unwrap();
    fs::write(
        root.join("tokenward.toml"),
        "[api]\ndescriptions = ['api.json']\n",
    )
    .unwrap();
    directory
}

/// Records calls of `reader` that its line allowed.
fn record(root: &Path, urls: &[&str]) {
    let store = Store::open(Config::at(root.join("audit"))).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for (n, url) in (1_u8..).zip(urls) {
        let record = Record {
            time_ms: jiff::Timestamp::now().as_millisecond(),
            request_id: [n; 16],
            client_request_id: None,
            token: Some("reader".to_owned()),
            user: Some("svc".to_owned()),
            on_behalf_of: None,
            client: IpAddr::V4(Ipv4Addr::LOCALHOST),
            method: "GET".into(),
            url: (*url).to_owned(),
            line: Some(LineRef {
                file: "ci.toml".to_owned(),
                number: 8,
                digest: hex::encode(Sha256::digest(DELETE.as_bytes()).get(..8).unwrap()),
            }),
            verdict: Verdict::Allow,
            reason: "allowed".to_owned(),
            policy: "00".into(),
            nodes: Vec::new(),
            tried: Vec::new(),
            lacking: None,
            unread: None,
            request_bytes: Some(0),
            decision_ns: 1,
            authenticated: true,
        };
        runtime.block_on(store.append(record)).unwrap();
    }
    store.close().unwrap();
}

const AT: [&str; 3] = ["report", "--at", "2027-01-01"];

/// The page's body without its icons and its stylesheet.
fn body(page: &str) -> String {
    let (_, body) = page.split_once("</defs></svg>").unwrap();
    body.to_owned()
}

#[test]
fn the_page_shows_tokens_in_operations_and_words() {
    let directory = made();
    let page = succeed(&directory, &AT);
    let shown = body(&page);
    for part in [
        // The summary: both tokens work, one writes, one deletes, and nobody knows whether they are used.
        r##"<dt>Tokens</dt><dd class="big"><a href="#tokens">2</a></dd><dd>all active</dd>"##,
        r##"<dt>Can write</dt><dd class="big"><a href="#tokens">1</a></dd><dd>of 2 active</dd>"##,
        r##"<dt>Can delete</dt><dd class="big"><a href="#tokens">1</a></dd><dd>of 2 active</dd>"##,
        r##"<dt>Never used</dt><dd class="big"><a href="#least">not known</a></dd>"##,
        r##"<dt>Operations in reach</dt><dd class="big"><a href="#picture">3</a></dd><dd>of 3</dd>"##,
        "1 token can delete:",
        "No audit was read",
        // The operations, in the words of the description or of their ids.
        "Delete filter",
        "Create an issue",
        "DELETE /rest/filter/{id}",
        "some calls: under conditions on the query or the body",
        // The lines in words.
        "Read (GET) or delete (DELETE)",
        r#"<code>/rest/filter/</code><span class="gap">number</span>"#,
        "must be present, and be a boolean:",
    ] {
        assert!(shown.contains(part), "{part}\n{shown}");
    }
    assert_eq!(
        page,
        succeed(&directory, &AT),
        "the same input gives the same bytes"
    );
    // A file has the same bytes, and replaces an earlier one.
    fs::write(directory.path().join("r.html"), "old").unwrap();
    assert_eq!(succeed(&directory, &[&AT[..], &["-o", "r.html"]].concat()), "");
    assert_eq!(fs::read_to_string(directory.path().join("r.html")).unwrap(), page);
}

#[test]
fn the_page_loads_and_runs_nothing() {
    let directory = made();
    let page = succeed(&directory, &AT);
    let (_, rest) = page.split_once("<style>").unwrap();
    let (css, _) = rest.split_once("</style>").unwrap();
    let hash = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(css.as_bytes()));
    let policy = format!(
        "default-src &#39;none&#39;; style-src &#39;sha256-{hash}&#39;; base-uri &#39;none&#39;; form-action &#39;none&#39;"
    );
    assert!(
        page.contains(&format!("content=\"{policy}\"")),
        "{}",
        page.get(..700).unwrap_or(&page)
    );
    for never in [
        "<script", "src=", " on", "style=", "url(", "@import", "<link", "<iframe", "<img",
    ] {
        let found = page
            .match_indices(never)
            .filter(|(at, _)| never != " on" || page.get(at + 3..).unwrap().starts_with("click"));
        assert_eq!(found.count(), 0, "{never}");
    }
    assert!(!css.contains("http"));
    let links = page
        .match_indices("href=\"")
        .map(|(at, _)| page.get(at + 6..at + 7).unwrap());
    assert!(links.collect::<Vec<_>>().iter().all(|first| *first == "#"));
}

#[test]
fn texts_of_others_are_text() {
    let directory = made();
    let root = directory.path();
    let hostile = "<img src=x onerror=alert(1)>'&amp;{{7}}";
    let keys = format!(
        "users = [\"o'hara\"]\nowner = \"\\\"{hostile}\\u202e\"\ndescription = \"{hostile}</title></style><script>alert(1)</script>\""
    );
    let policies = policy::token("a<b>&c", "ab", &keys, "[get]/rest/filter/.*(<b/>|\"'&)?");
    fs::write(root.join("policies/ci.toml"), policies).unwrap();
    let ran = run(&directory, &AT);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let page = body(&ran.out);
    assert!(
        !page.contains("<img") && !page.contains("<script") && !page.contains("<b>&"),
        "{page}"
    );
    assert!(!page.contains("</style>") && !page.contains("</title>"));
    assert!(page.contains("a&#60;b&#62;&#38;c"), "{page}");
    assert!(page.contains("o&#39;hara"), "{page}");
    assert!(
        page.contains("&#34;&#60;img src=x onerror=alert(1)&#62;&#39;&#38;amp;{{7}}\\u{202e}"),
        "{page}"
    );
    assert!(!page.contains('\u{202e}'));
}

#[test]
fn calls_of_the_audit_count_for_operations() {
    let directory = made();
    let root = directory.path();
    let base = "http://127.0.0.1:8080";
    let (first, second, other) = (
        format!("{base}/rest/filter/1"),
        format!("{base}/rest/filter/2?x=1"),
        format!("{base}/rest/filter/2/more"),
    );
    record(root, &[&first, &second, &other]);
    let page = succeed(&directory, &["report", "--audit", "audit"]);
    let page = body(&page);
    // One token was used, and one of its two operations.
    assert!(page.contains("3 calls, 0 denied"), "{page}");
    assert!(
        page.contains(r#"<td class="n" data-name="Calls">2</td>"#),
        "{page}"
    );
    assert!(
        page.contains("1 allowed calls were of no described operation."),
        "{page}"
    );
    assert!(page.contains("1 token was never used:"), "{page}");
    assert!(
        page.contains("data-name=\"Write or delete\">Delete filter"),
        "{page}"
    );
    // Calls after the time of the report do not count.
    let page = body(&succeed(
        &directory,
        &["report", "--audit", "audit", "--at", "2020-01-01"],
    ));
    assert!(page.contains("2 tokens were never used:"), "{page}");
}

#[test]
fn an_audit_that_cannot_be_read_is_a_failure_and_leaves_the_old_page() {
    let directory = made();
    let root = directory.path();
    fs::write(root.join("r.html"), "old").unwrap();
    fs::write(root.join("audit"), "this is not a store").unwrap();
    for audit in ["audit", "absent"] {
        let ran = run(&directory, &["report", "--audit", audit, "-o", "r.html"]);
        assert_eq!(ran.code, 3, "{audit}: {}", ran.err);
        assert_eq!(fs::read_to_string(root.join("r.html")).unwrap(), "old", "{audit}");
    }
}

#[test]
fn without_a_description_lines_are_shown_in_words() {
    let directory = made();
    fs::write(directory.path().join("tokenward.toml"), "").unwrap();
    let page = body(&succeed(&directory, &AT));
    assert!(page.contains("Read (GET) or delete (DELETE)"), "{page}");
    assert!(
        page.contains("It can read and delete, as far as these lines allow."),
        "{page}"
    );
    assert!(!page.contains("Picture of reach"));
    // The whole policy can also be a compiled one, without findings.
    succeed(&directory, &["compile", "policies", "-o", "p.twp"]);
    let page = body(&succeed(&directory, &[&AT[..], &["p.twp"]].concat()));
    assert!(page.contains("A compiled policy has no findings"), "{page}");
}

#[test]
fn changes_since_a_base_are_shown() {
    let repository = Repository::new();
    let write = |lines: &str| {
        let text = policy::token("reader", "ab", "owner = \"team\"", lines);
        repository.write("policies/ci.toml", &text);
    };
    write("[get]/rest/filter/.*");
    repository.write("tokenward.toml", "");
    repository.commit("first");
    write("[get,delete]/rest/filter/.*");
    let ran = repository.run(&["report", "--against", "main", "--at", "2027-01-01"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let page = body(&ran.out);
    assert!(page.contains("More is allowed than before."), "{page}");
    assert!(
        page.contains("Newly allowed:") && page.contains("DELETE /rest/filter/"),
        "{page}"
    );
    let ran = repository.run(&["report", "--against", "absent"]);
    assert_eq!((ran.code, ran.out.as_str()), (3, ""), "{}", ran.err);
}

#[test]
fn wrong_usage_writes_no_page() {
    let directory = made();
    let root = directory.path();
    for (arguments, code) in [
        (&["report", "--at", "tomorrow"][..], 2),
        (&["report", "--since", "2031-01-01", "--at", "2030-01-01"], 2),
        (&["report", "--openapi", "absent.json"], 3),
        (&["report", "--openapi", "tokenward.toml"], 2),
        (&["report", "absent"], 3),
        (&["report", "--old-config", "x"], 2),
        (&["report", "-o", "absent/r.html"], 3),
    ] {
        let ran = run(&directory, arguments);
        assert_eq!(
            (ran.code, ran.out.as_str()),
            (code, ""),
            "{arguments:?}: {}",
            ran.err
        );
    }
    // An empty policy is a wrong directory more often than a policy.
    fs::create_dir(root.join("empty")).unwrap();
    let ran = run(&directory, &["report", "empty"]);
    assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{}", ran.err);
}

#[test]
fn an_answer_that_is_not_settled_makes_the_page_incomplete() {
    let directory = made();
    let ran = run(&directory, &[&AT[..], &["--budget", "0"]].concat());
    assert_eq!(ran.code, 3, "{}", ran.err);
    assert!(ran.out.contains("This report is incomplete"), "{}", ran.err);
    assert!(ran.err.contains("the report is incomplete"), "{}", ran.err);
}
