//! Lints of `tokenward compile`: their sets, and exceptions from them.

use std::fs;

use tempfile::TempDir;

use crate::policy::{EXPIRES, token};
use crate::tokenward::run;

/// A policy with this configuration, and with one token of these keys and lines in `policies/legacy`.
fn policy(configuration: &str, keys: &str, lines: &str) -> TempDir {
    let directory = TempDir::new().unwrap();
    let policies = directory.path().join("policies/legacy");
    fs::create_dir_all(&policies).unwrap();
    fs::write(policies.join("a.toml"), token("a", "11", keys, lines)).unwrap();
    let upstream = "[upstream]\nproduct = \"jira\"\n";
    fs::write(
        directory.path().join("tokenward.toml"),
        format!("{upstream}{configuration}"),
    )
    .unwrap();
    directory
}

/// The exit code and the codes of the findings.
fn found(directory: &TempDir, arguments: &[&str]) -> (i32, Vec<String>) {
    let format = ["compile", "--check", "--format", "json"];
    let ended = run(directory.path(), &[&format, arguments].concat());
    let code = |line: &str| {
        let found: serde_json::Value = serde_json::from_str(line).unwrap();
        found["code"].as_str().unwrap().to_owned()
    };
    (ended.code, ended.out.lines().map(code).collect())
}

#[test]
fn the_set_is_that_of_the_command_line_then_of_the_configuration() {
    let lines = "[get].*/rest/a\n[get]/rest/b|/rest/c";
    let regular = policy("", EXPIRES, lines);
    assert_eq!(found(&regular, &[]), (0, vec!["TW0504".to_owned()]));
    assert_eq!(found(&regular, &["--deny", "warnings"]).0, 1);
    assert_eq!(found(&regular, &["--lint", "none"]).1, [""; 0]);
    assert_eq!(found(&regular, &["--lint", "pedantic"]).1, ["TW0504", "TW0511"]);
    let pedantic = policy("[lint]\nset = \"pedantic\"\n", EXPIRES, lines);
    assert_eq!(found(&pedantic, &[]).1, ["TW0504", "TW0511"]);
    assert_eq!(found(&pedantic, &["--lint", "regular"]).1, ["TW0504"]);
}

#[test]
fn calls_for_credentials_and_rights_are_those_of_the_product() {
    let keys = format!("{EXPIRES}\nmint = true");
    let directory = policy("", &keys, "[post]/rest/auth/[0-9]/session");
    assert_eq!(found(&directory, &[]).1, [""; 0]);
    assert_eq!(found(&directory, &["--lint", "auditor"]).1, ["TW0513"]);
}

#[test]
fn the_configuration_excepts_a_directory() {
    let lines = "[get].*/rest/a";
    let excepted = policy(
        "[lint]\nallow = [\"TW0504 in legacy: the old system\"]\n",
        EXPIRES,
        lines,
    );
    assert_eq!(found(&excepted, &["--deny", "warnings"]), (0, Vec::new()));
    // One that is not needed is told with its place.
    let other = policy(
        "[lint]\nallow = [\n  \"TW0504 in new: the old system\",\n]\n",
        EXPIRES,
        lines,
    );
    assert_eq!(found(&other, &[]).1, ["TW0504", "TW0521"]);
    let shown = run(other.path(), &["compile", "--check"]).err;
    assert!(shown.contains("tokenward.toml:5"), "{shown}");
    // One that is wrong is an error of the configuration.
    for (entry, why) in [
        ("TW0504 in legacy", "has no reason"),
        ("TW0504 in legacy: ", "has no reason"),
        ("TW0504: x", "names no directory"),
        ("TW0504 in ../x: x", "names no directory below"),
        ("TW0504 in /x: x", "names no directory below"),
        ("TW9 in legacy: x", "names no code"),
        ("TW0301 in legacy: x", "cannot be excepted"),
        ("TW0315 in legacy: x", "cannot be excepted"),
    ] {
        let wrong = policy(&format!("[lint]\nallow = [\"{entry}\"]\n"), EXPIRES, lines);
        let ended = run(wrong.path(), &["compile", "--check"]);
        assert!(
            ended.code == 2 && ended.err.contains(why),
            "{entry}: {}",
            ended.err
        );
    }
}

#[test]
fn a_line_and_a_token_are_excepted_with_a_reason() {
    let commented = "# allow TW0504: the old system\n[get].*/rest/a";
    let line = policy("", EXPIRES, commented);
    assert_eq!(found(&line, &["--deny", "warnings"]), (0, Vec::new()));
    let keys = "lint_allow = [\"TW0101: renewed by hand\", \"TW0504: the old system\"]";
    let of_token = policy("", keys, "[get].*/rest/a");
    assert_eq!(found(&of_token, &["--deny", "warnings"]), (0, Vec::new()));
    // Without a reason it is an error, and nothing is written.
    let without = policy("", "lint_allow = [\"TW0101\"]", "[get]/rest/a");
    assert_eq!(found(&without, &[]), (1, vec!["TW0520".to_owned()]));
    assert_eq!(run(without.path(), &["compile", "-o", "policy.twp"]).code, 1);
    assert!(!without.path().join("policy.twp").exists());
    // What is not needed is told, unless its lint did not run.
    let idle = policy(
        "",
        EXPIRES,
        "# allow TW0511: x\n[get]/rest/a\n# allow TW0505: x\n[get]/rest/b",
    );
    assert_eq!(found(&idle, &[]).1, ["TW0521"]);
    assert_eq!(found(&idle, &["--lint", "pedantic"]).1, ["TW0521", "TW0521"]);
    assert_eq!(found(&idle, &["--lint", "none"]).1, [""; 0]);
}

#[test]
fn an_error_elsewhere_brings_no_excepted_warning_back() {
    let lines = "# allow TW0103: a string will do\n[post]/rest/a[JsonData::b==true]\n[gett]/rest/b";
    let directory = policy("", EXPIRES, lines);
    assert_eq!(found(&directory, &[]), (1, vec!["TW0102".to_owned()]));
}

/// A proxy is not kept from its policy by a comment.
#[test]
fn a_wrong_exception_is_an_error_of_the_check_alone() {
    let directory = policy("", EXPIRES, "# allow TW0504\n[get]/rest/a");
    assert_eq!(found(&directory, &[]), (1, vec!["TW0520".to_owned()]));
    let listed = run(directory.path(), &["token", "list"]);
    assert_eq!(listed.code, 0, "{}", listed.err);
}
