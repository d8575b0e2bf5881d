//! The signature of an artifact: Ed25519 (RFC 8032) over `tokenward artifact 1`, a line feed, and the header up to it. The
//! header has the digest of all sections, so the whole artifact is signed, and its bytes are hashed once.

use super::SignatureError;
use crate::tokens::{KeyId, PublicKey};

/// What a signature is of, so that none of another kind can stand in for it.
const CONTEXT: &[u8] = b"tokenward artifact 1\n";

/// Whose artifacts are accepted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Signers {
    /// Anyone's, signed or not.
    #[default]
    Anyone,
    /// Those that one of these keys signed. Without a key no artifact is accepted.
    Keys(Vec<PublicKey>),
}

/// A signature, and the name of the key that made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Signature {
    pub(super) key: KeyId,
    pub(super) signature: [u8; 64],
}

impl Signature {
    /// The bytes in place of a signature where there is none.
    pub(super) const NONE: Self = Self {
        key: [0; 4],
        signature: [0; 64],
    };

    /// Refuses a signature that none of these keys made of `signed`.
    pub(super) fn check(&self, signed: &[u8], keys: &[PublicKey]) -> Result<(), SignatureError> {
        let message = message(signed);
        // Ids are four bytes, so several keys may share one.
        let mut named = keys.iter().filter(|key| key.id() == self.key).peekable();
        if named.peek().is_none() {
            return Err(SignatureError::Stranger(self.key));
        }
        if named.any(|key| key.made(&self.signature, &message)) {
            Ok(())
        } else {
            Err(SignatureError::Wrong(self.key))
        }
    }
}

/// What is signed of a header.
pub(super) fn message(signed: &[u8]) -> Vec<u8> {
    [CONTEXT, signed].concat()
}
