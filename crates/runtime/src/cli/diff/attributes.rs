//! What a token says beside its lines, then and now.

use std::collections::BTreeSet;

use jiff::Timestamp;
use tokenward_compiler::ir::{Token, Users};

/// One difference.
#[derive(Debug, PartialEq, Eq)]
pub(in super::super) struct Change {
    /// The key, as policy files have it.
    pub(in super::super) key: &'static str,
    pub(in super::super) old: String,
    pub(in super::super) new: String,
    /// Whether it lets in calls that were refused.
    pub(in super::super) widens: bool,
}

/// All differences, those that widen among them.
pub(in super::super) fn changes(old: &Token, new: &Token) -> Vec<Change> {
    let mut changes = Vec::new();
    let mut note = |key, old: String, new: String, widens| {
        if old != new {
            changes.push(Change {
                key,
                old,
                new,
                widens,
            });
        }
    };
    note("name", old.name.clone(), new.name.clone(), false);
    note(
        "user",
        users(&old.users),
        users(&new.users),
        adds_users(&old.users, &new.users),
    );
    note(
        "expires",
        expiry(old.expires),
        expiry(new.expires),
        outlives(old.expires, new.expires),
    );
    note(
        "allowed_ips",
        addresses(old),
        addresses(new),
        adds_addresses(old, new),
    );
    let adds_others = new
        .on_behalf_of
        .iter()
        .any(|name| !old.on_behalf_of.contains(name));
    note(
        "on_behalf_of",
        names(&old.on_behalf_of),
        names(&new.on_behalf_of),
        adds_others,
    );
    note("mint", old.mint.to_string(), new.mint.to_string(), new.mint);
    note(
        "escalate",
        old.escalate.to_string(),
        new.escalate.to_string(),
        new.escalate,
    );
    note(
        "revoked",
        old.revoked.to_string(),
        new.revoked.to_string(),
        old.revoked,
    );
    // What it allows is told by the comparison of lines.
    note(
        "unrestricted",
        old.unrestricted.to_string(),
        new.unrestricted.to_string(),
        false,
    );
    note(
        "secret_hash",
        hash(&old.secret_hash),
        hash(&new.secret_hash),
        false,
    );
    let owner = |token: &Token| token.owner.clone().unwrap_or_else(|| "nobody".to_owned());
    note("owner", owner(old), owner(new), false);
    changes
}

pub(super) fn users(users: &Users) -> String {
    match users {
        Users::Named(users) => names(users),
        Users::Any => "whoever the caller says".to_owned(),
    }
}

pub(super) fn expiry(expires: Option<i64>) -> String {
    let Some(expires) = expires else {
        return "never".to_owned();
    };
    Timestamp::from_millisecond(expires).map_or_else(|_| expires.to_string(), |time| time.to_string())
}

fn adds_users(old: &Users, new: &Users) -> bool {
    match (old, new) {
        (Users::Any, _) => false,
        (Users::Named(_), Users::Any) => true,
        (Users::Named(old), Users::Named(new)) => new.iter().any(|user| !old.contains(user)),
    }
}

fn outlives(old: Option<i64>, new: Option<i64>) -> bool {
    match (old, new) {
        (None, _) => false,
        (Some(_), None) => true,
        (Some(old), Some(new)) => new > old,
    }
}

/// Several old networks may together cover a new one; that counts as wider, to be looked at.
fn adds_addresses(old: &Token, new: &Token) -> bool {
    let covered = |network: &ipnet::IpNet| old.allowed_ips.iter().any(|other| other.contains(network));
    !old.allowed_ips.is_empty() && (new.allowed_ips.is_empty() || !new.allowed_ips.iter().all(covered))
}

fn addresses(token: &Token) -> String {
    if token.allowed_ips.is_empty() {
        return "anywhere".to_owned();
    }
    let sorted: BTreeSet<String> = token.allowed_ips.iter().map(ToString::to_string).collect();
    sorted.into_iter().collect::<Vec<_>>().join(", ")
}

fn names(names: &[String]) -> String {
    if names.is_empty() {
        return "nobody".to_owned();
    }
    let sorted: BTreeSet<&str> = names.iter().map(String::as_str).collect();
    sorted.into_iter().collect::<Vec<_>>().join(", ")
}

/// Enough of it to tell two apart.
fn hash(hash: &[u8; 32]) -> String {
    hex::encode(hash).chars().take(12).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(keys: &str) -> Token {
        let file = format!(
            "[[token]]\nname = \"a\"\nsecret_hash = \"sha256:{}\"\nlimit_to = '/a'\n{keys}",
            "11".repeat(32)
        );
        let sources = tokenward_compiler::source::SourceSet::from_files([("a.toml".to_owned(), file)]);
        let program = tokenward_compiler::compile(&sources).program.unwrap();
        let (_, token) = program.tokens().next().unwrap();
        token.clone()
    }

    #[test]
    fn widening_and_narrowing_are_told_apart() {
        let narrow =
            token("user = \"a\"\nexpires = 2030-01-01\nallowed_ips = [\"10.0.0.0/8\"]\nrevoked = true");
        let wide = token(
            "users = [\"a\", \"b\"]\nallowed_ips = [\"10.0.0.0/8\", \"::1\"]\non_behalf_of = [\"c\"]\nmint = true\nescalate = true\nowner = \"o\"",
        );
        let keys = |changes: Vec<Change>| {
            changes
                .into_iter()
                .map(|change| (change.key, change.widens))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            keys(changes(&narrow, &wide)),
            [
                ("user", true),
                ("expires", true),
                ("allowed_ips", true),
                ("on_behalf_of", true),
                ("mint", true),
                ("escalate", true),
                ("revoked", true),
                ("owner", false),
            ]
        );
        assert!(changes(&wide, &narrow).iter().all(|change| !change.widens));
        assert_eq!(changes(&wide, &wide), []);
    }

    #[test]
    fn a_network_within_another_is_no_wider() {
        let old = token("user = \"a\"\nallowed_ips = [\"10.0.0.0/8\"]");
        let new = token("user = \"a\"\nallowed_ips = [\"10.1.0.0/16\"]");
        assert!(changes(&old, &new).iter().all(|change| !change.widens));
        assert!(changes(&new, &old).iter().any(|change| change.widens));
        let open = token("user = \"a\"");
        assert!(
            changes(&old, &open)
                .iter()
                .any(|change| change.key == "allowed_ips" && change.widens)
        );
    }
}
