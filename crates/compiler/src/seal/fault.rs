//! Why a token may not be used in secure mode.

use std::fmt;

use super::statement::statement;
use crate::{
    ast::Effect,
    policy::{Attributes, Token},
    source::SourceSet,
    tokens::{KeyId, PublicKey},
};

/// How tokens are kept. One setting for all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Tokens can be changed, and their secrets seen again.
    #[default]
    Standard,
    /// A token carries a seal that one of these keys made, and nothing by which its secret could be read.
    Secure(Vec<PublicKey>),
}

/// Why a token may not be used in secure mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// The token has no seal.
    Missing,
    /// The seal was made by a key that is not accepted.
    Stranger(KeyId),
    /// The seal does not belong to the token as it is: something was changed.
    Wrong,
    /// The token has a secret that can be read.
    Readable,
}

/// The lines of a token in the order in which a statement has them.
#[must_use]
pub fn lines<'s>(token: &Token, sources: &'s SourceSet) -> Vec<&'s str> {
    let of = |effect| token.limits.iter().filter(move |limit| limit.effect == effect);
    of(Effect::Forbid)
        .chain(of(Effect::Permit))
        .map(|limit| sources.text(limit.span))
        .collect()
}

/// What keeps a token from being used in secure mode with these keys; revoked ones are not used, and have no fault.
#[must_use]
pub fn fault<'t>(
    token: &Attributes,
    lines: impl IntoIterator<Item = &'t str>,
    keys: &[PublicKey],
) -> Option<Fault> {
    if token.revoked {
        return None;
    }
    if token.secret_sealed {
        return Some(Fault::Readable);
    }
    let Some(seal) = &token.seal else {
        return Some(Fault::Missing);
    };
    if keys.iter().all(|key| key.id() != seal.key) {
        return Some(Fault::Stranger(seal.key));
    }
    // Without a statement the token has what its seal does not sign: the key was added later.
    let is_signed = statement(seal.version, token, lines)
        .is_ok_and(|statement| keys.iter().any(|key| key.admits(seal, &statement)));
    (!is_signed).then_some(Fault::Wrong)
}

impl fmt::Display for Fault {
    /// The end of a sentence that begins with the token's name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("has no seal"),
            Self::Stranger(key) => write!(
                f,
                "has a seal with a key that is not accepted here ({})",
                hex::encode(key)
            ),
            Self::Wrong => f.write_str("was changed after it was sealed"),
            Self::Readable => f.write_str("has a readable secret, which secure mode does not allow"),
        }
    }
}
