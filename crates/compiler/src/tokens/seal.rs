//! A token's seal and the key that made it, as policies and settings write them.

use std::{fmt, str::FromStr};

use ring::signature::{ED25519, UnparsedPublicKey};
use sha2::{Digest, Sha256};

const VERSION: &str = "v1";
const KIND: &str = "ed25519:";

/// The key that seals are checked with; shown, and read, as `ed25519:` and 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PublicKey([u8; 32]);

/// Names a key: the first four bytes of its SHA-256.
pub type KeyId = [u8; 4];

/// A token's seal; shown, and read, as `v1:KEY-ID:SIGNATURE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seal {
    /// The key that made it.
    pub key: KeyId,
    /// The signature.
    pub signature: [u8; 64],
}

impl PublicKey {
    /// The key of these bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its name.
    #[must_use]
    pub fn id(&self) -> KeyId {
        let digest: [u8; 32] = Sha256::digest(self.0).into();
        digest.first_chunk().copied().unwrap_or_default()
    }

    /// Whether this key made the seal, of this statement.
    pub(crate) fn admits(&self, seal: &Seal, statement: &[u8]) -> bool {
        self.id() == seal.key
            && UnparsedPublicKey::new(&ED25519, &self.0)
                .verify(statement, &seal.signature)
                .is_ok()
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{KIND}{}", hex::encode(self.0))
    }
}

/// The text is no public key.
#[derive(Debug, thiserror::Error)]
#[error("a public key is `{KIND}` and 64 hexadecimal digits, as `tokenward keys new signing` prints it")]
pub struct NotAKey;

impl FromStr for PublicKey {
    type Err = NotAKey;

    fn from_str(text: &str) -> Result<Self, NotAKey> {
        let mut bytes = [0; 32];
        let digits = text.strip_prefix(KIND).ok_or(NotAKey)?;
        hex::decode_to_slice(digits, &mut bytes).map_err(|_| NotAKey)?;
        Ok(Self(bytes))
    }
}

impl fmt::Display for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{VERSION}:{}:{}",
            hex::encode(self.key),
            hex::encode(self.signature)
        )
    }
}

/// The text is no seal.
#[derive(Debug, thiserror::Error)]
#[error("a seal is `{VERSION}:`, the key's id and a signature, as `tokenward token seal` writes it")]
pub struct NotASeal;

impl FromStr for Seal {
    type Err = NotASeal;

    fn from_str(text: &str) -> Result<Self, NotASeal> {
        let (mut key, mut signature) = ([0; 4], [0; 64]);
        let parts: Vec<&str> = text.split(':').collect();
        let [VERSION, id, digits] = parts.as_slice() else {
            return Err(NotASeal);
        };
        hex::decode_to_slice(id, &mut key).map_err(|_| NotASeal)?;
        hex::decode_to_slice(digits, &mut signature).map_err(|_| NotASeal)?;
        Ok(Self { key, signature })
    }
}
