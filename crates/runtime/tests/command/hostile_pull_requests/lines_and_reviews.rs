use super::repository::Repository;
use crate::policy::{review, token};

const FORBID: &str = "![delete]/rest/.*";

fn guarded(reviews: &str) -> Repository {
    let lines = format!("[get]/rest/a\n[delete]/rest/b\n{FORBID}");
    Repository::new(&[
        ("policies/ci.toml", &token("ci", "11", "", &lines)),
        ("policies/reviewed.toml", reviews),
    ])
}

#[test]
fn a_forbid_line_is_lifted() {
    guarded("")
        .proposes(&[(
            "policies/ci.toml",
            &token("ci", "11", "", "[get]/rest/a\n[delete]/rest/b"),
        )])
        .finds(&["TW0310"])
        .says("`ci` newly allows requests that `![delete]/rest/.*` forbade")
        .says("lifted = '![delete]/rest/.*'");
}

/// A review that names a permit line is none of a lifted forbid line, whatever the line says.
#[test]
fn a_review_of_a_permit_line_lifts_nothing() {
    for line in ["[delete]/rest/b", FORBID] {
        guarded(&review(&format!("token = \"ci\"\nline = '{line}'")))
            .proposes(&[(
                "policies/ci.toml",
                &token("ci", "11", "", "[get]/rest/a\n[delete]/rest/b"),
            )])
            .finds(&["TW0310"]);
    }
}

#[test]
fn a_lifted_line_is_reviewed_as_such() {
    guarded(&review(&format!("token = \"ci\"\nlifted = '{FORBID}'")))
        .proposes(&[(
            "policies/ci.toml",
            &token("ci", "11", "", "[get]/rest/a\n[delete]/rest/b"),
        )])
        .finds(&[]);
}

/// The wide permit line was reviewed when the forbid line stood beside it.
#[test]
fn a_reviewed_permit_line_does_not_explain_a_lifted_one() {
    guarded(&review("token = \"ci\"\nline = '/rest/.*'"))
        .proposes(&[("policies/ci.toml", &token("ci", "11", "", "/rest/.*"))])
        .finds(&["TW0310"]);
}

#[test]
fn a_review_of_an_unrestricted_token_lifts_nothing() {
    guarded(&review(
        "token = \"ci\"\nkey = \"unrestricted\"\nvalue = \"true\"",
    ))
    .proposes(&[("policies/ci.toml", &token("ci", "11", "unrestricted = true", ""))])
    .finds(&["TW0310"]);
}

#[test]
fn a_forbid_line_of_a_set_is_no_longer_included() {
    let repository = Repository::new(&[
        (
            "policies/ci.toml",
            &token("ci", "11", "include = [\"guard\"]", "/rest/.*"),
        ),
        ("policies/guard.limits", "![delete]/rest/.*\n"),
    ]);
    repository
        .proposes(&[("policies/ci.toml", &token("ci", "11", "", "/rest/.*"))])
        .finds(&["TW0310"]);
}

#[test]
fn a_set_that_is_included_grows() {
    let repository = Repository::new(&[
        ("policies/ci.toml", &token("ci", "11", "include = [\"set\"]", "")),
        ("policies/set.limits", "[get]/rest/a\n"),
    ]);
    repository
        .proposes(&[("policies/set.limits", "[get]/rest/a\n[delete]/rest/a\n")])
        .finds(&["TW0301"]);
}

#[test]
fn a_token_includes_more() {
    let repository = Repository::new(&[
        ("policies/ci.toml", &token("ci", "11", "include = [\"set\"]", "")),
        ("policies/set.limits", "[get]/rest/a\n"),
        ("policies/more.limits", "[delete]/rest/a\n"),
    ]);
    repository
        .proposes(&[("policies/set.limits", "[get]/rest/a\n@include more\n")])
        .finds(&["TW0301"]);
}

/// It allows nothing yet, and is told before an include takes it in.
#[test]
fn an_unused_set_grows() {
    let repository = Repository::new(&[
        ("policies/ci.toml", &token("ci", "11", "", "[get]/rest/a")),
        ("policies/set.limits", "[get]/rest/a\n![delete].*\n"),
    ]);
    repository
        .proposes(&[("policies/set.limits", "[get]/rest/a\n/rest/.*\n")])
        .finds(&[])
        .says("warning[TW0315]: the set `set`, which no token includes, grew");
    repository
        .proposes(&[("policies/set.limits", "[get]/rest/a\n"), ("policies/new.limits", "/rest/.*\n")])
        .says("warning[TW0315]: the set `new`, which no token includes, grew: it had 0 lines and now has 1 line, 1 of them new")
        .says("the set `set`, which no token includes, grew: it had 2 lines and now has 1 line, 0 of them new, 1 forbid line");
}

#[test]
fn a_pull_request_reviews_itself() {
    let repository = Repository::plain();
    let reviews = review("token = \"ci\"\nline = '/rest/.*'");
    repository
        .proposes(&[
            ("policies/ci.toml", &token("ci", "11", "", "/rest/.*")),
            ("policies/reviewed.toml", &reviews),
        ])
        .finds(&["TW0301", "TW0314"])
        .says("the base does not have this review of `/rest/.*` of `ci`");
    repository.gate(&["--accept-reviews"]).finds(&[]);
    repository
        .tokenward(&["compile", "--check", "--accept-reviews"])
        .ends(2, &["--no-new-access"]);
}

