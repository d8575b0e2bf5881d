//! A line for recorded calls, with its calls and operations.

use std::collections::BTreeSet;

/// A line for some of the calls.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) text: String,
    /// The numbers of the calls that it was made for.
    pub(crate) calls: Vec<usize>,
    /// The operations of these calls.
    pub(crate) operations: BTreeSet<String>,
    /// The parts in which the line allows more than these calls.
    pub(crate) open: BTreeSet<String>,
}
