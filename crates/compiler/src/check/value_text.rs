//! TW0021: text in a value that is hardly meant: an operator or a blank first, encoded characters, foreign placeholders.

use super::{foreign, text::Value, url_text};
use crate::diagnostic::{Code, Diagnostic};

/// The first such text. Values of parameters are matched decoded; in a JSON body `%20` is text.
pub(super) fn find(value: &Value<'_>, is_query: bool) -> Option<Diagnostic> {
    first(value)
        .or_else(|| foreign::braces_of_value(value))
        .or_else(|| is_query.then(|| encoded(value)).flatten())
}

fn first(value: &Value<'_>) -> Option<Diagnostic> {
    let first = value.text.chars().next()?;
    let (what, help) = match first {
        '=' | '<' | '>' => (
            format!("the value begins with `{first}`"),
            format!("remove it from the operator, or write `[{first}]` if the value begins with it"),
        ),
        blank if blank.is_whitespace() => (
            "the value begins with a blank".to_owned(),
            "remove it, or write `\\x20` if the value begins with it".to_owned(),
        ),
        _ => return None,
    };
    Some(value.error(Code::ValueText, 0..first.len_utf8(), what).help(help))
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
