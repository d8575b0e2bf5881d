//! Why bytes are not used as a policy.

use super::{FORMAT, LANGUAGE};
use crate::tokens::KeyId;

/// Why bytes are not an artifact that can be loaded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The bytes are not an artifact.
    #[error(
        "not a compiled policy: the file does not begin with `TWPOLICY`; create one with `tokenward compile -o`"
    )]
    NotAnArtifact,
    /// Made by a version that writes them otherwise.
    #[error(
        "the compiled policy has format {found}, but this version reads format {FORMAT}; compile the sources again with this version"
    )]
    Format {
        /// The format that the bytes say they have.
        found: u16,
    },
    /// Made by a version that gives lines another meaning.
    #[error(
        "the compiled policy uses version {found} of the policy language, but this version of tokenward uses {LANGUAGE}; compile the sources again with this version"
    )]
    Language {
        /// The version of the language that the bytes say they have.
        found: u16,
    },
    /// Cut off, or changed since it was made.
    #[error("the compiled policy is damaged ({0}); compile the sources again")]
    Damaged(&'static str),
}

/// Why an artifact cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// Nobody who is trusted vouches for it.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// The artifact cannot be loaded.
    #[error(transparent)]
    Decode(#[from] DecodeError),
}

/// Why an artifact is not accepted, independent of its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// No key is known by which it could be accepted.
    #[error(
        "no key is configured to check its signature; list the public key in [keys] artifact_public_keys (create a key with `tokenward keys new artifact`)"
    )]
    NoKeys,
    /// The artifact is not signed.
    #[error("it is not signed; compile it again with `tokenward compile -o FILE --sign KEY`")]
    Missing,
    /// The artifact is signed with a key that is not accepted.
    #[error(
        "it is signed with the key {}, which is not in [keys] artifact_public_keys; add the public key if you trust it, or sign with another key",
        hex::encode(.0)
    )]
    Stranger(KeyId),
    /// The signature does not belong to these bytes.
    #[error(
        "its signature by the key {} is wrong: the file was changed after it was signed; compile the sources again, and check who can write to the file",
        hex::encode(.0)
    )]
    Wrong(KeyId),
}
