//! Findings of the compiler, as pages show them.

use tokenward_compiler::diagnostic::{self, Severity};
use tokenward_compiler::source::SourceSet;
use tokenward_console::views::parts::{Diagnostic, Place};

/// Findings that are shown.
const SHOWN: usize = 20;

/// Why a policy cannot be compared.
pub(super) enum Refused {
    /// The field that names it, and the reason.
    Field(&'static str, String),
    /// It does not compile.
    Errors(Vec<Diagnostic>),
}

/// Findings of the compiler, as pages show them.
pub(super) fn shown<'d>(
    sources: &SourceSet,
    found: impl Iterator<Item = &'d diagnostic::Diagnostic>,
) -> Vec<Diagnostic> {
    let shown = found.take(SHOWN);
    shown
        .map(|one| Diagnostic {
            is_error: one.severity == Severity::Error,
            code: one.code.to_string(),
            message: one.headline.clone(),
            place: place(sources, one),
            help: one.help.clone().unwrap_or_default(),
            source: vec![(place(sources, one).number, line_text(sources, one))],
            ..Diagnostic::default()
        })
        .collect()
}

pub(super) fn place(sources: &SourceSet, found: &diagnostic::Diagnostic) -> Place {
    let span = found.primary.span;
    Place {
        file: sources
            .get(span.source)
            .map(|source| source.path.clone())
            .unwrap_or_default(),
        number: u32::try_from(sources.line_number(span)).unwrap_or_default(),
    }
}

fn line_text(sources: &SourceSet, found: &diagnostic::Diagnostic) -> String {
    let number = sources.line_number(found.primary.span);
    let source = sources.get(found.primary.span.source);
    let line = source.and_then(|source| source.text.lines().nth(number.saturating_sub(1)));
    line.unwrap_or_default().to_owned()
}
