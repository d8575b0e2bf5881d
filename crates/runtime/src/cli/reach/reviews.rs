//! The reviews of reached operations in `reviewed.toml` of the policy.

use std::path::Path;

use tokenward_compiler::analysis::Budget;
use tokenward_compiler::ir::Program;
use tokenward_compiler::source::{Links, SourceSet};
use tokenward_compiler::tokens::{OPERATION_KEY, Reviewed};
use tokenward_openapi::{Operation, Template};
use tokenward_pdp::config::Config;

use super::super::audit::shown;
use super::super::descriptions::Described;
use super::super::failure::Failure;
use super::super::output;
use super::super::reviews::operations::{Review, idle, lacks_operation, lacks_token};
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
    fn of_operations(&self) -> impl Iterator<Item = Review<'_>> {
        self.0.iter().filter_map(reviews::of_operation)
    }

    /// Notes reviews of operations that neither description has, and of tokens that the policy does not have: a misspelt one, or one that
    /// is no longer needed.
    pub(super) fn note_stale(&self, (new, old): (&Described, &Described), program: &Program) {
        for review in self.of_operations() {
            let lacks_operation = || {
                let why = lacks_operation(review, new)?;
                old.all.by_name(review.1).is_none().then_some(why)
            };
            if let Some(why) = lacks_token(review, program).or_else(lacks_operation) {
                note(&why);
            }
        }
    }

    /// Notes reviews that count for nothing with this policy and this description.
    pub(super) fn note_idle(
        &self,
        (described, program): (&Described, &Program),
        settings: (&Config, &Budget),
    ) -> Result<(), Failure> {
        let reviews: Vec<Review<'_>> = self.of_operations().collect();
        for (_, why) in idle(&reviews, (described, program), settings)? {
            note(&why);
        }
        Ok(())
    }
}

fn note(why: &str) {
    output::note(&shown(&format!(
        "tokenward: a review in reviewed.toml counts for nothing: {why}"
    )));
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
