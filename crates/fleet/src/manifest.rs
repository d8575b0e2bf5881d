//! The manifest: which artifact is the policy of a fleet, since when and until when.
//!
//! ```text
//! tokenward-manifest 1
//! fleet main
//! version 42
//! digest sha256:(64 digits)       SHA-256 of the artifact
//! length 18344                    its bytes
//! least-tokenward 0.1.0           proxies before this release refuse it
//! issued 1796083200               seconds since 1970 UTC
//! expires 1796688000
//! revocations sha256:(64 digits)  head of the revocations that the publisher knew
//! signature KEY-ID SIGNATURE      Ed25519 of all bytes before this line
//! ```
//!
//! There is one form of bytes for each manifest: one order, one blank, decimal numbers without leading zeros, digits in lower
//! case, a line feed at the end of each line. Anything else is refused.

#[cfg(test)]
mod tests;

use sha2::{Digest as _, Sha256};

use crate::digest::Digest;
use crate::name::Name;
use crate::release::Release;
use crate::signature::{KeyId, Signature, SignatureError, VerifyingKey};
pub use crate::text::Malformed;
use crate::text::{LARGEST, Reader, sha256};

const TITLE: &str = "tokenward-manifest 1";
/// Maximum number of bytes of a signed manifest.
pub const MOST_BYTES: usize = 1024;
/// Maximum number of bytes of an artifact.
pub const MOST_ARTIFACT_BYTES: u64 = 1 << 30;
/// Longest time from issue to expiry, in seconds: 366 days.
pub const LONGEST_LIFE: u64 = 366 * 86_400;

/// One version of the policy of a fleet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// The fleet that it is for.
    pub fleet: Name,
    /// Version, from 1.
    pub version: u64,
    /// SHA-256 of the artifact.
    pub digest: Digest,
    /// Number of bytes of the artifact.
    pub length: u64,
    /// The first release that can use it.
    pub least: Release,
    /// Time of the signature, seconds since 1970 UTC.
    pub issued: u64,
    /// Time from which it is not valid, seconds since 1970 UTC.
    pub expires: u64,
    /// Head of the revocations that the publisher knew ([`crate::revocation::Revocations`]).
    pub revocations: Digest,
}

/// A manifest with a signature that was not checked yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unverified {
    manifest: Manifest,
    signature: Signature,
}

/// A manifest whose signature was checked, and the key that made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    manifest: Manifest,
    key: KeyId,
}

/// Reason why bytes are not a manifest with a valid signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// The bytes are not a manifest.
    #[error("not a manifest: {0}")]
    Malformed(#[from] Malformed),
    /// The signature does not count.
    #[error("{0}")]
    Signature(#[from] SignatureError),
}

impl Manifest {
    /// Checks the values, as a reader does.
    ///
    /// # Errors
    /// A value is out of its bounds, or contradicts another.
    pub fn check(&self) -> Result<(), Malformed> {
        let value = |field, wanted| Err(Malformed::Value { field, wanted });
        if !(1..=LARGEST).contains(&self.version) {
            return value("version", "a number from 1 to 9007199254740991");
        }
        if !(1..=MOST_ARTIFACT_BYTES).contains(&self.length) {
            return value("length", "a number of bytes from 1 to 1073741824");
        }
        if self.expires > LARGEST {
            return value("expires", "a number from 1 to 9007199254740991");
        }
        if self.expires <= self.issued {
            return Err(Malformed::Contradiction("it expires before it is issued"));
        }
        if self.expires - self.issued > LONGEST_LIFE {
            return Err(Malformed::Contradiction(
                "it expires more than 366 days after it is issued",
            ));
        }
        Ok(())
    }

    /// The bytes that the signature signs: all lines before it.
    #[must_use]
    pub fn body(&self) -> Vec<u8> {
        format!(
            "{TITLE}\nfleet {}\nversion {}\ndigest {}\nlength {}\nleast-tokenward {}\nissued {}\nexpires {}\nrevocations {}\n",
            self.fleet,
            self.version,
            sha256(&self.digest),
            self.length,
            self.least,
            self.issued,
            self.expires,
            sha256(&self.revocations),
        )
        .into_bytes()
    }

    /// SHA-256 of the body. Signed again with another key, a manifest keeps it.
    #[must_use]
    pub fn own_digest(&self) -> Digest {
        Sha256::digest(self.body()).into()
    }

    /// The manifest as bytes, with the signature that `sign` makes of its body.
    pub fn signed(&self, key: KeyId, sign: impl FnOnce(&[u8]) -> [u8; 64]) -> Vec<u8> {
        let mut bytes = self.body();
        let signature = Signature {
            key,
            bytes: sign(&bytes),
        };
        bytes.extend(signature.line().into_bytes());
        bytes
    }
}

impl Unverified {
    /// Reads a manifest, without checking its signature.
    ///
    /// # Errors
    /// See [`Malformed`].
    pub fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut it = Reader::new(bytes, TITLE, MOST_BYTES)?;
        let manifest = Manifest {
            fleet: it.parsed(
                "fleet",
                "a name of 1 to 64 lower-case letters, digits, `-` and `_`",
            )?,
            version: it.number("version")?,
            digest: it.digest("digest")?,
            length: it.number("length")?,
            least: it.parsed("least-tokenward", "a release of three numbers")?,
            issued: it.number("issued")?,
            expires: it.number("expires")?,
            revocations: it.digest("revocations")?,
        };
        let signature = Signature::read(it.field("signature")?)?;
        it.end()?;
        manifest.check()?;
        Ok(Self { manifest, signature })
    }

    /// Checks the signature.
    ///
    /// # Errors
    /// See [`SignatureError`].
    pub fn verify(self, keys: &[VerifyingKey]) -> Result<Verified, SignatureError> {
        let Self { manifest, signature } = self;
        signature.check(&manifest.body(), keys)?;
        Ok(Verified {
            manifest,
            key: signature.key,
        })
    }

    /// The manifest, which nobody may have signed. Only for a publisher, who compares versions before signing the next.
    #[must_use]
    pub fn unchecked(&self) -> &Manifest {
        &self.manifest
    }
}

impl Verified {
    /// Reads a manifest and checks its signature.
    ///
    /// # Errors
    /// See [`ManifestError`].
    pub fn read(bytes: &[u8], keys: &[VerifyingKey]) -> Result<Self, ManifestError> {
        Ok(Unverified::read(bytes)?.verify(keys)?)
    }

    /// The manifest.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The key that signed it.
    #[must_use]
    pub fn key(&self) -> KeyId {
        self.key
    }
}
