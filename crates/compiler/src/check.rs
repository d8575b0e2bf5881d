//! Warnings about lines with valid syntax that are probably mistakes. One check per file.

mod forbid_alias;
pub(crate) mod included_twice;
mod misspelt_part;
mod never_matches;
mod secret;
mod two_cases;
mod untyped_literal;

use crate::{ast, diagnostic::Diagnostic, policy::Limit, source::SourceSet};

pub(crate) use secret::check as secrets;

/// Reports everything about one line by itself.
pub(crate) fn line(
    syntax: &ast::Limit,
    meaning: &Limit,
    sources: &SourceSet,
    diagnostics: &mut Vec<Diagnostic>,
) {
    misspelt_part::check(syntax, sources, diagnostics);
    untyped_literal::check(syntax, sources, diagnostics);
    never_matches::check(syntax, meaning, diagnostics);
    forbid_alias::check(syntax, sources, diagnostics);
    two_cases::check(syntax, diagnostics);
}
