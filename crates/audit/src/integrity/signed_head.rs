//! One signed head: the end of the chain at a time, signed with a key.
//!
//! The signature is Ed25519 (RFC 8032) over `tokenward audit head 1`, a line feed, and the line up to the signature.

#[cfg(test)]
mod tests;

use std::fmt;

use ring::signature::{ED25519, UnparsedPublicKey};

use crate::format::chain::{Chain, Hash};
use crate::integrity::keys::{PublicKey, SigningKey};

const CONTEXT: &str = "tokenward audit head 1\n";
const HEAD_WORD: &str = "head";

impl SigningKey {
    pub(crate) fn sign(&self, chain: &Chain, time_ms: i64) -> SignedHead {
        let mut head = SignedHead {
            key: self.public().id(),
            last: chain.next.saturating_sub(1),
            time_ms,
            hash: chain.hash,
            signature: [0; 64],
        };
        let signature = self.0.sign(head.signed_text().as_bytes());
        for (to, from) in head.signature.iter_mut().zip(signature.as_ref()) {
            *to = *from;
        }
        head
    }
}

/// One signed head: `head KEY-ID LAST TIME HASH SIGNATURE`, time in milliseconds since 1970 UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SignedHead {
    key: [u8; 4],
    /// The last entry.
    pub(crate) last: u64,
    /// When it was signed.
    pub(crate) time_ms: i64,
    /// The hash of the block that ends with it.
    pub(crate) hash: Hash,
    signature: [u8; 64],
}

/// The signer of a head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signer {
    /// One of the keys'.
    Known,
    /// A key's that was not given.
    Unknown,
    /// Nobody's: the signature does not hold.
    Nobody,
}

impl SignedHead {
    fn text(&self) -> String {
        format!(
            "{HEAD_WORD} {} {} {} {}",
            hex::encode(self.key),
            self.last,
            self.time_ms,
            hex::encode(self.hash)
        )
    }

    fn signed_text(&self) -> String {
        format!("{CONTEXT}{}", self.text())
    }

    /// Finds out who signed the head.
    pub(crate) fn signer(&self, keys: &[PublicKey]) -> Signer {
        let mut named = keys.iter().filter(|key| key.id() == self.key).peekable();
        if named.peek().is_none() {
            return Signer::Unknown;
        }
        let text = self.signed_text();
        let holds = named.any(|key| {
            UnparsedPublicKey::new(&ED25519, key.0)
                .verify(text.as_bytes(), &self.signature)
                .is_ok()
        });
        if holds { Signer::Known } else { Signer::Nobody }
    }
}

impl fmt::Display for SignedHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.text(), hex::encode(self.signature))
    }
}

fn parse_line(line: &str) -> Option<SignedHead> {
    let mut words = line.split_ascii_whitespace();
    if words.next() != Some(HEAD_WORD) {
        return None;
    }
    let mut head = SignedHead {
        key: [0; 4],
        last: 0,
        time_ms: 0,
        hash: [0; 32],
        signature: [0; 64],
    };
    hex::decode_to_slice(words.next()?, &mut head.key).ok()?;
    head.last = words.next()?.parse().ok()?;
    head.time_ms = words.next()?.parse().ok()?;
    hex::decode_to_slice(words.next()?, &mut head.hash).ok()?;
    hex::decode_to_slice(words.next()?, &mut head.signature).ok()?;
    words.next().is_none().then_some(head)
}

/// The heads in `text`. Other lines, such as one that a crash cut short, are skipped.
pub(crate) fn parse(text: &str) -> Vec<SignedHead> {
    text.lines().filter_map(parse_line).collect()
}
