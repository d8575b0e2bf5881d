//! Policies with a mistake each, as people make them: what `compile --check` reports, and where (`tests/corpus/mistakes`).

use std::fs;
use std::path::Path;

use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use crate::proxy::{call, call_with, listening, serve};
use crate::tokenward::run;

const CASES: &str = include_str!("../../../../tests/corpus/mistakes/cases.toml");
const CONFIGURATION: &str = "[upstream]\nurl = \"http://127.0.0.1:8090\"\npublic_url = \"https://jira.example.com\"\nproduct = \"jira\"\n";

fn put(directory: &Path, path: &str, text: &str) {
    let file = directory.join(path);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, text).unwrap();
}

fn policy_of(lines: &str) -> String {
    format!(
        "[[token]]\nname = \"ci\"\nuser = \"svc-ci\"\nowner = \"team\"\nsecret_hash = \"sha256:{}\"\nexpires = 2099-01-01T00:00:00Z\nlimit_to = '''\n{lines}'''\n",
        "1".repeat(64)
    )
}

/// A finding as `CODE PLACE words`, from one line of JSON. The place is that of the text output: in a file of the policy it has
/// a column.
fn finding(line: &str) -> String {
    let found: Value = serde_json::from_str(line).unwrap();
    let text = |key: &str| found[key].as_str().unwrap_or_default().to_owned();
    let column = if text("code") == "TW0120" {
        String::new()
    } else {
        format!(":{}", found["column"])
    };
    format!(
        "{} {}:{}{column} {}; {}",
        text("code"),
        text("file"),
        found["line"],
        text("headline"),
        text("help")
    )
}

/// The result of the proof of a finding's first fix, as `CODE result`; `CODE none` without a fix.
fn proof(line: &str) -> String {
    let found: Value = serde_json::from_str(line).unwrap();
    let proof = found["fixes"][0]["proof"].as_str().unwrap_or("none");
    format!("{} {proof}", found["code"].as_str().unwrap())
}

/// Whether a finding is the expected one: the same code and place, and the words in its headline or help.
fn is_expected(found: &str, expected: &str) -> bool {
    let parts = |text: &str| {
        let mut parts = text.splitn(3, ' ').map(str::to_owned);
        [parts.next(), parts.next(), parts.next()].map(Option::unwrap_or_default)
    };
    let ([code, place, text], [wanted, at, words]) = (parts(found), parts(expected));
    code == wanted && place == at && text.contains(&words)
}

#[test]
fn each_mistake_is_reported_with_its_place_and_its_cure() {
    let cases: toml::Table = CASES.parse().unwrap();
    let cases = cases["case"].as_array().unwrap();
    assert!(cases.len() >= 40);
    let mut wrong = Vec::new();
    for case in cases {
        let name = case["name"].as_str().unwrap();
        let directory = TempDir::new().unwrap();
        put(directory.path(), "tokenward.toml", CONFIGURATION);
        if let Some(lines) = case.get("lines") {
            put(
                directory.path(),
                "policies/ci.toml",
                &policy_of(lines.as_str().unwrap()),
            );
        }
        for file in case
            .get("file")
            .and_then(toml::Value::as_array)
            .into_iter()
            .flatten()
        {
            put(
                directory.path(),
                file["path"].as_str().unwrap(),
                file["text"].as_str().unwrap(),
            );
        }
        let ended = run(directory.path(), &["compile", "--check", "--format", "json"]);
        let found: Vec<String> = ended.out.lines().map(finding).collect();
        let expected: Vec<&str> = case["expect"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one.as_str().unwrap())
            .collect();
        let same = found.len() == expected.len()
            && found
                .iter()
                .zip(&expected)
                .all(|(found, expected)| is_expected(found, expected));
        let proofs: Vec<String> = ended.out.lines().map(proof).collect();
        let fixes = case["fixes"].as_array().unwrap().iter();
        let fixes: Vec<&str> = fixes.map(|one| one.as_str().unwrap()).collect();
        if proofs != fixes {
            wrong.push(format!("{name}: fixes {proofs:?}"));
        }
        let exit = i64::from(ended.code);
        if !same || Some(exit) != case["exit"].as_integer() {
            wrong.push(format!(
                "{name}: exit {exit}\n  {}\n{}",
                found.join("\n  "),
                ended.err
            ));
        }
        // Places are paths that an editor opens, in both formats.
        if let Some(first) = expected.first() {
            let place = first.split(' ').nth(1).unwrap();
            let shown = run(directory.path(), &["compile", "--check"]);
            if !shown.err.contains(&format!("--> {place}")) {
                wrong.push(format!("{name}: not at {place}\n{}", shown.err));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_policy_in_utf_16_is_an_error_that_says_so() {
    for (mark, order) in [(Some(0xfeff), true), (Some(0xfeff), false), (None, true)] {
        let directory = TempDir::new().unwrap();
        let text = policy_of("/rest/x\n");
        let units = mark.into_iter().chain(text.encode_utf16());
        let bytes: Vec<u8> = units
            .flat_map(|unit: u16| {
                if order {
                    unit.to_le_bytes()
                } else {
                    unit.to_be_bytes()
                }
            })
            .collect();
        fs::create_dir(directory.path().join("policies")).unwrap();
        fs::write(directory.path().join("policies/ci.toml"), bytes).unwrap();
        let ended = run(directory.path(), &["compile", "--check"]);
        assert!(ended.code == 3 && ended.err.contains("UTF-16"), "{}", ended.err);
    }
}

#[test]
fn denied_warnings_fail_a_check() {
    let directory = TempDir::new().unwrap();
    put(directory.path(), "tokenward.toml", CONFIGURATION);
    put(
        directory.path(),
        "policies/ci.toml",
        &policy_of("[get] /rest/x\n"),
    );
    let ended = run(directory.path(), &["compile", "--check"]);
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert!(ended.out.contains("1 token, 1 warning"), "{}", ended.out);
    let ended = run(directory.path(), &["compile", "--check", "--deny", "warnings"]);
    assert!(
        ended.code == 1 && ended.err.contains("--deny warnings"),
        "{}",
        ended.err
    );
    put(
        directory.path(),
        "tokenward.toml",
        &format!("warnings = \"deny\"\n{CONFIGURATION}"),
    );
    let ended = run(directory.path(), &["compile", "--check"]);
    assert!(
        ended.code == 1 && ended.err.contains("warnings = \"deny\""),
        "{}",
        ended.err
    );
    put(directory.path(), "policies/ci.toml", &policy_of("[get]/rest/x\n"));
    let ended = run(directory.path(), &["compile", "--check"]);
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert!(ended.out.contains("no findings"), "{}", ended.out);
}

#[test]
fn a_proxy_that_starts_with_a_faulty_line_refuses_the_calls_of_its_token() {
    let directory = TempDir::new().unwrap();
    let (address, tables) = listening();
    let secret = "twd_abcdefghijklmnopqrstuvwxyz012345z592xh";
    let hash = hex::encode(Sha256::digest(secret));
    let policy = policy_of("/rest/.*\n![delete]/rest/.* # nobody deletes\n").replace(&"1".repeat(64), &hash);
    put(directory.path(), "tokenward.toml", &tables);
    put(directory.path(), "policies/ci.toml", &policy);
    let _serving = serve(directory.path());
    call(address, "/rest/x");
    let answer = call_with(address, "/rest/x", &format!("svc-ci:{secret}"));
    assert!(
        answer.starts_with("HTTP/1.1 403") && answer.contains("policy-error"),
        "{answer}"
    );
}
