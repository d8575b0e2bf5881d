//! Compares the keys of a token, beyond its lines, before and after a change.

use jiff::Timestamp;
use tokenward_compiler::call_limits::CallLimits;
use tokenward_compiler::diagnostic::Code;
use tokenward_compiler::ir::{Program, Token, Users};
use tokenward_compiler::policy::Attributes;
use tokenward_compiler::units;

use super::change::{Change, list, name};

const NOBODY: &str = "(nobody)";
const NONE: &str = "(none)";

/// Lists all differences between a token and its old version. A token without an old version gave nobody access, so
/// each of its keys that grants access counts as new.
pub(super) fn changes(old: Option<&Token>, new: &Token) -> Vec<Change> {
    let old = old.map(|token| &token.attributes);
    let new = &new.attributes;
    // A new field of `Attributes` does not compile until it is compared here.
    let Attributes {
        name: _,
        users: _,
        secret_hash: _,
        previous: _,
        expires: _,
        allowed_ips: _,
        on_behalf_of: _,
        revoked: _,
        owner: _,
        description: _,
        mint: _,
        escalate: _,
        limits: _,
        unrestricted: _,
        lint_allow: _,
        secret_sealed: _,
        // The seal confirms that the token is as its maker sealed it. It is checked when the policy compiles.
        seal: _,
    } = new;
    let mut changes = Vec::new();
    for change in [
        whom(old, new),
        when(old, new),
        how_much(old, new),
        otherwise(old, new),
    ] {
        changes.extend(change);
    }
    changes.retain(|change| change.old != change.new);
    changes
}

/// Compares who can use the token: users, credentials, addresses, and users that it may act for.
fn whom(old: Option<&Attributes>, new: &Attributes) -> Vec<Change> {
    let hash = |hash: Option<&[u8; 32]>| hash.map_or_else(|| NONE.to_owned(), digest);
    let previous = |of: &Attributes| of.previous.map(|(hash, _)| hash);
    let others = |of: &Attributes| list(of.on_behalf_of.iter().map(String::as_str), NOBODY);
    let adds_others = |old: &Attributes| {
        new.on_behalf_of
            .iter()
            .any(|name| !old.on_behalf_of.contains(name))
    };
    let is_new = old.is_none_or(|old| old.secret_hash != new.secret_hash);
    let adds_previous = previous(new).is_some_and(|hash| !old.is_some_and(|old| opens(old, &hash)));
    // Each key gives more if it adds a user, a secret, an address or another user to act for.
    vec![
        Change::new(
            "user",
            old.map_or_else(|| NOBODY.to_owned(), |old| users(&old.users)),
            users(&new.users),
            old.is_none_or(|old| adds_users(&old.users, &new.users))
                .then_some(Code::NewUser),
        ),
        Change::new(
            "secret_hash",
            hash(old.map(|old| &old.secret_hash)),
            hash(Some(&new.secret_hash)),
            is_new.then_some(Code::NewCredential),
        ),
        Change::new(
            "previous_secret_hash",
            hash(old.and_then(previous).as_ref()),
            hash(previous(new).as_ref()),
            adds_previous.then_some(Code::NewCredential),
        ),
        Change::new(
            "allowed_ips",
            old.map_or_else(|| "(nowhere)".to_owned(), addresses),
            addresses(new),
            old.is_none_or(|old| adds_addresses(old, new))
                .then_some(Code::MoreAddresses),
        ),
        Change::new(
            "on_behalf_of",
            old.map_or_else(|| NOBODY.to_owned(), others),
            others(new),
            old.map_or(!new.on_behalf_of.is_empty(), adds_others)
                .then_some(Code::ActsForMore),
        ),
    ]
}

/// Compares how long the token can be used: its expiry, that of the secret before a rotation, and a revocation.
fn when(old: Option<&Attributes>, new: &Attributes) -> Vec<Change> {
    let until = |of: &Attributes| {
        let until = of.previous.map(|(_, until)| expiry(Some(until)));
        until.unwrap_or_else(|| NONE.to_owned())
    };
    let revoked = |of: &Attributes| of.revoked.to_string();
    vec![
        Change::new(
            "expires",
            old.map_or_else(|| NONE.to_owned(), |old| expiry(old.expires)),
            expiry(new.expires),
            old.is_none_or(|old| outlives(old.expires, new.expires))
                .then_some(Code::LongerLife),
        ),
        Change::new(
            "previous_until",
            old.map_or_else(|| NONE.to_owned(), until),
            until(new),
            prolongs_previous(old, new).then_some(Code::LongerLife),
        ),
        Change::new(
            "revoked",
            old.map_or_else(|| "false".to_owned(), revoked),
            revoked(new),
            old.is_some_and(|old| old.revoked && !new.revoked)
                .then_some(Code::LongerLife),
        ),
    ]
}

