//! Seals: in secure mode each token carries a signature over all its data, made with a key outside git.
//!
//! A seal is Ed25519 (RFC 8032) over a *statement*, version 1:
//!
//! ```text
//! tokenward token seal 1⏎
//! name 11:ci-comments⏎
//! user 6:svc-ci⏎                                  one for each user; any_user 4:true⏎ in their place
//! secret_hash 64:2bb8…⏎                           SHA-256 in lower-case hexadecimal
//! previous_secret_hash 64:…⏎                      and
//! previous_until 13:1893456000000⏎                ms since 1970 UTC, where there are any
//! expires 13:1893456000000⏎                       the same
//! allowed_ips 10:10.0.0.0/8⏎                      one for each, with its prefix length
//! on_behalf_of 5:alice⏎                           one for each
//! mint 4:true⏎                                    where it is
//! unrestricted 4:true⏎                            where it is
//! owner 4:team⏎
//! description 3:why⏎
//! lint_allow 6:TW0101⏎                            one for each
//! limit 30:[get]/rest/api/2/issue/KANBAN-1⏎       one for each: forbid lines first, those of sets first
//! ```
//!
//! Keys stand in this order, absent ones are left out, lists keep their order; a number is the length of what stands
//! behind its colon, in bytes of UTF-8, so that no two tokens have one statement. Included sets are there by their lines.
//! `revoked` is not: revoking is the one change that needs no key. A version signs the keys that its table names
//! ([`Version::keys`]): a token that has any other key has no statement of that version, and its seal is wrong. As it
//! stands in a policy file a seal is `v1:`, the key's id, `:` and the signature in hexadecimal.

mod check;
mod statement;

use std::fmt;

pub use check::faults;
pub(crate) use check::report;
pub use statement::{NotSigned, statement};

use crate::{
    ast::Effect,
    policy::{Attributes, Token},
    source::SourceSet,
};

pub use crate::tokens::{KeyId, NotAKey, NotASeal, PublicKey, Seal, Version};

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
    /// It has no seal.
    Missing,
    /// Its seal was made by a key that is not accepted.
    Stranger(KeyId),
    /// Its seal is not of this token as it is: something was changed.
    Wrong,
    /// It has a secret that can be read.
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
                "has the seal of a key that is not accepted here ({})",
                hex::encode(key)
            ),
            Self::Wrong => f.write_str("was changed since it was sealed"),
            Self::Readable => f.write_str("has a secret that can be read, in secure mode"),
        }
    }
}
