//! A token's seal and the key that made it, as policies and settings write them.

use std::{fmt, str::FromStr};

#[cfg(feature = "signatures")]
use ring::signature::{ED25519, UnparsedPublicKey};
use sha2::{Digest, Sha256};

const KIND: &str = "ed25519:";

/// The key that seals are checked with; shown, and read, as `ed25519:` and 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PublicKey([u8; 32]);

/// Names a key: the first four bytes of its SHA-256.
pub type KeyId = [u8; 4];

/// A token's seal; shown, and read, as `v2:KEY-ID:SIGNATURE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seal {
    /// The version of the statement that it signs.
    pub version: &'static Version,
    /// The key that made it.
    pub key: KeyId,
    /// The signature.
    pub signature: [u8; 64],
}

/// The form of a statement: its number, and the keys of a token that it signs. Shown as `v2`.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Version {
    pub(crate) number: u8,
    pub(crate) keys: &'static [&'static str],
}

impl Version {
    /// The first version.
    pub(crate) const V1: Self = Self {
        number: 1,
        keys: &[
            "name",
            "user",
            "any_user",
            "secret_hash",
            "previous_secret_hash",
            "previous_until",
            "expires",
            "allowed_ips",
            "on_behalf_of",
            "mint",
            "unrestricted",
            "owner",
            "description",
            "lint_allow",
            "limit",
        ],
    };

    /// The second version: it also signs `escalate` and the limits of calls.
    pub(crate) const V2: Self = Self {
        number: 2,
        keys: &[
            "name",
            "user",
            "any_user",
            "secret_hash",
            "previous_secret_hash",
            "previous_until",
            "expires",
            "allowed_ips",
            "on_behalf_of",
            "mint",
            "escalate",
            "rate",
            "burst",
            "concurrent",
            "max_body",
            "unrestricted",
            "owner",
            "description",
            "lint_allow",
            "limit",
        ],
    };

    /// Every version that is read.
    pub const ALL: &'static [Self] = &[Self::V1, Self::V2];

    /// The version of new seals: it signs every key.
    pub const CURRENT: &'static Self = &Self::V2;

    /// The version's number.
    #[must_use]
    pub fn number(&self) -> u8 {
        self.number
    }

    /// The keys that it signs, as statements name them.
    #[must_use]
    pub fn keys(&self) -> &'static [&'static str] {
        self.keys
    }

    /// The version of a number; `None` if this release does not read it.
    pub(crate) fn numbered(number: u8) -> Option<&'static Self> {
        Self::ALL.iter().find(|version| version.number == number)
    }

    /// The version of a name such as `v1`; `None` if this release does not read it.
    fn named(name: &str) -> Option<&'static Self> {
        Self::ALL.iter().find(|version| version.to_string() == name)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v{}", self.number)
    }
}

impl PublicKey {
    /// The key of these bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes of the key.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 32] {
        self.0
    }

    /// The key's name: the first bytes of its SHA-256.
    #[must_use]
    pub fn id(&self) -> KeyId {
        let digest: [u8; 32] = Sha256::digest(self.0).into();
        digest.first_chunk().copied().unwrap_or_default()
    }

    /// Whether this key made the seal, of this statement.
    pub(crate) fn admits(&self, seal: &Seal, statement: &[u8]) -> bool {
        self.id() == seal.key && self.made(&seal.signature, statement)
    }

    /// Whether the signature is this key's, of this message.
    #[cfg(feature = "signatures")]
    pub(crate) fn made(&self, signature: &[u8; 64], message: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, &self.0)
            .verify(message, signature)
            .is_ok()
    }

    /// Whether the signature is this key's, of this message. This build cannot check signatures, so it accepts none.
    #[cfg(not(feature = "signatures"))]
    pub(crate) fn made(&self, _: &[u8; 64], _: &[u8]) -> bool {
        false
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{KIND}{}", hex::encode(self.0))
    }
}

/// The text is not a public key.
#[derive(Debug, thiserror::Error)]
#[error("a public key must be `{KIND}` and 64 hexadecimal digits, as `tokenward keys new` prints it")]
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
            "{}:{}:{}",
            self.version,
            hex::encode(self.key),
            hex::encode(self.signature)
        )
    }
}

/// The text is not a seal.
#[derive(Debug, thiserror::Error)]
#[error(
    "a seal must be `{}:`, the key's id and a signature, as `tokenward token seal` writes it",
    Version::CURRENT
)]
pub struct NotASeal;

impl FromStr for Seal {
    type Err = NotASeal;

    fn from_str(text: &str) -> Result<Self, NotASeal> {
        let (mut key, mut signature) = ([0; 4], [0; 64]);
        let parts: Vec<&str> = text.split(':').collect();
        let [version, id, digits] = parts.as_slice() else {
            return Err(NotASeal);
        };
        let version = Version::named(version).ok_or(NotASeal)?;
        hex::decode_to_slice(id, &mut key).map_err(|_| NotASeal)?;
        hex::decode_to_slice(digits, &mut signature).map_err(|_| NotASeal)?;
        Ok(Self {
            version,
            key,
            signature,
        })
    }
}
