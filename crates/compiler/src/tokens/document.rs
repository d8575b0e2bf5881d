//! A file's TOML, in which every value has its place.

use std::ops::Range;

use toml::{Spanned, de::DeTable};

use crate::{
    diagnostic::{Code, Diagnostic},
    source::{Source, SourceId, Span},
};

/// A value and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct At<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub span: Span,
}

/// The file's table; `None` if it is not TOML.
pub(super) fn parse<'s>(
    id: SourceId,
    source: &'s Source,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<Spanned<DeTable<'s>>> {
    let (root, errors) = DeTable::parse_recoverable(&source.text);
    for error in &errors {
        let range = error.span().unwrap_or(0..0);
        let headline = format!("the file is not TOML: {}", error.message().replace('\n', ", "));
        diagnostics.push(Diagnostic::new(
            Code::TomlSyntax,
            span(id, source, range),
            headline,
        ));
    }
    errors.is_empty().then_some(root)
}

pub(super) fn span(id: SourceId, source: &Source, range: Range<usize>) -> Span {
    let end = range.end.min(source.text.len());
    Span {
        source: id,
        start: range.start.min(end),
        end,
    }
}

pub(super) type Key<'i> = Spanned<std::borrow::Cow<'i, str>>;
