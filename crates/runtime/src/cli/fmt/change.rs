//! One file to write.

/// A file whose canonical spelling is another text, proved to mean the same.
pub(super) struct Change {
    /// Path below the directory of the input.
    pub(super) path: String,
    pub(super) before: String,
    pub(super) after: String,
}
