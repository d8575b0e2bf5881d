//! A baseline of the pull request accepts no new access.

use super::repository::Repository;
use crate::policy::token;

fn entry(code: &str, line: &str) -> String {
    format!("[[accepted]]\ncode = \"{code}\"\ntoken = \"ci\"\nline = '{line}'\nwhy = \"it is fine\"\n")
}

const MORE: &str = "[get]/rest/b";

#[test]
fn new_access_cannot_be_accepted() {
    let repository = Repository::plain();
    let policy = token("ci", "11", "", &format!("[get]/rest/a\n{MORE}"));
    repository.commit(&[
        ("policies/ci.toml", &policy),
        ("accepted.toml", &entry("TW0301", MORE)),
    ]);
    let ran = repository.gate(&["--baseline", "accepted.toml"]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert!(
        ran.err.contains("TW0301") && ran.err.contains("TW0551"),
        "{}",
        ran.err
    );
}

#[test]
fn what_only_an_upgrade_gives_cannot_be_accepted() {
    let line = "[get] /rest/b";
    let policy = token("ci", "11", "", &format!("[get]/rest/a\n{line}"));
    let repository = Repository::new(&[("policies/ci.toml", &policy)]);
    repository.commit(&[("accepted.toml", &entry("TW0121", line)), ("note", "x")]);
    let ran = repository.gate(&["--baseline", "accepted.toml"]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert!(ran.err.contains("error[TW0121]"), "{}", ran.err);
    // Without the gate it is a warning, which can be accepted.
    let ran = repository.tokenward(&[
        "compile",
        "--check",
        "--deny",
        "warnings",
        "--baseline",
        "accepted.toml",
    ]);
    assert_eq!(ran.code, 0, "{}", ran.err);
}

#[test]
fn a_baseline_cannot_be_written_past_the_gate() {
    let repository = Repository::plain();
    let policy = token("ci", "11", "", &format!("[get]/rest/a\n{MORE}"));
    repository.commit(&[("policies/ci.toml", &policy)]);
    let ran = repository.gate(&["--baseline", "accepted.toml", "--write-baseline"]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert!(!repository.top.join("accepted.toml").exists());
}

#[test]
fn the_gate_reports_in_each_format() {
    let repository = Repository::plain();
    let policy = token("ci", "11", "", &format!("[get]/rest/a\n{MORE}"));
    for format in ["sarif", "gitlab", "junit", "github"] {
        let ran = repository.proposes(&[("policies/ci.toml", &policy), ("note", format)]);
        assert_eq!(ran.code, 1, "{}", ran.err);
        let ran = repository.gate(&["--format", format]);
        assert!(
            ran.code == 1 && ran.out.contains("TW0301") && ran.out.contains("policies/ci.toml"),
            "{}",
            ran.out
        );
    }
}
