//! The order of keys, and the comments and blank lines between them.

use toml_edit::{Decor, RawString};

use crate::tokens;

/// The place of a key among those of an entry of this array; unknown keys come last.
pub(super) fn place(array: &str, key: &str) -> usize {
    let order = match array {
        "token" => tokens::TOKEN_KEYS,
        "reviewed" => tokens::REVIEW_KEYS,
        _ => tokens::INVARIANT_KEYS,
    };
    order
        .iter()
        .position(|known| *known == key)
        .unwrap_or(order.len())
}

/// The comments in a piece of text between two items, each on a line of its own. One blank line stays where there were some, but
/// none at the beginning.
pub(super) fn comments(text: &str) -> String {
    let mut lines: Vec<&str> = text.split('\n').map(str::trim).collect();
    // What follows the last line end is the indentation of the item.
    lines.pop();
    let mut out = String::new();
    let mut is_gap = false;
    for line in lines {
        if line.is_empty() {
            is_gap = !out.is_empty();
            continue;
        }
        if std::mem::take(&mut is_gap) {
            out.push('\n');
        }
        out.push_str(line);
        out.push('\n');
    }
    if is_gap {
        out.push('\n');
    }
    out
}

/// The text of a piece between two items.
pub(super) fn raw(between: Option<&RawString>) -> &str {
    between.and_then(RawString::as_str).unwrap_or_default()
}

/// The comment behind an item, with one space in front of it.
pub(super) fn trailing(decor: &Decor) -> String {
    match raw(decor.suffix()).trim() {
        "" => String::new(),
        comment => format!(" {comment}"),
    }
}
