//! One file to write.

use tokenward_compiler::source::SourceId;

/// A file whose canonical spelling is another text, proved to mean the same.
pub(super) struct Change {
    pub(super) id: SourceId,
    /// Path below the directory of the input.
    pub(super) path: String,
    pub(super) before: String,
    pub(super) after: String,
}
