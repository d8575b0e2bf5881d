//! The reviews of reached operations in `reviewed.toml` of the policy.

use std::path::Path;

use tokenward_compiler::diagnostic::nearest;
use tokenward_compiler::ir::Program;
use tokenward_compiler::source::{Links, SourceSet};
use tokenward_compiler::tokens::{OPERATION_KEY, Reviewed, ReviewedWhat};
use tokenward_openapi::{Description, Operation, Template};

use super::super::audit::shown;
use super::super::failure::Failure;
use super::super::output;
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

    /// Whether somebody reviewed that a token reaches an operation. The names of the parameters do not matter.
    pub(super) fn has(&self, token: &str, operation: &Operation) -> bool {
        let form = form(&operation.name());
        self.of_operations()
            .any(|(of, value)| of == token && form.is_some() && self::form(value) == form)
    }

    /// The tokens and operations that reviews name.
    fn of_operations(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().filter_map(|entry| match &entry.what {
            ReviewedWhat::Key { token, key, value } if key == OPERATION_KEY => {
                Some((token.as_str(), value.as_str()))
            }
            _ => None,
        })
    }

    /// Notes reviews of operations that no description has, and of tokens that the policy does not have: a misspelt one, or one that
    /// is no longer needed.
    pub(super) fn note_stale(&self, descriptions: [&Description; 2], program: &Program) {
        let names = || program.tokens().map(|(_, token)| token.name.as_str());
        for (token, value) in self.of_operations() {
            let why = if !names().any(|name| name == token) {
                let near = nearest(token, names())
                    .map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
                format!("the policy has no token `{token}`{near}")
            } else if descriptions
                .iter()
                .all(|description| description.by_name(value).is_none())
            {
                let near = descriptions
                    .iter()
                    .find_map(|description| description.nearest(value));
                let near = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
                format!("the description has no operation `{value}`{near}")
            } else {
                continue;
            };
            output::note(&shown(&format!(
                "tokenward: a review in reviewed.toml counts for nothing: {why}"
            )));
        }
    }
}

/// The method and the path of an operation, without the names of its parameters.
fn form(name: &str) -> Option<String> {
    let (method, path) = name.trim().split_once(char::is_whitespace)?;
    Some(format!(
        "{} {}",
        method.to_ascii_uppercase(),
        Template::parse(path.trim()).form()
    ))
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
