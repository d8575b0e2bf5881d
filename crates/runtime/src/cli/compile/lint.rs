//! The sets of lints of the command line.

use clap::ValueEnum;
use tokenward_compiler::lint::LintSet;

/// Sets of lints, as the command line names them.
#[derive(Clone, Copy, PartialEq, ValueEnum)]
pub(super) enum Lint {
    /// No lints
    None,
    /// Lines that are hardly ever meant
    Regular,
    /// Also lines that could be narrower, and tokens that expire soon
    Pedantic,
    /// Also lines that are meant and dangerous
    Auditor,
}

impl Lint {
    pub(super) fn set(self) -> LintSet {
        match self {
            Self::None => LintSet::None,
            Self::Regular => LintSet::Regular,
            Self::Pedantic => LintSet::Pedantic,
            Self::Auditor => LintSet::Auditor,
        }
    }
}
