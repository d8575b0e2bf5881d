use super::repository::Repository;
use crate::policy::{review, token};

const NEVER: &str = "[[never]]\nname = \"nobody-deletes\"\nlines = '[delete].*'\n";
const ONLY: &str = "[[only]]\nname = \"kanban-alone\"\nowners = [\"kanban\"]\nlines = '[get]/rest/k.*'\n";

fn kanban(keys: &str, lines: &str) -> String {
    token("ci", "11", keys, lines)
}

fn with(invariants: &str) -> Repository {
    Repository::new(&[
        ("policies/ci.toml", &kanban("owner = \"kanban\"", "[get]/rest/k")),
        ("policies/invariants.toml", invariants),
    ])
}

#[test]
fn the_invariants_are_deleted() {
    let repository = with(NEVER);
    repository.remove("policies/invariants.toml");
    repository
        .proposes(&[])
        .finds(&["TW0312"])
        .says("the invariant `nobody-deletes` was removed");
}

#[test]
fn the_invariants_are_deleted_and_broken() {
    let repository = with(NEVER);
    repository.remove("policies/invariants.toml");
    let lines = "[get]/rest/k\n[delete]/rest/k";
    repository
        .proposes(&[("policies/ci.toml", &kanban("owner = \"kanban\"", lines))])
        .finds(&["TW0301", "TW0312", "TW0313"]);
}

#[test]
fn the_invariants_are_renamed_away() {
    let repository = with(NEVER);
    repository.remove("policies/invariants.toml");
    let answer = repository.proposes(&[
        ("policies/invariants.TOML", NEVER),
        ("policies/.invariants.toml", NEVER),
    ]);
    answer.finds(&["TW0312"]);
}

#[test]
fn an_invariant_is_narrowed() {
    let narrowed = NEVER.replace("[delete].*", "[delete]/rest/admin.*");
    with(NEVER)
        .proposes(&[("policies/invariants.toml", &narrowed)])
        .finds(&["TW0312"])
        .says("the invariant `nobody-deletes` was changed");
}

#[test]
fn an_invariant_selects_others() {
    for selector in ["owners = [\"nobody\"]", "tokens = [\"x-*\"]", "users = [\"x\"]"] {
        let narrowed = NEVER.replace("lines", &format!("{selector}\nlines"));
        let answer = with(NEVER).proposes(&[("policies/invariants.toml", &narrowed)]);
        assert!(
            answer.code == 1 && answer.err.contains("error[TW0312]"),
            "{}",
            answer.err
        );
    }
}

#[test]
fn an_exception_is_added_to_an_invariant() {
    let excepted = NEVER.replace("'[delete].*'", "'''\n[delete].*\n![delete]/rest/k.*\n'''");
    with(NEVER)
        .proposes(&[("policies/invariants.toml", &excepted)])
        .finds(&["TW0312"]);
}

#[test]
fn an_invariant_becomes_another_kind() {
    let always = NEVER.replace("never", "always");
    let answer = with(NEVER).proposes(&[("policies/invariants.toml", &always)]);
    assert!(
        answer.code == 1 && answer.err.contains("error[TW0312]"),
        "{}",
        answer.err
    );
}

/// The same under another name, reason and order is the same.
#[test]
fn an_invariant_that_moved_is_kept() {
    let repository = with(NEVER);
    repository.remove("policies/invariants.toml");
    let moved = NEVER.replace("nobody-deletes\"", "no-deleting\"\nwhy = \"safety\"");
    repository
        .proposes(&[("policies/deep/invariants.toml", &moved)])
        .finds(&[]);
}

/// The owner, by which the invariant selects, changes together with the lines.
#[test]
fn a_changed_owner_frees_no_token() {
    let lines = "[get]/rest/k\n[get]/rest/secret";
    with(ONLY)
        .proposes(&[("policies/ci.toml", &kanban("owner = \"infra\"", lines))])
        .finds(&["TW0301", "TW0313"])
        .says("`ci` breaks the base's invariant `kanban-alone` (`only`)")
        .says("witness: GET /rest/secret");
}

#[test]
fn a_changed_name_or_user_frees_no_token() {
    for selector in ["tokens = [\"ci\"]", "users = [\"svc\"]"] {
        let only = ONLY.replace("owners = [\"kanban\"]", selector);
        let repository = with(&only);
        let keys = "owner = \"kanban\"\nuser = \"other\"";
        let answer = repository.proposes(&[(
            "policies/ci.toml",
            &token("renamed", "11", keys, "[get]/rest/k\n[get]/rest/secret"),
        )]);
        answer.finds(&["TW0301", "TW0304", "TW0313"]);
    }
}

/// The first of two pull requests: nothing is broken yet. The second would add what the invariant forbids.
#[test]
fn a_token_is_freed_and_gains_nothing_yet() {
    for (selector, after) in [
        (
            "owners = [\"kanban\"]",
            kanban("owner = \"infra\"", "[get]/rest/k"),
        ),
        (
            "tokens = [\"ci\"]",
            token("renamed", "11", "owner = \"kanban\"", "[get]/rest/k"),
        ),
    ] {
        let repository = with(&ONLY.replace("owners = [\"kanban\"]", selector));
        repository
            .proposes(&[("policies/ci.toml", &after)])
            .finds(&["TW0313"])
            .says("is no longer selected by the base's invariant kanban-alone")
            .says("key = \"invariant\", value = \"free of kanban-alone\"");
        let diff = repository.tokenward(&["diff", "main", "HEAD"]);
        assert_eq!(diff.code, 1, "{}", diff.out);
        assert!(diff.out.contains("free of kanban-alone"), "{}", diff.out);
    }
}

