use super::repository::Repository;
use crate::policy::token;

const WIDE: &str = "[get]/rest/a\n[get]/rest/api/2/issue.*";

/// A comment excepts from a lint, and the access is new all the same.
#[test]
fn a_comment_excepts_from_no_new_access() {
    let lines = "[get]/rest/a\n# allow TW0505: nothing to see\n[get]/rest/api/2/issue.*";
    Repository::plain()
        .proposes(&[("policies/ci.toml", &token("ci", "11", "", lines))])
        .finds(&["TW0301"]);
}

#[test]
fn a_comment_with_a_code_of_the_gate_is_an_error_itself() {
    let lines = "[get]/rest/a\n# allow TW0301: nothing to see\n[get]/rest/b";
    Repository::plain()
        .proposes(&[("policies/ci.toml", &token("ci", "11", "", lines))])
        .finds(&["TW0301", "TW0520"]);
}

#[test]
fn a_comment_is_no_review_of_what_an_upgrade_gives() {
    let lines = "[get]/rest/a\n# allow TW0121: nothing to see\n[get]^/rest/b$";
    Repository::new(&[("policies/ci.toml", &token("ci", "11", "", lines))])
        .proposes(&[("README.md", "text")])
        .finds(&["TW0121"]);
}

/// Fewer lints, or an exception for a directory, may let a later change pass.
#[test]
fn looser_lints_are_a_looser_configuration() {
    for after in [
        "[lint]\nset = \"none\"\n",
        "[lint]\nexpires_within = \"1d\"\n",
        "[lint]\nallow = [\"TW0505 in .: nothing to see\"]\n",
    ] {
        let repository = Repository::new(&[
            ("tokenward.toml", ""),
            ("policies/ci.toml", &token("ci", "11", "", WIDE)),
        ]);
        let ran = repository.proposes(&[("tokenward.toml", after)]);
        assert!(
            ran.code == 1 && ran.err.contains("error[TW0311]"),
            "{after}: {}",
            ran.err
        );
    }
}

/// A set that grew is a warning of the gate, which no directory excepts.
#[test]
fn a_directory_excepts_from_nothing_of_the_gate() {
    let repository = Repository::plain();
    repository.commit(&[("tokenward.toml", "[lint]\nallow = [\"TW0315 in .: x\"]\n")]);
    let ran = repository.gate(&[]);
    assert!(
        ran.code == 2 && ran.err.contains("cannot be excepted"),
        "{}",
        ran.err
    );
}
