//! TW0021: encoded characters in the value of a parameter; and foreign placeholders and classes in any value.

use super::{foreign, parts::Value, url_text};
use crate::diagnostic::{Code, Diagnostic};

/// The first such text. Values of parameters are matched decoded; in a JSON body `%20` is text.
pub(super) fn find(value: &Value<'_>, is_query: bool) -> Option<Diagnostic> {
    foreign::braces_of_value(value)
        .or_else(|| foreign::negated_class_of_value(value))
        .or_else(|| is_query.then(|| encoded(value)).flatten())
}

fn encoded(value: &Value<'_>) -> Option<Diagnostic> {
    let range = url_text::percent(value.text, &value.pieces, |_| true)?;
    let text = value.text.get(range.clone())?;
    let headline = format!("`{text}` never occurs: values of parameters are matched decoded");
    Some(
        value
            .error(Code::ValueText, range, headline)
            .help(url_text::decoded_help(text)),
    )
}
