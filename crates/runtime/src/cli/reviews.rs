//! Reviews of `reviewed.toml`.

pub(super) mod operations;

use std::time::{SystemTime, UNIX_EPOCH};

use tokenward_compiler::diagnostic::{Severity, render_text};
use tokenward_compiler::source::SourceSet;
use tokenward_compiler::tokens::{OPERATION_KEY, Reviewed, ReviewedWhat, read_reviewed};

use super::failure::Failure;
use super::output;

/// Reads the reviews of a policy. `place` names the policy in messages.
///
/// # Errors
/// A review has an error, which is shown on standard error.
pub(super) fn read(sources: &SourceSet, place: &str) -> Result<Vec<Reviewed>, Failure> {
    let mut wrong = Vec::new();
    let entries = read_reviewed(sources, &mut wrong);
    wrong.retain(|found| found.severity == Severity::Error);
    if wrong.is_empty() {
        return Ok(entries);
    }
    output::note_raw(&render_text(sources, &wrong, output::colours()));
    Err(Failure::Trouble(format!("the reviews in {place} have errors")))
}

/// The token and the operation that a review is about, if it is about one.
pub(super) fn of_operation(entry: &Reviewed) -> Option<operations::Review<'_>> {
    match &entry.what {
        ReviewedWhat::Key { token, key, value } if key == OPERATION_KEY => Some((token, value)),
        _ => None,
    }
}

/// Whether a review has not expired, at a time in milliseconds, UTC.
pub(super) fn counts(entry: &Reviewed, now: i64) -> bool {
    entry.until.is_none_or(|until| now < until)
}

/// Current time in milliseconds, UTC. A clock before 1970 gives the maximum, so that no review outlives a reset of the clock.
pub(super) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).ok();
    since
        .and_then(|since| i64::try_from(since.as_millis()).ok())
        .unwrap_or(i64::MAX)
}