#[test]
fn a_freed_token_is_reviewed() {
    let free = review("token = \"ci\"\nkey = \"invariant\"\nvalue = \"free of kanban-alone\"");
    let repository = Repository::new(&[
        ("policies/ci.toml", &kanban("owner = \"kanban\"", "[get]/rest/k")),
        ("policies/invariants.toml", ONLY),
        ("policies/reviewed.toml", &free),
    ]);
    repository
        .proposes(&[("policies/ci.toml", &kanban("owner = \"infra\"", "[get]/rest/k"))])
        .finds(&[]);
    // It is none of a token that breaks the invariant.
    let lines = "[get]/rest/k\n[get]/rest/secret";
    repository
        .proposes(&[("policies/ci.toml", &kanban("owner = \"infra\"", lines))])
        .finds(&["TW0301", "TW0313"]);
}

/// Whoever meant a set's lines proved nothing.
#[test]
fn an_include_in_an_invariant_proves_nothing() {
    let repository = with(NEVER);
    let include = "[[never]]\nname = \"dels\"\nlines = '@include dels'\n";
    repository
        .proposes(&[
            ("policies/invariants.toml", &format!("{NEVER}{include}")),
            ("policies/dels.limits", "[delete].*\n"),
        ])
        .finds(&["TW0011"])
        .says("`@include` cannot be used here");
}

#[test]
fn an_invariant_of_the_base_holds_under_its_own_public_url() {
    let url = |host: &str| format!("[upstream]\npublic_url = \"https://{host}\"\n");
    let never = "[[never]]\nname = \"no-secrets\"\nlines = 'https://jira\\.example\\.com/rest/secret.*'\n";
    let repository = Repository::new(&[
        ("tokenward.toml", &url("jira.example.com")),
        ("policies/ci.toml", &kanban("", "[get]/rest/k")),
        ("policies/invariants.toml", never),
    ]);
    repository
        .proposes(&[
            ("tokenward.toml", &url("elsewhere.example.com")),
            ("policies/ci.toml", &kanban("", "[get]/rest/k\n[get]/rest/secret")),
        ])
        // Under the new URL, the invariant of the new side applies to no request.
        .finds(&["TW0204", "TW0301", "TW0311", "TW0313"]);
}

#[test]
fn the_end_of_an_invariant_is_reviewed_by_its_name() {
    let end = review("invariant = \"nobody-deletes\"\nvalue = \"(removed)\"");
    let repository = Repository::new(&[
        ("policies/ci.toml", &kanban("", "[get]/rest/k")),
        ("policies/invariants.toml", NEVER),
        ("policies/reviewed.toml", &end),
    ]);
    repository.remove("policies/invariants.toml");
    repository
        .proposes(&[("policies/ci.toml", &kanban("", "[get]/rest/k\n[delete]/rest/k"))])
        .finds(&["TW0301"]);
}

#[test]
fn a_freed_token_is_reviewed_by_the_invariants_name() {
    let freed = review("token = \"ci\"\nkey = \"invariant\"\nvalue = \"kanban-alone\"");
    let repository = Repository::new(&[
        ("policies/ci.toml", &kanban("owner = \"kanban\"", "[get]/rest/k")),
        ("policies/invariants.toml", ONLY),
        ("policies/reviewed.toml", &freed),
    ]);
    repository
        .proposes(&[(
            "policies/ci.toml",
            &kanban("owner = \"infra\"", "[get]/rest/k\n[get]/rest/secret"),
        )])
        .finds(&["TW0301"]);
}

/// What is not proved is no pass, and no finding either.
#[test]
fn an_invariant_is_made_too_hard_to_prove() {
    let only = ONLY.replace("'[get]/rest/k.*'", "'''\n/(.*a){12}.*\n/(.*b){12}.*\n'''");
    let repository = with(NEVER);
    let lines = "/(.*c){12}.*a{3}.*";
    repository.write(&[
        ("policies/invariants.toml", &only),
        ("policies/ci.toml", &kanban("owner = \"kanban\"", lines)),
    ]);
    let answer = repository.tokenward(&["compile", "--check", "--budget", "1"]);
    let is_open = answer.err.contains("error[TW0202]") && !answer.err.contains("error[TW0201]");
    assert_eq!(answer.code, if is_open { 3 } else { 1 }, "{}", answer.err);
    assert!(is_open, "{}", answer.err);
}

/// The configuration is outside of the repository, so that no pull request changes it: both sides have it.
#[test]
fn a_configuration_of_the_machine_holds_for_both_sides() {
    let repository = with(NEVER);
    let file = repository.top.parent().unwrap().join("machine.toml");
    let text = "policies = \"repository/policies\"\n[relax]\nget_body = true\n";
    std::fs::write(&file, text).unwrap();
    repository.remove("policies/invariants.toml");
    repository.commit(&[("tokenward.toml", "[relax]\ncookies = true\n")]);
    repository
        .gate(&["--config", file.to_str().unwrap()])
        .finds(&["TW0312"]);
}
