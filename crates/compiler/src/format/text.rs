//! Texts by themselves: line ends, spans, slices.

use crate::source::Span;

/// The text with `\n` at each line's end.
pub(super) fn plain(text: &str) -> String {
    text.replace("\r\n", "\n")
}

/// The span of a text that is in no source.
pub(super) fn whole(text: &str) -> Span {
    Span {
        start: 0,
        end: text.len(),
        ..Span::nowhere()
    }
}

/// The text of a span within such a text.
pub(super) fn slice(text: &str, span: Span) -> &str {
    text.get(span.start..span.end).unwrap_or_default()
}
