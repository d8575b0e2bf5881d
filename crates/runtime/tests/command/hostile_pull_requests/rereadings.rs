use super::repository::Repository;
use crate::policy::{review, token};

const CARET: &str = "[get]^/rest/b$";

fn with(lines: &str, reviews: &str) -> Repository {
    let mut files = vec![("policies/ci.toml", token("ci", "11", "", lines))];
    if !reviews.is_empty() {
        files.push(("policies/reviewed.toml", reviews.to_owned()));
    }
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
    Repository::new(&files)
}

const OTHER: (&str, &str) = ("README.md", "text");

#[test]
fn what_an_upgrade_gives_needs_a_review() {
    with(&format!("[get]/rest/a\n{CARET}"), "")
        .proposes(&[OTHER])
        .finds(&["TW0121"])
        .says("this line allows more than in earlier releases")
        .says("GET /rest/b")
        .says("write `[get]/rest/b`")
        .says("token = \"ci\", line = '[get]^/rest/b$'");
}

#[test]
fn a_review_of_the_base_is_one() {
    let reviewed = review(&format!("token = \"ci\"\nline = '{CARET}'"));
    with(&format!("[get]/rest/a\n{CARET}"), &reviewed)
        .proposes(&[OTHER])
        .finds(&[]);
}

#[test]
fn a_review_of_the_pull_request_needs_an_owner() {
    let reviewed = review(&format!("token = \"ci\"\nline = '{CARET}'"));
    let files = [("policies/reviewed.toml", reviewed.as_str())];
    with(CARET, "").proposes(&files).finds(&["TW0121", "TW0314"]);
    with(CARET, "").approved(&files).finds(&[]);
}

#[test]
fn an_allowed_warning_is_no_review() {
    let allowed = token(
        "ci",
        "11",
        "expires = 2090-01-01T00:00:00Z\nlint_allow = [\"TW0121: x\"]",
        CARET,
    );
    let repository = with("[get]/rest/a", "");
    repository.git(&["checkout", "-q", "main"]);
    repository.commit(&[("policies/ci.toml", &allowed)]);
    repository.git(&["checkout", "-q", "-b", "later"]);
    repository.proposes(&[OTHER]).finds(&["TW0121"]);
    // It silences the warning, which without a base is all that there is.
    let ran = repository.tokenward(&["compile", "--check", "--deny", "warnings"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
}

#[test]
fn the_public_url_in_a_value_and_the_root_of_a_body_are_reviewed() {
    let url = "[get]/rest/b[QueryParam::u=={BASE_URL}]";
    with(url, "")
        .proposes(&[OTHER])
        .finds(&["TW0121"])
        .says(&format!("line = '{url}'"));
    let root = "[post]/rest/b[JsonData::$==a]";
    let reviewed = review(&format!("token = \"ci\"\nline = '{root}'"));
    with(root, &reviewed).proposes(&[OTHER]).finds(&[]);
    with(root, "")
        .proposes(&[OTHER])
        .finds(&["TW0121"])
        .says("write `\"$\"`");
    // A forbid line that forbids less.
    let forbid = "![get]/rest/.*[QueryParam::u!={BASE_URL}]";
    let lines = format!("[get]/rest/b\n{forbid}");
    with(&lines, "")
        .proposes(&[OTHER])
        .finds(&["TW0121"])
        .says("this line forbids less than in earlier releases")
        .says(&format!("lifted = '{forbid}'"));
    let reviewed = review(&format!("token = \"ci\"\nlifted = '{forbid}'"));
    with(&lines, &reviewed).proposes(&[OTHER]).finds(&[]);
}

#[test]
fn a_line_that_gives_nothing_more_needs_none() {
    with("[get]/rest/.*\n[get]^/rest/b$\n! [delete] /rest/.*", "")
        .proposes(&[OTHER])
        .finds(&[]);
}

#[test]
fn a_new_line_is_new_access_and_reported_once() {
    with("[get]/rest/a", "")
        .proposes(&[(
            "policies/ci.toml",
            &token("ci", "11", "", &format!("[get]/rest/a\n{CARET}")),
        )])
        .finds(&["TW0301"]);
}

#[test]
fn diff_tells_of_the_new_side() {
    let repository = with(CARET, "");
    let ran = repository.tokenward(&["diff", "main", "HEAD"]);
    ran.says("warning[TW0121]").says("GET /rest/b");
    assert_eq!((ran.code, ran.err.matches("TW0121").count()), (0, 1));
}

#[test]
fn files_that_are_nearly_policy_files_are_told_at_revisions_too() {
    let repository = with("[get]/rest/a", "");
    repository.commit(&[
        ("policies/jira.limit", "[get]/rest/b\n"),
        ("policies/sub/ci.yaml", ""),
    ]);
    let near = [
        "`jira.limit` is not read",
        "`sub/ci.yaml` is not read",
        "--> policies/jira.limit:1",
    ];
    for arguments in [
        &["diff", "main", "HEAD"][..],
        &["diff", "main", "policies"],
        &["compile", "--check"],
    ] {
        let ran = repository.tokenward(arguments);
        assert_eq!(ran.code, 0, "{arguments:?} {}", ran.err);
        for text in near {
            ran.says(text);
        }
    }
    // The gate judges the commit, whatever the work tree has.
    repository.remove("policies/jira.limit");
    let ran = repository.gate(&[]);
    ran.says("the commit `HEAD` differs from the work tree, and has warnings:")
        .says(near[0]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    repository.remove("policies/sub/ci.yaml");
    let ran = repository.gate(&["--deny", "warnings"]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    ran.says("2 warnings in `HEAD`, denied by --deny warnings");
}
