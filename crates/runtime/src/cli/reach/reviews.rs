//! The reviews of reached operations in `reviewed.toml` of the policy.

use std::path::Path;

use tokenward_compiler::source::{Links, SourceSet};
use tokenward_compiler::tokens::{OPERATION_KEY, Reviewed, ReviewedWhat};

use super::super::failure::Failure;
use super::super::reviews::{self, counts};

/// Reviews that count.
pub(super) struct Reviews(Vec<Reviewed>);

impl Reviews {
    /// Reads the reviews next to a policy; a compiled policy has none.
    pub(super) fn read(policies: &Path) -> Result<Self, Failure> {
        if !policies.is_dir() {
            return Ok(Self(Vec::new()));
        }
        let sources = SourceSet::read_dir(policies, Links::WithinDirectory).map_err(Failure::trouble)?;
        let mut entries = reviews::read(&sources, &format!("`{}`", policies.display()))?;
        let now = reviews::now();
        entries.retain(|entry| counts(entry, now));
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
