//! The high-water mark: the highest version that a proxy ever took, and which manifest that was.
//!
//! A proxy writes the mark to its file and to the chain of its audit before a version takes effect. Of both, the higher counts:
//! [`Marks`] joins them. So neither a deleted file nor a copied one brings an old version back.
//!
//! ```text
//! tokenward-mark 1
//! fleet main
//! version 42
//! manifest sha256:(64 digits)  SHA-256 of the manifest without its signature
//! ```

#[cfg(test)]
mod tests;

use crate::digest::Digest;
use crate::manifest::Manifest;
use crate::name::Name;
pub use crate::text::Malformed;
use crate::text::{Reader, sha256};

const TITLE: &str = "tokenward-mark 1";
/// Maximum number of bytes of a mark.
pub const MOST_BYTES: usize = 512;

/// The highest version that a proxy took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The fleet.
    pub fleet: Name,
    /// The version.
    pub version: u64,
    /// SHA-256 of the manifest without its signature.
    pub manifest: Digest,
}

/// Reason why a proxy has no mark to judge by.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MarksError {
    /// The file is missing or behind, although the chain of the audit has a higher mark.
    #[error(
        "the mark file {}, but the audit's chain shows version {chain}: the file was deleted or replaced by an older one; if that was intended, run `tokenward fleet rewind`",
        .file.map_or_else(|| "is missing".to_owned(), |version| format!("has version {version}"))
    )]
    Behind {
        /// Version in the file.
        file: Option<u64>,
        /// Version in the chain.
        chain: u64,
    },
    /// Both have one version, but of different manifests.
    #[error(
        "the mark file and the audit's chain have different manifests of version {0}; run `tokenward fleet rewind` if you know why"
    )]
    Differ(u64),
}

impl Mark {
    /// The mark that taking a manifest makes.
    #[must_use]
    pub fn of(manifest: &Manifest) -> Self {
        Self {
            fleet: manifest.fleet.clone(),
            version: manifest.version,
            manifest: manifest.own_digest(),
        }
    }

    /// The bytes of its file.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        format!(
            "{TITLE}\nfleet {}\nversion {}\nmanifest {}\n",
            self.fleet,
            self.version,
            sha256(&self.manifest)
        )
        .into_bytes()
    }

    /// Reads the bytes of its file.
    ///
    /// # Errors
    /// See [`Malformed`].
    pub fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut it = Reader::new(bytes, TITLE, MOST_BYTES)?;
        let mark = Self {
            fleet: it.parsed(
                "fleet",
                "a name of 1 to 64 lower-case letters, digits, `-` and `_`",
            )?,
            version: it.number("version")?,
            manifest: it.digest("manifest")?,
        };
        it.end()?;
        Ok(mark)
    }

    /// Whether this mark was made by exactly this manifest, signed by whichever key.
    #[must_use]
    pub fn is_of(&self, manifest: &Manifest) -> bool {
        *self == Self::of(manifest)
    }
}

/// The mark in the file, and the last one in the chain of the audit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// The mark in the file.
    pub file: Option<Mark>,
    /// The last mark in the chain. A rewind is a mark too, so the last one counts, not the highest.
    pub chain: Option<Mark>,
}

impl Marks {
    /// The mark to judge manifests by. The file is written before the chain, so it may be ahead: a crash lies between them.
    ///
    /// # Errors
    /// The file is behind the chain, or contradicts it.
    pub fn joined(&self) -> Result<Option<&Mark>, MarksError> {
        let (file, chain) = match (&self.file, &self.chain) {
            (file, None) => return Ok(file.as_ref()),
            (None, Some(chain)) => {
                return Err(MarksError::Behind {
                    file: None,
                    chain: chain.version,
                });
            }
            (Some(file), Some(chain)) => (file, chain),
        };
        // A proxy that was moved to another fleet begins anew, by hand: `fleet rewind` removes the old marks.
        if file.fleet != chain.fleet || file.version == chain.version && file != chain {
            return Err(MarksError::Differ(file.version));
        }
        if file.version < chain.version {
            return Err(MarksError::Behind {
                file: Some(file.version),
                chain: chain.version,
            });
        }
        Ok(Some(file))
    }
}