/// Compares how often, how many at a time, and with how large a body the token may call. Limits take something away, so
/// that a new token without them has nothing that its lines do not show.
fn how_much(old: Option<&Attributes>, new: &Attributes) -> Vec<Change> {
    let Some(old) = old else { return Vec::new() };
    let (old, new) = (old.limits, new.limits);
    // Without a limit, everything is allowed.
    fn grows<T>(old: Option<T>, new: Option<T>, exceeds: impl Fn(&T, &T) -> bool) -> bool {
        match (old, new) {
            (None, _) => false,
            (Some(_), None) => true,
            (Some(old), Some(new)) => exceeds(&new, &old),
        }
    }
    let shown = |value: Option<String>| value.unwrap_or_else(|| "(any)".to_owned());
    let rate = |of: CallLimits| shown(of.rate.map(|rate| rate.to_string()));
    let burst = |of: CallLimits| shown(of.whole_burst().map(|burst| burst.to_string()));
    let concurrent = |of: CallLimits| shown(of.concurrent.map(|concurrent| concurrent.to_string()));
    let max_body = |of: CallLimits| shown(of.max_body.map(units::shown_size));
    let change = |key, old, new, grows: bool| Change::new(key, old, new, grows.then_some(Code::MoreCalls));
    vec![
        change(
            "rate",
            rate(old),
            rate(new),
            grows(old.rate, new.rate, |new, old| new.exceeds(*old)),
        ),
        change(
            "burst",
            burst(old),
            burst(new),
            grows(old.whole_burst(), new.whole_burst(), PartialOrd::gt),
        ),
        change(
            "concurrent",
            concurrent(old),
            concurrent(new),
            grows(old.concurrent, new.concurrent, PartialOrd::gt),
        ),
        change(
            "max_body",
            max_body(old),
            max_body(new),
            grows(old.max_body, new.max_body, PartialOrd::gt),
        ),
    ]
}

/// Compares the other keys: three rights, and keys that grant nothing.
fn otherwise(old: Option<&Attributes>, new: &Attributes) -> Vec<Change> {
    let was = |flag: fn(&Attributes) -> bool| old.is_some_and(flag);
    let gains = |flag: fn(&Attributes) -> bool, code| (flag(new) && !was(flag)).then_some(code);
    let flag = |key, flag: fn(&Attributes) -> bool, code: Option<Code>| {
        Change::new(key, was(flag).to_string(), flag(new).to_string(), code)
    };
    let mut changes = vec![
        flag("mint", |of| of.mint, gains(|of| of.mint, Code::NewMint)),
        flag(
            "escalate",
            |of| of.escalate,
            gains(|of| of.escalate, Code::NewEscalate),
        ),
        flag(
            "unrestricted",
            |of| of.unrestricted,
            gains(|of| of.unrestricted, Code::NewUnrestricted),
        ),
    ];
    // Descriptive keys of a new token need not be shown.
    let Some(old) = old else { return changes };
    let text = |text: Option<&String>| text.map_or_else(|| NONE.to_owned(), |text| name(text));
    let lints = |of: &Attributes| list(of.lint_allow.iter().map(|code| code.as_str()), NONE);
    for (key, old, new) in [
        ("name", name(&old.name), name(&new.name)),
        ("owner", text(old.owner.as_ref()), text(new.owner.as_ref())),
        (
            "description",
            text(old.description.as_ref()),
            text(new.description.as_ref()),
        ),
        ("lint_allow", lints(old), lints(new)),
        (
            "secret_sealed",
            old.secret_sealed.to_string(),
            new.secret_sealed.to_string(),
        ),
    ] {
        changes.push(Change::new(key, old, new, None));
    }
    changes
}

