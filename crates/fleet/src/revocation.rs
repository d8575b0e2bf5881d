//! Signed revocations: one for each hash of a secret, in the order of the stream that holds them.
//!
//! ```text
//! tokenward-revocation 1
//! fleet main
//! hash sha256:(64 digits)     SHA-256 of the secret
//! revoked 1796083200          seconds since 1970 UTC
//! by console                  the writer
//! signature KEY-ID SIGNATURE  Ed25519 of all bytes before this line
//! ```

#[cfg(test)]
mod tests;

use std::collections::HashSet;

use sha2::{Digest as _, Sha256};

use crate::digest::Digest;
use crate::name::Name;
use crate::signature::{KeyId, Signature, SignatureError, VerifyingKey};
use crate::text::{Malformed, Reader, sha256};

const TITLE: &str = "tokenward-revocation 1";
/// Maximum number of bytes of a signed revocation.
pub const MOST_BYTES: usize = 512;
/// What the heads begin with.
const FIRST: &[u8] = b"tokenward revocations 1\n";

/// A revocation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// The fleet that it is for.
    pub fleet: Name,
    /// SHA-256 of the secret.
    pub hash: Digest,
    /// Time of the revocation, seconds since 1970 UTC.
    pub revoked: u64,
    /// The writer.
    pub by: Name,
}

/// Reason why an entry does not revoke anything.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RevocationError {
    /// The bytes are not a revocation.
    #[error("not a revocation: {0}")]
    Malformed(#[from] Malformed),
    /// The signature does not count.
    #[error("{0}")]
    Signature(#[from] SignatureError),
    /// It is for another fleet.
    #[error("the revocation is for the fleet `{0}`")]
    OtherFleet(Name),
}

impl Revocation {
    /// The bytes that the signature signs.
    #[must_use]
    pub fn body(&self) -> Vec<u8> {
        format!(
            "{TITLE}\nfleet {}\nhash {}\nrevoked {}\nby {}\n",
            self.fleet,
            sha256(&self.hash),
            self.revoked,
            self.by
        )
        .into_bytes()
    }

    /// The entry as bytes, with the signature that `sign` makes of its body.
    pub fn signed(&self, key: KeyId, sign: impl FnOnce(&[u8]) -> [u8; 64]) -> Vec<u8> {
        let mut bytes = self.body();
        let signature = Signature {
            key,
            bytes: sign(&bytes),
        };
        bytes.extend(signature.line().into_bytes());
        bytes
    }

    /// Reads an entry that one of these keys signed for this fleet.
    ///
    /// # Errors
    /// See [`RevocationError`].
    pub fn read(bytes: &[u8], fleet: &Name, keys: &[VerifyingKey]) -> Result<Self, RevocationError> {
        let mut it = Reader::new(bytes, TITLE, MOST_BYTES)?;
        let wanted = "a name of 1 to 64 lower-case letters, digits, `-` and `_`";
        let entry = Self {
            fleet: it.parsed("fleet", wanted)?,
            hash: it.digest("hash")?,
            revoked: it.number("revoked")?,
            by: it.parsed("by", wanted)?,
        };
        let signature = Signature::read(it.field("signature")?)?;
        it.end()?;
        signature.check(&entry.body(), keys)?;
        if entry.fleet != *fleet {
            return Err(RevocationError::OtherFleet(entry.fleet));
        }
        Ok(entry)
    }
}

/// The revocations of a stream, in its order, and the head after each. A manifest names the head that its publisher knew: whoever
/// has had that head has all revocations before it, and may have more.
#[derive(Clone, Debug)]
pub struct Revocations {
    hashes: HashSet<Digest>,
    heads: HashSet<Digest>,
    head: Digest,
}

impl Default for Revocations {
    fn default() -> Self {
        let head = Self::first();
        Self {
            hashes: HashSet::new(),
            heads: HashSet::from([head]),
            head,
        }
    }
}

impl Revocations {
    /// The head of no revocations.
    #[must_use]
    pub fn first() -> Digest {
        Sha256::digest(FIRST).into()
    }

    /// Adds the next entry of the stream. Returns whether its hash is new; a second entry of one hash changes nothing.
    pub fn apply(&mut self, entry: &Revocation) -> bool {
        if !self.hashes.insert(entry.hash) {
            return false;
        }
        let next = Sha256::new_with_prefix(self.head)
            .chain_update(entry.hash)
            .finalize();
        self.head = next.into();
        self.heads.insert(self.head);
        true
    }

    /// Whether this secret is revoked.
    #[must_use]
    pub fn has(&self, hash: &Digest) -> bool {
        self.hashes.contains(hash)
    }

    /// The head after the last entry.
    #[must_use]
    pub fn head(&self) -> Digest {
        self.head
    }

    /// Whether all revocations up to this head are here.
    #[must_use]
    pub fn knows(&self, head: &Digest) -> bool {
        self.heads.contains(head)
    }
}
