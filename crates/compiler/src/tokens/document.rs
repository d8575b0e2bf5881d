//! A file's TOML, in which every value has its place.

use std::ops::Range;

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use crate::{
    diagnostic::{Code, Diagnostic},
    source::{Source, SourceId, Span},
};

/// The keys whose values are lines.
const KEYS_OF_LINES: [&str; 2] = ["limit_to", "lines"];

/// A value and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct At<T> {
    /// The value.
    pub value: T,
    /// The span of the value.
    pub span: Span,
}

/// The file's table; `None` if it is not TOML.
pub(super) fn parse<'s>(
    id: SourceId,
    source: &'s Source,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<Spanned<DeTable<'s>>> {
    let (root, errors) = DeTable::parse_recoverable(&source.text);
    // One cause has one error, however many backslashes there are.
    let mut backslashes = errors
        .iter()
        .filter_map(|error| backslash_of_lines(&source.text, error.span()?.start));
    if let Some(at) = backslashes.next() {
        diagnostics.push(backslash_in_string(span(id, source, at..at + 1)));
        return None;
    }
    for error in &errors {
        let range = error.span().unwrap_or(0..0);
        let headline = format!(
            "the file is not valid TOML: {}",
            error.message().replace('\n', ", ")
        );
        diagnostics.push(Diagnostic::new(
            Code::TomlSyntax,
            span(id, source, range),
            headline,
        ));
    }
    errors.is_empty().then_some(root)
}

/// The backslash of an escape that TOML does not have, in a string of lines: `limit_to = "…\\d+"`. Its author needs the
/// other kind of string, not a list of escapes.
fn backslash_of_lines(text: &str, error: usize) -> Option<usize> {
    // The error is at the backslash, or at what is behind it.
    let error = text
        .len()
        .min(error + usize::from(text.get(error..).is_some_and(|rest| rest.starts_with('\\'))));
    let before = text.get(..error)?;
    let at = before.rfind('\\')?;
    let is_escape = text
        .get(at + 1..error)
        .is_some_and(|between| between.chars().count() < 2);
    let key = KEYS_OF_LINES.iter().filter_map(|key| {
        let found = before.rfind(key)?;
        let line_start = before.get(..found)?.rfind('\n').map_or(0, |newline| newline + 1);
        let is_key = before.get(line_start..found)?.trim().is_empty();
        let value = before
            .get(found + key.len()..)?
            .trim_start()
            .strip_prefix('=')?
            .trim_start();
        // Still within the string: no quote has ended it.
        let (quote, inner) = match value.strip_prefix("\"\"\"") {
            Some(inner) => ("\"\"\"", inner),
            None => ("\"", value.strip_prefix('"')?),
        };
        (is_key && !inner.contains(quote)).then_some(found)
    });
    (is_escape && key.max().is_some()).then_some(at)
}

/// The error of a backslash in a string in which TOML gives it a meaning.
pub(super) fn backslash_in_string(place: Span) -> Diagnostic {
    Diagnostic::new(
        Code::BackslashInString,
        place,
        "a backslash in a string in which TOML interprets it",
    )
    .help("put the lines between `'''` and `'''`, where TOML does not interpret `\\d`")
}

pub(super) fn span(id: SourceId, source: &Source, range: Range<usize>) -> Span {
    let end = range.end.min(source.text.len());
    Span {
        source: id,
        start: range.start.min(end),
        end,
    }
}

/// A value of a table.
pub(super) type Value<'i> = Spanned<DeValue<'i>>;

pub(super) type Key<'i> = Spanned<std::borrow::Cow<'i, str>>;
