use super::repository::Repository;
use crate::policy::token;

const LINE: &str = "[get]/rest/a";

/// The finding for a token `ci` whose keys become others.
#[track_caller]
fn becomes(before: &str, after: &str, codes: &[&str]) {
    let repository = Repository::new(&[("policies/ci.toml", &token("ci", "11", before, LINE))]);
    let lines = if after.contains("unrestricted") { "" } else { LINE };
    repository
        .proposes(&[("policies/ci.toml", &token("ci", "11", after, lines))])
        .finds(codes);
}

#[test]
fn a_user_is_added() {
    becomes("", "users = [\"svc\", \"admin\"]", &["TW0304"]);
}

#[test]
fn a_user_is_replaced() {
    becomes("", "user = \"admin\"", &["TW0304"]);
}

/// A name that looks like two is none.
#[test]
fn two_users_become_one_whose_name_looks_like_both() {
    becomes("users = [\"a\", \"b\"]", "user = \"a, b\"", &["TW0003"]);
}

#[test]
fn any_user_may_be_named() {
    becomes("users = [\"a\", \"b\"]", "any_user = true", &["TW0304"]);
}

#[test]
fn the_expiry_is_later() {
    becomes("expires = 2030-01-01", "expires = 2031-01-01", &["TW0305"]);
}

#[test]
fn the_expiry_is_gone() {
    becomes(
        "expires = 2030-01-01",
        "lint_allow = [\"TW0101: x\"]",
        &["TW0305"],
    );
}

#[test]
fn a_revocation_is_undone() {
    becomes("revoked = true", "revoked = false", &["TW0305"]);
    becomes("revoked = true", "", &["TW0305"]);
}

#[test]
fn an_address_becomes_every_address() {
    becomes(
        "allowed_ips = [\"10.0.0.5\"]",
        "allowed_ips = [\"0.0.0.0/0\"]",
        &["TW0306"],
    );
}

#[test]
fn a_network_is_widened() {
    becomes(
        "allowed_ips = [\"10.0.0.0/24\"]",
        "allowed_ips = [\"10.0.0.0/23\"]",
        &["TW0306"],
    );
}

#[test]
fn the_addresses_are_gone() {
    becomes("allowed_ips = [\"10.0.0.5\"]", "", &["TW0306"]);
}

#[test]
fn an_address_is_written_as_a_mapped_one() {
    let answer = {
        let before = token("ci", "11", "allowed_ips = [\"10.0.0.5\"]", LINE);
        let after = token("ci", "11", "allowed_ips = [\"::ffff:0.0.0.0/96\"]", LINE);
        Repository::new(&[("policies/ci.toml", &before)]).proposes(&[("policies/ci.toml", &after)])
    };
    answer.finds(&["TW0306"]);
}

#[test]
fn empty_addresses_are_an_error() {
    becomes("allowed_ips = [\"10.0.0.5\"]", "allowed_ips = []", &["TW0003"]);
}

#[test]
fn it_acts_for_more() {
    becomes("", "on_behalf_of = [\"admin\"]", &["TW0307"]);
    becomes(
        "on_behalf_of = [\"a\"]",
        "on_behalf_of = [\"a\", \"b\"]",
        &["TW0307"],
    );
}

/// A user whose name is the text that stands for none.
#[test]
fn it_acts_for_a_user_called_nobody() {
    becomes("", "on_behalf_of = [\"nobody\"]", &["TW0307"]);
    becomes("", "on_behalf_of = [\"(nobody)\"]", &["TW0003"]);
}

#[test]
fn it_issues_credentials() {
    becomes("", "mint = true", &["TW0308"]);
    becomes("", "escalate = true", &["TW0317"]);
}

#[test]
fn it_calls_more() {
    let limits = "rate = \"10/1s\"\nconcurrent = 5\nmax_body = \"1MiB\"";
    becomes(
        limits,
        "rate = \"10/1s\"\nconcurrent = 6\nmax_body = \"1MiB\"",
        &["TW0320"],
    );
    becomes(limits, "", &["TW0320"; 4]);
}

#[test]
fn it_is_unrestricted() {
    becomes("", "unrestricted = true", &["TW0309"]);
}

/// Each key of a token that was not there is new.
#[test]
fn a_new_token_has_it_all() {
    let keys = "any_user = true\nmint = true\nlint_allow = [\"TW0101: x\"]\nunrestricted = true";
    Repository::plain()
        .proposes(&[("policies/new.toml", &token("new", "99", keys, ""))])
        .finds(&["TW0303", "TW0304", "TW0305", "TW0306", "TW0308", "TW0309"]);
}

#[test]
fn a_new_token_acts_for_others() {
    let keys = "on_behalf_of = [\"admin\"]\nallowed_ips = [\"10.0.0.5\"]";
    Repository::plain()
        .proposes(&[("policies/new.toml", &token("new", "99", keys, "[get]/rest/b"))])
        .finds(&["TW0301", "TW0303", "TW0304", "TW0305", "TW0306", "TW0307"]);
}

/// Told by `diff`, and no access.
#[test]
fn an_owner_a_description_and_allowed_warnings_give_nothing() {
    becomes(
        "",
        "owner = \"x\"\ndescription = \"y\"\nlint_allow = [\"TW0104: x\"]\nexpires = 2090-01-01",
        &[],
    );
}

#[test]
fn windows_line_ends_give_nothing_and_hide_nothing() {
    let file = token("ci", "11", "", LINE);
    let repository = Repository::new(&[("policies/ci.toml", &file)]);
    repository
        .proposes(&[("policies/ci.toml", &file.replace('\n', "\r\n"))])
        .finds(&[]);
    let wider = token("ci", "11", "users = [\"svc\", \"admin\"]", LINE).replace('\n', "\r\n");
    repository
        .proposes(&[("policies/ci.toml", &wider)])
        .finds(&["TW0304"]);
}