/// Compares the secret of a token with that of another old token which had the same name. Holders of the old secret
/// lose the name. Holders of the new one gain the reviews and invariants that refer to the name.
pub(super) fn credential_of_name(old: &Token, new: &Token) -> Option<Change> {
    let is_new = old.secret_hash != new.secret_hash;
    is_new.then(|| {
        let (old, new) = (digest(&old.secret_hash), digest(&new.secret_hash));
        Change::new("secret_hash", old, new, Some(Code::NewCredential))
    })
}

/// The credentials of a token that no old token of its name had. Reviews are of a name: a token that takes the name takes
/// them too, whatever its secret opened before.
pub(super) fn strange_credentials(old: &Program, new: &Token) -> Vec<Change> {
    let mut tokens = old.tokens().map(|(_, token)| token);
    let named = tokens.find(|token| token.name == new.name);
    let previous = new.previous.map(|(hash, _)| hash);
    [
        ("secret_hash", Some(new.secret_hash)),
        ("previous_secret_hash", previous),
    ]
    .into_iter()
    .filter_map(|(key, hash)| Some((key, hash?)))
    .filter(|(_, hash)| !named.is_some_and(|named| opens(named, hash)))
    .map(|(key, hash)| Change::new(key, NONE.to_owned(), digest(&hash), Some(Code::NewCredential)))
    .collect()
}

pub(super) fn users(users: &Users) -> String {
    match users {
        Users::Named(users) => list(users.iter().map(String::as_str), NOBODY),
        Users::Any => "(any user)".to_owned(),
    }
}

