//! Versions of the policy language.

/// A version that this release can read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    /// The language of earlier releases. Lines are read as it read them only to tell what an upgrade changes; nothing is decided
    /// by that reading.
    One,
    /// The present language.
    Two,
}
