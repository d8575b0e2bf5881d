//! Summaries and failures of `tokenward compile`.

use tokenward_compiler::diagnostic::{Code, Diagnostic, Severity};
use tokenward_pdp::plural::plural;

use super::super::failure::Failure;
use super::fixing::Fixed;

/// The number of accepted findings, as an addition to the tally.
pub(super) fn in_baseline(count: usize) -> String {
    if count == 0 {
        return String::new();
    }
    format!(", {count} in the baseline")
}

/// The failure of a policy with fixes that were only shown.
pub(super) fn not_written(fixed: &Fixed) -> Failure {
    let Fixed { applied, files, .. } = fixed;
    Failure::Findings(format!(
        "{applied} {} of {files} {} not written; run the command without --diff",
        plural(*applied, "fix"),
        plural(*files, "file")
    ))
}

/// The failure of a policy with errors.
pub(super) fn failed(diagnostics: &[Diagnostic], place: &str) -> Failure {
    let told = format!("{} in {place}", tally(diagnostics));
    if is_only_open(diagnostics) {
        Failure::Trouble(told)
    } else {
        Failure::Findings(told)
    }
}

/// The failure of a policy some of whose lines were not checked: no finding does not mean that there is none.
pub(super) fn unsettled(count: usize) -> Failure {
    Failure::Trouble(format!(
        "{count} {} about the lines could not be settled within the budget; simplify the patterns, or use a larger --budget; nothing was written",
        plural(count, "question")
    ))
}

/// The part of the summary about lints that were not settled.
pub(super) fn open_lints(count: usize) -> String {
    match count {
        0 => String::new(),
        _ => format!(
            ", {count} {} of lints open (a larger --budget settles them)",
            plural(count, "question")
        ),
    }
}

/// Whether nothing is wrong but that questions were not settled.
fn is_only_open(diagnostics: &[Diagnostic]) -> bool {
    let mut errors = diagnostics
        .iter()
        .filter(|found| found.severity == Severity::Error);
    errors.all(|found| matches!(found.code, Code::OpenComparison | Code::OpenInvariant))
}

/// Counts findings: `2 errors, 1 warning`, or `no findings`.
pub(super) fn tally(diagnostics: &[Diagnostic]) -> String {
    let count = |severity| {
        diagnostics
            .iter()
            .filter(|diagnostic| diagnostic.severity == severity)
            .count()
    };
    let told = [
        (count(Severity::Error), "error"),
        (count(Severity::Warning), "warning"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, what)| format!("{count} {}", plural(count, what)))
    .collect::<Vec<_>>();
    if told.is_empty() {
        "no findings".to_owned()
    } else {
        told.join(", ")
    }
}
