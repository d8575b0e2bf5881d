//! Decides which tokens of two policies are compared with each other.
//!
//! Access depends on secrets. A new token is therefore compared with the old tokens that its secrets opened: its own
//! secret and the one before a rotation. If its own secret is new, it is compared with the old token of the same name
//! instead. Names decide nothing else, so two tokens cannot exchange secrets unnoticed.

use std::collections::{HashMap, HashSet};

use tokenward_compiler::ir::{Program, Token, TokenId};

/// A token of the new policy with its old versions, or a removed token.
pub(crate) struct Pair {
    /// Old versions of the token: it is compared with all of them, and the first is shown. Empty for a new token.
    pub before: Vec<TokenId>,
    /// The token in the new policy; `None` if it was removed.
    pub after: Option<TokenId>,
    /// The old token with the same name, if it is not the first of `before`.
    pub(super) namesake: Option<TokenId>,
}

/// Pairs all tokens: those of the new policy in its order, then the removed ones.
pub(super) fn pairs(old: &Program, new: &Program) -> Vec<Pair> {
    let names: HashMap<&str, TokenId> = old
        .tokens()
        .map(|(id, token)| (token.name.as_str(), id))
        .collect();
    let mut taken = HashSet::new();
    let mut pairs: Vec<Pair> = new
        .tokens()
        .map(|(id, token)| {
            let pair = pair(old, names.get(token.name.as_str()).copied(), (id, token));
            taken.extend(pair.before.iter().copied());
            pair
        })
        .collect();
    let gone = old.tokens().filter(|(id, _)| !taken.contains(id));
    pairs.extend(gone.map(|(id, _)| Pair {
        before: vec![id],
        after: None,
        namesake: None,
    }));
    pairs
}

fn pair(old: &Program, named: Option<TokenId>, (id, token): (TokenId, &Token)) -> Pair {
    let own = old.token_by_secret_hash(&token.secret_hash);
    let previous = token
        .previous
        .and_then(|(hash, _)| old.token_by_secret_hash(&hash));
    let mut before: Vec<TokenId> = Vec::new();
    for candidate in [own.or(named), previous].into_iter().flatten() {
        if !before.contains(&candidate) {
            before.push(candidate);
        }
    }
    Pair {
        namesake: named.filter(|named| before.first() != Some(named)),
        before,
        after: Some(id),
    }
}

#[cfg(test)]
mod tests {
    use tokenward_compiler::source::SourceSet;

    use super::*;

    fn program(tokens: &[(&str, &str, Option<&str>)]) -> Program {
        let hash = |digits: &str| format!("sha256:{}", digits.repeat(32));
        let tokens = tokens.iter().map(|(name, secret, previous)| {
            let previous = previous.map_or_else(String::new, |digits| {
                let hash = hash(digits);
                format!("previous_secret_hash = \"{hash}\"\nprevious_until = 2090-01-01\n")
            });
            let secret = hash(secret);
            format!("[[token]]\nname = \"{name}\"\nuser = \"u\"\nsecret_hash = \"{secret}\"\n{previous}limit_to = '/a'\n")
        });
        let sources = SourceSet::from_files([("t.toml".to_owned(), tokens.collect::<String>())]);
        tokenward_compiler::compile(&sources).program.unwrap()
    }

    fn named(old: &Program, new: &Program) -> Vec<(Vec<String>, Option<String>, bool)> {
        let name = |program: &Program, id: &TokenId| program.token(*id).name.clone();
        let pairs = pairs(old, new).into_iter();
        pairs
            .map(|pair| {
                let before = pair.before.iter().map(|id| name(old, id)).collect();
                let after = pair.after.map(|id| name(new, &id));
                (before, after, pair.namesake.is_some())
            })
            .collect()
    }

    fn row(before: &[&str], after: Option<&str>, namesake: bool) -> (Vec<String>, Option<String>, bool) {
        let before = before.iter().map(|name| (*name).to_owned()).collect();
        (before, after.map(str::to_owned), namesake)
    }

    #[test]
    fn secrets_are_followed_before_names() {
        let old = program(&[("a", "11", None), ("b", "22", None)]);
        // One token was renamed, the other one removed.
        assert_eq!(
            named(&old, &program(&[("c", "11", None)])),
            [row(&["a"], Some("c"), false), row(&["b"], None, false)]
        );
        // Two tokens exchanged their secrets.
        assert_eq!(
            named(&old, &program(&[("a", "22", None), ("b", "11", None)])),
            [row(&["b"], Some("a"), true), row(&["a"], Some("b"), true)]
        );
        // Rotated tokens follow their secrets, even if the previous one was another token's; a token with an unknown
        // name and secret is new.
        assert_eq!(
            named(&old, &program(&[("a", "33", Some("11")), ("b", "44", None)])),
            [row(&["a"], Some("a"), false), row(&["b"], Some("b"), false)]
        );
        assert_eq!(
            named(&old, &program(&[("a", "11", Some("22"))])),
            [row(&["a", "b"], Some("a"), false)]
        );
        assert_eq!(
            named(&old, &program(&[("c", "33", Some("22"))])),
            [row(&["b"], Some("c"), false), row(&["a"], None, false)]
        );
        let new = named(&old, &program(&[("c", "33", None)]));
        assert_eq!(new.first(), Some(&row(&[], Some("c"), false)));
    }
}
