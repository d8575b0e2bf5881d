//! The fixes to write.

use clap::ValueEnum;

/// The fixes to write.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in super::super) enum Mode {
    /// Fixes that are proved equivalent
    Equivalent,
    /// Also fixes that are proved to allow less
    Narrow,
}
