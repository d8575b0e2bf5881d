//! `tokenward compile --fix`: proved fixes are written, others are told.

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use tokenward_audit::{Config, LineRef, Record, Store, Verdict};

use crate::policy::{EXPIRES, token};
use crate::tokenward::run;

const CONFIGURATION: &str = "[upstream]\nurl = \"http://127.0.0.1:8090\"\npublic_url = \"https://jira.example.com\"\nproduct = \"jira\"\n";

fn policy(lines: &str) -> TempDir {
    of(&token("ci", "11", EXPIRES, lines))
}

fn of(text: &str) -> TempDir {
    let directory = TempDir::new().unwrap();
    fs::create_dir(directory.path().join("policies")).unwrap();
    fs::write(directory.path().join("policies/ci.toml"), text).unwrap();
    fs::write(directory.path().join("tokenward.toml"), CONFIGURATION).unwrap();
    directory
}

fn text(directory: &TempDir) -> String {
    fs::read_to_string(directory.path().join("policies/ci.toml")).unwrap()
}

fn expected(lines: &str) -> String {
    token("ci", "11", EXPIRES, lines)
}

#[test]
fn equivalent_fixes_are_written_and_the_rest_is_told() {
    let directory = policy(
        "# reads\n[get]/rest/api/2/myself\n[get,post]/rest/a[JsonData::b==c]\n[get]/rest/api/2/myself\n[get].*/rest/api/2/search",
    );
    let ran = run(directory.path(), &["compile", "--check", "--fix"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let fixed = "# reads\n[get]/rest/api/2/myself\n[post]/rest/a[JsonData::b==c]\n[get].*/rest/api/2/search";
    assert_eq!(text(&directory), expected(fixed), "{}", ran.err);
    for told in [
        "fixed: policies/ci.toml:",
        "TW0108, remove `[get]/rest/api/2/myself`, proved equivalent",
        "TW0512, write `[post]/rest/a[JsonData::b==c]`, proved equivalent",
        "warning[TW0504]",
        "fix: proved to allow less; loses `GET /rest/",
    ] {
        assert!(ran.err.contains(told), "{told}: {}", ran.err);
    }
    let again = run(directory.path(), &["compile", "--check", "--fix"]);
    assert_eq!(text(&directory), expected(fixed));
    assert!(again.err.contains("no fix applies"), "{}", again.err);
}

#[test]
fn narrower_fixes_are_written_if_the_user_says_so() {
    let directory = policy("[get].*/rest/api/2/search\n[get]/rest/api/2/issue/KANBAN-1.*");
    let ran = run(
        directory.path(),
        &["compile", "--check", "--fix=narrow", "--diff"],
    );
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert!(
        ran.out
            .starts_with("--- policies/ci.toml\n+++ policies/ci.toml\n"),
        "{}",
        ran.out
    );
    assert!(ran.out.contains("\n+[get]/rest/api/2/search\n"), "{}", ran.out);
    assert!(ran.err.contains("would fix: policies/ci.toml:"), "{}", ran.err);
    assert!(text(&directory).contains(".*/rest/api/2/search"));
    let ran = run(
        directory.path(),
        &["compile", "--check", "--deny", "warnings", "--fix=narrow"],
    );
    assert_eq!(ran.code, 0, "{}", ran.err);
    let fixed = "[get]/rest/api/2/search\n[get]/rest/api/2/issue/KANBAN-1(/.*)?";
    assert_eq!(text(&directory), expected(fixed));
    let ran = run(
        directory.path(),
        &["compile", "--check", "--fix=narrow", "--diff"],
    );
    assert_eq!((ran.code, ran.out.is_empty()), (0, false), "{}", ran.err);
    assert!(!ran.out.contains("---"), "{}", ran.out);
}

#[test]
fn line_ends_and_exceptions_stay() {
    let before =
        expected("[get]/rest/a|/rest/b\n# allow TW0504: the old client\n[get].*/rest/c\n[get]/rest/a");
    let directory = of(&before.replace('\n', "\r\n"));
    let ran = run(
        directory.path(),
        &["compile", "--check", "--lint", "pedantic", "--fix=narrow"],
    );
    assert_eq!(ran.code, 0, "{}", ran.err);
    let after = expected("[get]/rest/a\n[get]/rest/b\n# allow TW0504: the old client\n[get].*/rest/c");
    assert_eq!(text(&directory), after.replace('\n', "\r\n"), "{}", ran.err);
}

#[test]
fn exceptions_and_includes_that_are_not_needed_are_removed() {
    let directory = of(&token(
        "ci",
        "11",
        "expires = 2099-01-01T00:00:00Z\nlint_allow = [\"TW0505: x\"]\ninclude = [\"read\", \"read\"]\n",
        "# allow TW0508, TW0506: reading\n[get]/rest/a",
    ));
    fs::write(directory.path().join("policies/read.limits"), "[get]/rest/b\n").unwrap();
    let ran = run(
        directory.path(),
        &["compile", "--check", "--deny", "warnings", "--fix"],
    );
    assert_eq!(ran.code, 0, "{}", ran.err);
    let text = text(&directory);
    assert!(!text.contains("allow"), "{text}");
    assert!(text.contains("include = [\"read\"]"), "{text}");
}

#[test]
fn a_fix_that_breaks_an_invariant_is_taken_back() {
    let directory = policy("[get].*/rest/api/2/search");
    fs::write(
        directory.path().join("policies/invariants.toml"),
        "[[always]]\nname = \"search\"\ntokens = [\"ci\"]\nlines = '[get]/rest/x/rest/api/2/search'\n",
    )
    .unwrap();
    let before = text(&directory);
    let ran = run(directory.path(), &["compile", "--check", "--fix=narrow"]);
    assert!(
        ran.err.contains("1 fix was taken back") && ran.err.contains("TW0201"),
        "{}",
        ran.err
    );
    assert_eq!(text(&directory), before);
}

#[test]
fn a_suggestion_is_not_written() {
    let directory = policy("[get]/rest/api/2/project/*");
    let before = text(&directory);
    let ran = run(
        directory.path(),
        &["compile", "--check", "--fix=narrow", "--format", "json"],
    );
    assert_eq!(ran.code, 1);
    assert_eq!(text(&directory), before);
    let found: Value = serde_json::from_str(ran.out.lines().next().unwrap()).unwrap();
    let fix = &found["fixes"][0];
    assert_eq!(
        (&fix["proof"], &fix["edits"][0]["text"]),
        (&"unproved".into(), &"/[^/]+".into())
    );
    assert!(fix["note"].as_str().unwrap().contains("it gives access"), "{fix}");
}

#[test]
fn a_narrower_fix_in_sarif_has_its_proof() {
    let directory = policy("[get].*/rest/api/2/search");
    let ran = run(directory.path(), &["compile", "--check", "--format", "sarif"]);
    let sarif: Value = serde_json::from_str(&ran.out).unwrap();
    let fix = &sarif["runs"][0]["results"][0]["fixes"][0];
    let description = fix["description"]["text"].as_str().unwrap();
    assert!(
        description.starts_with("proved to allow less; loses `GET "),
        "{fix}"
    );
    let change = &fix["artifactChanges"][0]["replacements"][0];
    assert_eq!(change["insertedContent"]["text"], "[get]/rest/api/2/search");
}

/// Records calls that a line allowed, each with a URL.
fn record(root: &Path, line: &str, urls: &[&str]) {
    let store = Store::open(Config::at(root.join("audit"))).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for (n, url) in (1_u8..).zip(urls) {
        let record = Record {
            time_ms: jiff::Timestamp::now().as_millisecond(),
            request_id: [n; 16],
            client_request_id: None,
            token: Some("ci".to_owned()),
            user: Some("svc".to_owned()),
            on_behalf_of: None,
            client: IpAddr::V4(Ipv4Addr::LOCALHOST),
            method: "GET".into(),
            url: (*url).to_owned(),
            line: Some(LineRef {
                file: "ci.toml".to_owned(),
                number: 7,
                digest: hex::encode(Sha256::digest(line.as_bytes()).get(..8).unwrap()),
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

#[test]
fn recorded_calls_keep_their_access() {
    let line = "[get]/rest/api/2/issue/KANBAN-1.*";
    let arguments = ["compile", "--check", "--fix=narrow", "--audit", "audit"];
    let plain = "https://jira.example.com/rest/api/2/issue/KANBAN-1";
    let directory = policy(line);
    let before = text(&directory);
    record(
        directory.path(),
        line,
        &[
            plain,
            "https://jira.example.com/rest/api/2/issue/KANBAN-17?fields=x",
        ],
    );
    let ran = run(directory.path(), &arguments);
    assert!(
        ran.err.contains("not fixed: ") && ran.err.contains("1 of the last 30 days' 2 calls would be denied"),
        "{}",
        ran.err
    );
    assert_eq!(text(&directory), before);
    let directory = policy(line);
    record(directory.path(), line, &[plain]);
    let ran = run(directory.path(), &arguments);
    assert!(
        ran.err.contains("0 of the last 30 days' 1 call would be denied"),
        "{}",
        ran.err
    );
    assert_eq!(
        text(&directory),
        expected("[get]/rest/api/2/issue/KANBAN-1(/.*)?")
    );
}

#[test]
fn wrong_arguments_change_nothing() {
    let directory = policy("[get]/rest/a\n[get]/rest/a");
    let before = text(&directory);
    for arguments in [
        &["compile", "--fix", "-o", "x.twp"][..],
        &["compile", "--diff"],
        &["compile", "--fix", "--since", "1d"],
        &["compile", "--fix=all"],
        &["compile", "--fix", "--diff", "--format", "sarif"],
        &["compile", "--fix", "--audit", "absent"],
        &["compile", "--fix", "--audit", "policies", "--since", "soon"],
    ] {
        let ran = run(directory.path(), arguments);
        assert!(ran.code > 1, "{arguments:?}: {}", ran.err);
        assert_eq!(text(&directory), before, "{arguments:?}");
    }
}
