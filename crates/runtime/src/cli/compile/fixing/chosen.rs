//! A fix to apply.

use tokenward_compiler::diagnostic::{Diagnostic, Edit, Fix};

use super::recorded::Judged;

/// A fix to apply.
pub(super) struct Chosen<'f> {
    pub(super) finding: &'f Diagnostic,
    pub(super) fix: &'f Fix,
    /// What the recorded calls say, if they were asked.
    pub(super) judged: Option<Judged>,
}

impl Chosen<'_> {
    pub(super) fn edits(&self) -> impl Iterator<Item = &Edit> {
        self.fix.edits.iter()
    }
}
