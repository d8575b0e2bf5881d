//! Why bytes cannot be decoded.

use super::FORMAT;

/// Why bytes are no artifact that can be loaded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Something else altogether.
    #[error(
        "this is no compiled policy: it does not begin with `TWPOLICY`; make one with `tokenward compile -o`"
    )]
    NotAnArtifact,
    /// Made by another version.
    #[error(
        "the compiled policy has format {found}, this version reads format {FORMAT}; compile the sources again"
    )]
    Format {
        /// The format that the bytes say they have.
        found: u16,
    },
    /// Cut off, or changed since it was made.
    #[error("the compiled policy is damaged ({0}); compile the sources again")]
    Damaged(&'static str),
}
