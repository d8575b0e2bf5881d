//! Bounds of a document.

/// The largest document, in bytes. The largest known ones have some 13 MB, and 62 MB
/// if all references are replaced.
pub(crate) const LARGEST: usize = 100 << 20;

/// The largest number of values in a document; the largest known ones have some 260,000.
pub(crate) const MOST_VALUES: usize = 4_000_000;

/// The deepest nesting.
pub(crate) const DEEPEST: usize = 120;
