//! The lines within a TOML string, or a `*.limits` file, with their exact bytes in the file.

use std::ops::Range;

use super::document::backslash_in_string;
use crate::{
    diagnostic::Diagnostic,
    source::{SourceId, Span},
};

/// The lines of one block: trimmed, without blank ones and comments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lines {
    /// The whole block.
    pub span: Span,
    /// The spans of the lines, in order.
    pub lines: Vec<Span>,
}

/// Every line of `range` that is neither blank nor a comment, without surrounding blanks.
#[must_use]
pub fn split_lines(id: SourceId, text: &str, range: Range<usize>) -> Lines {
    let span = Span {
        source: id,
        start: range.start,
        end: range.end,
    };
    let mut lines = Vec::new();
    let mut start = range.start;
    for line in text.get(range).unwrap_or_default().split('\n') {
        let trimmed = line.trim();
        if !trimmed.is_empty() && !trimmed.starts_with('#') {
            let from = start + (line.len() - line.trim_start().len());
            lines.push(Span {
                source: id,
                start: from,
                end: from + trimmed.len(),
            });
        }
        start += line.len() + 1;
    }
    Lines { span, lines }
}

/// The lines of the TOML string token at `range`, quotes included.
///
/// # Errors
/// A diagnostic for a backslash in a string in which TOML gives it a meaning: `\d` would not even parse, `\\.` would
/// arrive as `\.`, and no reader of the file can be sure which was meant.
pub(super) fn of_string(id: SourceId, text: &str, range: Range<usize>) -> Result<Lines, Box<Diagnostic>> {
    let token = text.get(range.clone()).unwrap_or_default();
    let quote = ["'''", "\"\"\"", "'", "\""]
        .into_iter()
        .find(|quote| token.starts_with(quote))
        .unwrap_or_default();
    let inner = range.start + quote.len()
        ..range
            .end
            .saturating_sub(quote.len())
            .max(range.start + quote.len());
    if quote.starts_with('"') {
        let backslash = text.get(inner.clone()).unwrap_or_default().find('\\');
        if let Some(at) = backslash.map(|at| inner.start + at) {
            let place = Span {
                source: id,
                start: at,
                end: at + 1,
            };
            return Err(Box::new(backslash_in_string(place)));
        }
    }
    Ok(split_lines(id, text, inner))
}
