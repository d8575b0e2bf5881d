//! The reviews of reached operations in `reviewed.toml` of the policy.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use tokenward_compiler::diagnostic::{Severity, render_text};
use tokenward_compiler::source::{Links, SourceSet};
use tokenward_compiler::tokens::{OPERATION_KEY, Reviewed, ReviewedWhat, read_reviewed};

use super::super::failure::Failure;
use super::super::output;

/// Reviews that count.
pub(super) struct Reviews(Vec<Reviewed>);

impl Reviews {
    /// Reads the reviews next to a policy; a compiled policy has none.
    pub(super) fn read(policies: &Path) -> Result<Self, Failure> {
        if !policies.is_dir() {
            return Ok(Self(Vec::new()));
        }
        let sources = SourceSet::read_dir(policies, Links::WithinDirectory).map_err(Failure::trouble)?;
        let mut wrong = Vec::new();
        let mut entries = read_reviewed(&sources, &mut wrong);
        wrong.retain(|found| found.severity == Severity::Error);
        if !wrong.is_empty() {
            output::note_raw(&render_text(&sources, &wrong, output::colours()));
            return Err(Failure::Trouble(format!(
                "the reviews in `{}` have errors",
                policies.display()
            )));
        }
        let now = now();
        entries.retain(|entry| entry.until.is_none_or(|until| now < until));
        Ok(Self(entries))
    }

    /// Whether somebody reviewed that a token reaches an operation.
    pub(super) fn has(&self, token: &str, operation: &str) -> bool {
        self.0.iter().any(|entry| {
            matches!(&entry.what, ReviewedWhat::Key { token: of, key, value }
                if of == token && key == OPERATION_KEY && value == operation)
        })
    }
}

/// The entry that reviews an operation.
pub(super) fn entry(token: &str, operation: &str) -> String {
    let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
    format!(
        "token = {}, key = \"{OPERATION_KEY}\", value = {}, why = \"…\"",
        quoted(token),
        quoted(operation)
    )
}

/// Current time in milliseconds, UTC. A clock before 1970 gives the maximum, so that no review outlives a reset of the clock.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).ok();
    since
        .and_then(|since| i64::try_from(since.as_millis()).ok())
        .unwrap_or(i64::MAX)
}