#[test]
fn a_pull_request_reviews_what_it_does_next_time() {
    let repository = Repository::plain();
    let reviews = review("token = \"ci\"\nline = '/rest/.*'");
    repository
        .proposes(&[("policies/reviewed.toml", &reviews)])
        .finds(&["TW0314"]);
    repository
        .proposes(&[
            ("policies/reviewed.toml", ""),
            ("policies/deep/reviewed.toml", &reviews),
        ])
        .finds(&["TW0314"]);
}

#[test]
fn a_review_lives_longer() {
    let reviews = |until: &str| review(&format!("token = \"ci\"\nline = '/rest/.*'\nuntil = {until}"));
    let repository = Repository::new(&[
        ("policies/ci.toml", &token("ci", "11", "", "[get]/rest/a")),
        ("policies/reviewed.toml", &reviews("2020-01-01")),
    ]);
    repository
        .proposes(&[
            ("policies/ci.toml", &token("ci", "11", "", "/rest/.*")),
            ("policies/reviewed.toml", &reviews("2090-01-01")),
        ])
        .finds(&["TW0301", "TW0314"]);
}

#[test]
fn a_reviews_end_that_cannot_be_read_ends_it() {
    let reviews = review("token = \"ci\"\nline = '/rest/.*'\nuntil = \"soon\"");
    Repository::plain()
        .approved(&[
            ("policies/ci.toml", &token("ci", "11", "", "/rest/.*")),
            ("policies/reviewed.toml", &reviews),
        ])
        .finds(&["TW0003", "TW0301"]);
}

/// What the base reviewed counts; that the entry goes together with the change is as it should be.
#[test]
fn a_review_of_the_base_is_used_up() {
    let repository = Repository::new(&[
        ("policies/ci.toml", &token("ci", "11", "", "[get]/rest/a")),
        (
            "policies/reviewed.toml",
            &review("token = \"ci\"\nline = '/rest/.*'"),
        ),
    ]);
    repository.remove("policies/reviewed.toml");
    repository
        .proposes(&[("policies/ci.toml", &token("ci", "11", "", "/rest/.*"))])
        .finds(&[]);
}

#[test]
fn the_reviews_are_moved() {
    let reviews = review("token = \"ci\"\nline = '/rest/.*'");
    let repository = Repository::new(&[
        ("policies/ci.toml", &token("ci", "11", "", "[get]/rest/a")),
        ("policies/reviewed.toml", &reviews),
    ]);
    repository.remove("policies/reviewed.toml");
    repository
        .proposes(&[
            ("policies/a/reviewed.toml", &reviews),
            ("policies/b/reviewed.toml", &reviews),
        ])
        .finds(&[])
        .says("warning[TW0302]");
}

#[test]
fn a_review_is_of_its_value_alone() {
    let reviews = review("token = \"ci\"\nkey = \"user\"\nvalue = \"a, svc\"");
    let repository = Repository::new(&[
        ("policies/ci.toml", &token("ci", "11", "", "[get]/rest/a")),
        ("policies/reviewed.toml", &reviews),
    ]);
    let users = |list: &str| token("ci", "11", &format!("users = [{list}]"), "[get]/rest/a");
    repository
        .proposes(&[("policies/ci.toml", &users("\"svc\", \"a\""))])
        .finds(&[]);
    repository
        .proposes(&[("policies/ci.toml", &users("\"a\", \"svc\", \"b\""))])
        .finds(&["TW0304"]);
}

/// A comparison that exceeds the budget is not a "nothing new".
#[test]
fn a_line_is_too_hard_to_compare() {
    let repository = Repository::new(&[(
        "policies/ci.toml",
        &token("ci", "11", "", "/(.*a){12}.*\n/(.*c){9}.*"),
    )]);
    repository.commit(&[("policies/ci.toml", &token("ci", "11", "", "/(.*b){12}.*a{3}.*"))]);
    repository.gate(&["--budget", "1"]).refuses(&["error[TW0316]"]);
    let answer = repository.tokenward(&["diff", "--budget", "1", "main", "HEAD"]);
    assert!(
        answer.code == 3 && answer.out.contains("inconclusive"),
        "{}{}",
        answer.out,
        answer.err
    );
}

/// A review of the base that ends earlier than it did gives nobody more.
#[test]
fn a_review_that_is_shortened_is_the_bases() {
    let line = "[get]/rest/b";
    let until = |until: &str| review(&format!("token = \"ci\"\nline = '{line}'\n{until}"));
    let repository = Repository::new(&[
        ("policies/ci.toml", &token("ci", "11", "", "[get]/rest/a")),
        ("policies/reviewed.toml", &until("until = 2080-01-01")),
    ]);
    for (entry, codes) in [
        ("until = 2079-01-01", &[][..]),
        ("until = 2081-01-01", &["TW0314"]),
        ("", &["TW0314"]),
    ] {
        repository
            .proposes(&[("policies/reviewed.toml", &until(entry))])
            .finds(codes);
    }
}

/// The advice can be pasted, whatever the line has.
#[test]
fn advice_about_a_line_with_a_quote_is_toml() {
    let repository = Repository::plain();
    repository
        .proposes(&[(
            "policies/ci.toml",
            &token("ci", "11", "", "[get]/rest/a\n[get]/rest/it's\\d"),
        )])
        .finds(&["TW0301"])
        .says(r#"line = "[get]/rest/it's\\d""#);
    let pasted = review(r#"token = "ci", line = "[get]/rest/it's\\d""#.replace(", ", "\n").as_str());
    repository
        .approved(&[("policies/reviewed.toml", &pasted)])
        .finds(&[]);
}
