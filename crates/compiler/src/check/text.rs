//! Slips in a line's text, of which the first is an error: nothing written may silently mean something else.

use std::ops::Range;

use super::{
    foreign, misspelt_part,
    pieces::{Piece, pieces},
    url_text, value_text,
};
use crate::{
    ast::{self, Effect, Pattern, Subject, Test},
    diagnostic::{Code, Diagnostic},
    source::{SourceSet, Span},
};

/// Checks a line that parses, before its regexps are parsed.
///
/// # Errors
/// The first slip.
pub(crate) fn check(syntax: &ast::Limit, sources: &SourceSet) -> Result<(), Box<Diagnostic>> {
    let url = Url::new(syntax, sources);
    let in_url = || {
        misspelt_part::find(&url)
            .or_else(|| foreign::find(&url))
            .or_else(|| url_text::find(&url))
    };
    let in_values = || {
        syntax.constraints.iter().find_map(|constraint| {
            let Test::Values { pattern, .. } = &constraint.test else {
                return None;
            };
            let is_query = matches!(constraint.subject, Subject::Query(_));
            value_text::find(&Value::new(pattern, sources), is_query)
        })
    };
    match in_url().or_else(in_values) {
        Some(diagnostic) => Err(Box::new(diagnostic)),
        None => Ok(()),
    }
}

/// A line's URL regexp in pieces.
pub(super) struct Url<'a> {
    syntax: &'a ast::Limit,
    /// The whole line.
    pub(super) line: &'a str,
    /// The URL regexp.
    pub(super) text: &'a str,
    /// Where it begins in the line.
    pub(super) start: usize,
    pub(super) pieces: Vec<Piece>,
}

impl<'a> Url<'a> {
    fn new(syntax: &'a ast::Limit, sources: &'a SourceSet) -> Self {
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
    pub(super) text: &'a str,
    pub(super) pieces: Vec<Piece>,
}

impl<'a> Value<'a> {
    fn new(pattern: &Pattern, sources: &'a SourceSet) -> Self {
        let text = sources.text(pattern.span);
        Self {
            span: pattern.span,
            text,
            pieces: pieces(text, &placeholders(pattern)),
        }
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
