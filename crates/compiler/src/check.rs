//! What is legal by its syntax and probably not meant, or never should be. One check a file.

mod forbid_alias;
pub(crate) mod included_twice;
mod misspelt_part;
mod never_matches;
mod secret;
mod two_cases;
mod untyped_literal;

use crate::{ast, diagnostic::Diagnostic, policy::Limit, source::SourceSet};

pub(crate) use secret::check as secrets;

/// Everything to be said of one line by itself.
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
