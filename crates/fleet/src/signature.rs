//! Ed25519 signatures (RFC 8032) of the texts of a fleet: one line at the end, which names the key.
//!
//! The first line of a text names its kind, so a signature of one kind never fits another.

use ring::signature::{ED25519, UnparsedPublicKey};
use sha2::{Digest as _, Sha256};

use crate::text::{self, Malformed};

/// Names a key: the first four bytes of its SHA-256, as seals and artifacts do.
pub type KeyId = [u8; 4];

/// A key that signatures are checked with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerifyingKey(pub [u8; 32]);

/// Reason why a signature does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// No key with this id is accepted.
    #[error("it is signed with the key {}, which is not accepted here", hex::encode(.0))]
    Stranger(KeyId),
    /// The signature was not made by the key for this text.
    #[error("its signature by the key {} is wrong; the text was changed", hex::encode(.0))]
    Wrong(KeyId),
}

impl VerifyingKey {
    /// The id of the key.
    #[must_use]
    pub fn id(&self) -> KeyId {
        // A SHA-256 has 32 bytes.
        Sha256::digest(self.0).first_chunk().copied().unwrap_or_default()
    }

    fn made(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        UnparsedPublicKey::new(&ED25519, self.0)
            .verify(message, signature)
            .is_ok()
    }
}

/// A signature, and the name of the key that made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The key.
    pub key: KeyId,
    /// The signature of all lines before it.
    pub bytes: [u8; 64],
}

impl Signature {
    /// Refuses a signature that none of these keys made of `message`.
    ///
    /// # Errors
    /// See [`SignatureError`].
    pub fn check(&self, message: &[u8], keys: &[VerifyingKey]) -> Result<(), SignatureError> {
        // Ids are four bytes, so several keys may share one.
        let mut named = keys.iter().filter(|key| key.id() == self.key).peekable();
        if named.peek().is_none() {
            return Err(SignatureError::Stranger(self.key));
        }
        if named.any(|key| key.made(message, &self.bytes)) {
            Ok(())
        } else {
            Err(SignatureError::Wrong(self.key))
        }
    }

    /// The line at the end of a signed text.
    pub(crate) fn line(&self) -> String {
        format!(
            "signature {} {}\n",
            hex::encode(self.key),
            hex::encode(self.bytes)
        )
    }

    /// Reads the value of the line.
    pub(crate) fn read(value: &str) -> Result<Self, Malformed> {
        let wrong = Malformed::Value {
            field: "signature",
            wanted: "the id of a key (8 hexadecimal digits) and a signature (128)",
        };
        let (key, bytes) = value.split_once(' ').ok_or(wrong)?;
        match (text::digits(key), text::digits(bytes)) {
            (Some(key), Some(bytes)) => Ok(Self { key, bytes }),
            _ => Err(wrong),
        }
    }
}
