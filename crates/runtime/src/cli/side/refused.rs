//! A side that cannot be compared, with the errors of its policy.

use tokenward_compiler::diagnostic::{Diagnostic, Severity, render_text};
use tokenward_compiler::source::SourceSet;
use tokenward_pdp::plural::plural;

use super::super::failure::Failure;
use super::super::output;

/// Why a side cannot be compared.
pub(in super::super) struct Refused {
    /// The failure of the command.
    pub(in super::super) failure: Failure,
    /// The policy's files; empty if they were not read.
    pub(in super::super) sources: Box<SourceSet>,
    /// The policy's errors; empty if something else is the reason.
    pub(in super::super) errors: Vec<Diagnostic>,
    /// Whether the files are those of a revision, whose paths begin at the top of its repository.
    pub(in super::super) is_revision: bool,
}

impl Refused {
    /// A policy with errors, among other findings.
    pub(super) fn errors(name: &str, sources: SourceSet, mut found: Vec<Diagnostic>) -> Self {
        found.retain(|found| found.severity == Severity::Error);
        let count = found.len();
        Self {
            failure: Failure::Trouble(format!(
                "the policy in {name} does not compile under its configuration: {count} {}; fix what `tokenward compile --check` shows of it",
                plural(count, "error")
            )),
            sources: Box::new(sources),
            errors: found,
            is_revision: false,
        }
    }

    /// Records that the files are those of a revision.
    pub(super) fn at_revision(self) -> Self {
        Self {
            is_revision: true,
            ..self
        }
    }

    /// Shows the errors, if there are any, on standard error.
    pub(in super::super) fn show(&self) {
        if !self.errors.is_empty() {
            output::note_raw(&render_text(&self.sources, &self.errors, output::colours()));
        }
    }
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        Self {
            failure,
            sources: Box::new(SourceSet::from_files([])),
            errors: Vec::new(),
            is_revision: false,
        }
    }
}

/// Shows the errors: whoever needs only the failure has no other place for them.
impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        refused.show();
        refused.failure
    }
}
