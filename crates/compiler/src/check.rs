//! Lines with valid syntax that are mistakes, or probably. One check per file.

mod bare_part;
mod class_text;
mod doubtful_value;
mod forbid_alias;
mod foreign;
pub(crate) mod hidden_text;
pub(crate) mod included_twice;
mod look_alike;
mod misspelt_part;
pub(crate) mod mixed_scripts;
pub(crate) mod near_file;
mod never_matches;
mod number_range;
mod part_words;
mod parts;
pub(crate) mod pieces;
mod repeated_character;
mod scripts;
mod secret;
mod separator;
pub(crate) mod test_files;
mod text;
mod two_cases;
mod untyped_literal;
mod url_text;
pub(crate) mod user_name;
mod value_text;

use crate::{ast, diagnostic::Diagnostic, policy::Limit, source::SourceSet};

pub(crate) use secret::check as secrets;
pub(crate) use text::check as text;
pub(crate) use url_text::encoded_slash;

/// Reports everything about one line by itself.
pub(crate) fn line(
    syntax: &ast::Limit,
    meaning: &Limit,
    sources: &SourceSet,
    diagnostics: &mut Vec<Diagnostic>,
) {
    repeated_character::check(syntax, sources, diagnostics);
    doubtful_value::check(syntax, sources, diagnostics);
    untyped_literal::check(syntax, sources, diagnostics);
    never_matches::check(syntax, meaning, diagnostics);
    forbid_alias::check(syntax, sources, diagnostics);
    two_cases::check(syntax, diagnostics);
    mixed_scripts::check(syntax, sources, diagnostics);
}
