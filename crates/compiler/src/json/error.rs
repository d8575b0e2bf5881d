//! Why a body cannot be read.

/// Why a body has no reading. Offsets are in bytes from its start; those of names are of their opening quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The body is not JSON as RFC 8259 has it, or nests deeper than [`MAX_DEPTH`](super::MAX_DEPTH).
    #[error("not JSON: {what} at byte {offset}")]
    NotJson {
        /// The offset at which the reader stopped.
        offset: usize,
        /// The syntax error, as a phrase.
        what: &'static str,
    },
    /// An object has two members of one name, after unescaping.
    #[error("an object has two members with the name at byte {offset}")]
    DuplicateName {
        /// The offset of the second of the two names.
        offset: usize,
    },
    /// A name holds a control character (Unicode's category Cc), if escaped.
    #[error("a control character in the name at byte {offset}")]
    ControlInName {
        /// The offset of the name.
        offset: usize,
    },
    /// A name equals one that is wanted at its place but for its case.
    #[error("the name at byte {offset} differs from that of a constrained node only in letter case")]
    CaseVariant {
        /// The offset of the name.
        offset: usize,
    },
}