fn expiry(expires: Option<i64>) -> String {
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

/// Whether the hash is that of the token's secret, or of the secret before a rotation, even an expired one.
fn opens(token: &Attributes, hash: &[u8; 32]) -> bool {
    token.secret_hash == *hash || token.previous.is_some_and(|(previous, _)| previous == *hash)
}

/// Whether the secret before a rotation is valid longer than it was.
fn prolongs_previous(old: Option<&Attributes>, new: &Attributes) -> bool {
    let Some((hash, until)) = new.previous else {
        return false;
    };
    let end = |of: &Attributes, until: i64| of.expires.map_or(until, |expires| expires.min(until));
    let before = old.and_then(|old| match old.previous {
        _ if old.secret_hash == hash => Some(old.expires),
        Some((previous, until)) if previous == hash => Some(Some(end(old, until))),
        _ => None,
    });
    before.is_none_or(|before| outlives(before, Some(end(new, until))))
}

/// Whether the token accepts more addresses. A new network that only several old ones together cover also counts as
/// more, so that it is reviewed.
fn adds_addresses(old: &Attributes, new: &Attributes) -> bool {
    let covered = |network: &ipnet::IpNet| old.allowed_ips.iter().any(|other| other.contains(network));
    !old.allowed_ips.is_empty() && (new.allowed_ips.is_empty() || !new.allowed_ips.iter().all(covered))
}

fn addresses(token: &Attributes) -> String {
    let networks: Vec<String> = token.allowed_ips.iter().map(ToString::to_string).collect();
    list(networks.iter().map(String::as_str), "(anywhere)")
}

/// Formats the whole hash: a prefix could be matched by another secret.
fn digest(hash: &[u8; 32]) -> String {
    format!("sha256:{}", hex::encode(hash))
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

    fn widened(old: &Token, new: &Token) -> Vec<(String, Option<Code>)> {
        let changes = changes(Some(old), new).into_iter();
        changes.map(|change| (change.key, change.widens)).collect()
    }

    #[test]
    fn widening_and_narrowing_are_told_apart() {
        let narrow =
            token("user = \"a\"\nexpires = 2030-01-01\nallowed_ips = [\"10.0.0.0/8\"]\nrevoked = true");
        let wide = token(
            "users = [\"a\", \"b\"]\nallowed_ips = [\"10.0.0.0/8\", \"::1\"]\non_behalf_of = [\"c\"]\nmint = true\nescalate = true\nowner = \"o\"",
        );
        let expected = [
            ("user", Some(Code::NewUser)),
            ("allowed_ips", Some(Code::MoreAddresses)),
            ("on_behalf_of", Some(Code::ActsForMore)),
            ("expires", Some(Code::LongerLife)),
            ("revoked", Some(Code::LongerLife)),
            ("mint", Some(Code::NewMint)),
            ("escalate", Some(Code::NewEscalate)),
            ("owner", None),
        ];
        assert_eq!(
            widened(&narrow, &wide),
            expected.map(|(key, code)| (key.to_owned(), code))
        );
        assert!(widened(&wide, &narrow).iter().all(|(_, code)| code.is_none()));
        assert_eq!(changes(Some(&wide), &wide), []);
    }

    #[test]
    fn a_network_within_another_is_no_wider() {
        let old = token("user = \"a\"\nallowed_ips = [\"10.0.0.0/8\"]");
        let new = token("user = \"a\"\nallowed_ips = [\"10.1.0.0/16\"]");
        let widens = |old: &Token, new: &Token| widened(old, new).iter().any(|(_, code)| code.is_some());
        assert!(!widens(&old, &new) && widens(&new, &old));
        assert!(widens(&old, &token("user = \"a\"")));
        assert!(widens(
            &old,
            &token("user = \"a\"\nallowed_ips = [\"0.0.0.0/0\"]")
        ));
        assert!(widens(
            &old,
            &token("user = \"a\"\nallowed_ips = [\"::ffff:0.0.0.0/96\"]")
        ));
    }

    #[test]
    fn a_secret_before_a_rotation_must_have_been_one() {
        let previous = |digits: &str, until: &str, expires: &str| {
            let digits = digits.repeat(32);
            token(&format!(
                "user = \"a\"\nprevious_secret_hash = \"sha256:{digits}\"\nprevious_until = {until}\n{expires}"
            ))
        };
        let expires = "expires = 2030-01-01";
        let plain = token(&format!("user = \"a\"\n{expires}"));
        let added = previous("22", "2029-01-01", expires);
        let codes = |old: &Token, new: &Token| -> Vec<Code> {
            let changes = changes(Some(old), new).into_iter();
            changes.filter_map(|change| change.widens).collect()
        };
        assert_eq!(codes(&plain, &added), [Code::NewCredential, Code::LongerLife]);
        let longer = previous("22", "2029-06-01", expires);
        assert_eq!(codes(&added, &longer), [Code::LongerLife]);
        assert_eq!(codes(&longer, &added), []);
        // The secret ends with the token's own expiry in any case.
        let beyond = |until| previous("22", until, expires);
        assert_eq!(codes(&beyond("2031-01-01"), &beyond("2040-01-01")), []);
    }

    #[test]
    fn higher_limits_and_those_that_are_gone_are_more() {
        let widens = |old: &str, new: &str| -> Vec<String> {
            let changes = widened(
                &token(&format!("user = \"a\"\n{old}")),
                &token(&format!("user = \"a\"\n{new}")),
            );
            let more = changes.into_iter().filter(|(_, code)| code.is_some());
            more.map(|(key, code)| format!("{key} {}", code.unwrap()))
                .collect()
        };
        for (old, new, more) in [
            (
                "rate = \"600/1m\"",
                "rate = \"601/1m\"\nburst = 600",
                &["rate TW0320"][..],
            ),
            ("rate = \"600/1m\"", "", &["rate TW0320", "burst TW0320"]),
            ("rate = \"600/1m\"", "rate = \"36000/1h\"", &["burst TW0320"]),
            (
                "rate = \"600/1m\"\nburst = 5",
                "rate = \"600/1m\"",
                &["burst TW0320"],
            ),
            ("concurrent = 5", "concurrent = 6", &["concurrent TW0320"]),
            ("concurrent = 5", "", &["concurrent TW0320"]),
            ("max_body = \"1MiB\"", "max_body = \"1GiB\"", &["max_body TW0320"]),
            ("max_body = \"1MiB\"", "", &["max_body TW0320"]),
            ("rate = \"600/1m\"", "rate = \"10/1s\"", &[]),
            ("", "rate = \"600/1m\"\nconcurrent = 1\nmax_body = \"1B\"", &[]),
        ] {
            assert_eq!(widens(old, new), more, "{old:?} {new:?}");
        }
    }

    #[test]
    fn what_is_new_lets_in_by_each_of_its_keys() {
        let new = token("any_user = true\nmint = true");
        let keys: Vec<String> = changes(None, &new)
            .into_iter()
            .filter(|change| change.widens.is_some())
            .map(|change| change.key)
            .collect();
        assert_eq!(keys, ["user", "secret_hash", "allowed_ips", "expires", "mint"]);
    }
}
