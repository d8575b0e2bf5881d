//! The regexps of a line, its URL and its values, in pieces; and errors at places in them.

use std::ops::Range;

use super::pieces::{Piece, pieces};
use crate::{
    ast::{self, Effect, Pattern},
    diagnostic::{Code, Diagnostic},
    source::{SourceSet, Span},
};

/// A line's URL regexp in pieces.
pub(super) struct Url<'a> {
    pub(super) syntax: &'a ast::Limit,
    /// The whole line.
    pub(super) line: &'a str,
    /// The URL regexp.
    pub(super) text: &'a str,
    /// Where it begins in the line.
    pub(super) start: usize,
    pub(super) pieces: Vec<Piece>,
}

impl<'a> Url<'a> {
    pub(super) fn new(syntax: &'a ast::Limit, sources: &'a SourceSet) -> Self {
        let text = sources.text(syntax.url.span);
        Self {
            syntax,
            line: sources.text(syntax.span),
            text,
            start: syntax.url.span.start - syntax.span.start,
            pieces: pieces(text, &placeholders(&syntax.url)),
        }
    }

    /// The constraints, with the blanks before them.
    pub(super) fn behind(&self) -> &'a str {
        self.line.get(self.start + self.text.len()..).unwrap_or_default()
    }

    pub(super) fn has_methods(&self) -> bool {
        self.syntax.methods.is_some()
    }

    pub(super) fn is_forbid(&self) -> bool {
        self.syntax.effect == Effect::Forbid
    }

    /// An error at a range of the URL.
    pub(super) fn error(&self, code: Code, range: Range<usize>, headline: impl Into<String>) -> Diagnostic {
        Diagnostic::new(code, self.syntax.url.span.part(range), headline)
    }

    /// The error with a correction: another text in a range of the URL.
    pub(super) fn with_fix(&self, found: Diagnostic, range: &Range<usize>, text: &str) -> Diagnostic {
        found.fix(self.syntax.url.span.part(range.clone()), text)
    }

    /// A line to write: this one with another text in a range of the URL.
    pub(super) fn mended(&self, range: &Range<usize>, text: &str) -> String {
        let range = self.start + range.start..self.start + range.end;
        let mut line = self.line.to_owned();
        if line.get(range.clone()).is_some() {
            line.replace_range(range, text);
        }
        format!("write `{line}`")
    }
}

/// A value's regexp in pieces.
pub(super) struct Value<'a> {
    span: Span,
    /// The constraint, and its place.
    constraint: (Span, &'a str),
    pub(super) text: &'a str,
    pub(super) pieces: Vec<Piece>,
}

impl<'a> Value<'a> {
    pub(super) fn new(pattern: &Pattern, constraint: Span, sources: &'a SourceSet) -> Self {
        let text = sources.text(pattern.span);
        Self {
            span: pattern.span,
            constraint: (constraint, sources.text(constraint)),
            text,
            pieces: pieces(text, &placeholders(pattern)),
        }
    }

    /// `QueryParam::name` of `[QueryParam::name==value]`, with the place of the constraint; `None`: the operator is another one.
    pub(super) fn subject(&self) -> Option<(Span, &'a str)> {
        let (place, text) = self.constraint;
        let before = text.get(..self.span.start.checked_sub(place.start)?)?;
        Some((place, before.strip_prefix('[')?.strip_suffix("==")?.trim_end()))
    }

    /// The error with a correction: another text in a range of the value.
    pub(super) fn with_fix(&self, found: Diagnostic, range: &Range<usize>, text: &str) -> Diagnostic {
        found.fix(self.span.part(range.clone()), text)
    }

    /// An error at a range of the value.
    pub(super) fn error(&self, code: Code, range: Range<usize>, headline: impl Into<String>) -> Diagnostic {
        Diagnostic::new(code, self.span.part(range), headline)
    }
}

fn placeholders(pattern: &Pattern) -> Vec<Range<usize>> {
    let start = pattern.span.start;
    let spans = pattern.placeholders.iter();
    spans
        .map(|(_, span)| span.start - start..span.end - start)
        .collect()
}
