//! The canonical spelling of a block of limit lines: a `*.limits` file, or the value of a key.

use super::{kept::Kept, line};
use crate::resolve::include_of;

/// Formats each line by itself. Comments and the order of lines stay, several blank lines become one, and blank lines at both ends
/// go. Each line ends with `\n`; a block without lines and comments is empty.
pub(super) fn format(text: &str, kept: &Kept) -> String {
    let mut out = String::with_capacity(text.len());
    let mut is_gap = false;
    for written in text.split('\n').map(str::trim) {
        if written.is_empty() {
            is_gap = !out.is_empty();
            continue;
        }
        if std::mem::take(&mut is_gap) {
            out.push('\n');
        }
        out.push_str(&spelled(written, kept));
        out.push('\n');
    }
    out
}

fn spelled(written: &str, kept: &Kept) -> String {
    if written.starts_with('#') {
        return written.to_owned();
    }
    match include_of(written) {
        Some(name) => format!("@include {name}"),
        None if kept.keeps(written) => written.to_owned(),
        None => line::format(written),
    }
}
