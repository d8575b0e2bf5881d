//! TW0021 and TW0022: text in a value that values do not have: encoded characters, foreign placeholders, wildcards and ranges.

use super::{
    bare_part, class_text, foreign, look_alike,
    parts::Value,
    pieces::{Kind, Piece},
    url_text,
};
use crate::diagnostic::{Code, Diagnostic};

/// Words and signs that a query has between blanks, which `+` stands for in a URL.
const BETWEEN_BLANKS: [&str; 18] = [
    "=", "!=", "~", "!~", "<", ">", "<=", ">=", "AND", "OR", "IN", "IS", "NOT", "and", "or", "in", "is",
    "not",
];
/// The flags of a regexp between slashes.
const FLAGS: &str = "gimsuyx";

/// The first such text. Values of parameters are matched decoded; in a JSON body `%20` is text.
pub(super) fn find(value: &Value<'_>, is_query: bool) -> Option<Diagnostic> {
    let in_query = || {
        let encoded = || encoded(value).or_else(|| plus(value));
        is_query.then(encoded)?
    };
    // `%ad` of `%admin%` is no encoded character.
    let on_both_sides = || {
        let is_like = value.text.len() > 2 && value.text.starts_with('%') && value.text.ends_with('%');
        is_like.then(|| percent(value))?
    };
    bare_part::in_value(value)
        .or_else(|| foreign::braces_of_value(value))
        .or_else(on_both_sides)
        .or_else(in_query)
        .or_else(|| percent(value))
        .or_else(|| literal(value))
        .or_else(|| range(value))
        .or_else(|| {
            class_text::find(value.text, &value.pieces, false, |code, range, headline| {
                value.error(code, range, headline)
            })
        })
        .or_else(|| look_alike::in_value(value))
}

fn encoded(value: &Value<'_>) -> Option<Diagnostic> {
    let range = url_text::percent(value.text, &value.pieces, |_| true)?;
    let text = value.text.get(range.clone())?;
    let headline = format!("`{text}` never occurs: values of parameters are matched decoded");
    let found = value.error(Code::ValueText, range, headline);
    let written = url_text::decoded(value.text, &value.pieces, |_| true, " ");
    Some(match written {
        Some(written) => {
            let written = with_outer_spaces(&written);
            let help = url_text::decoded_help(&format!("write `{written}`"));
            value.with_fix(found.help(help), &(0..value.text.len()), &written)
        }
        None => found.help(url_text::decoded_help("write the character itself")),
    })
}

/// A value whose first and last spaces are escaped, so that they are seen and stay.
fn with_outer_spaces(value: &str) -> String {
    let inner = value.trim_start_matches(' ');
    let first = "\\x20".repeat(value.len() - inner.len());
    let middle = inner.trim_end_matches(' ');
    let last = "\\x20".repeat(inner.len() - middle.len());
    format!("{first}{middle}{last}")
}

/// `project+=+HR`.
fn plus(value: &Value<'_>) -> Option<Diagnostic> {
    let start = value.pieces.windows(2).position(|pair| {
        let [one, sign] = pair else { return false };
        let is_letter =
            matches!(one.kind, Kind::Character(one) if one.is_alphanumeric() || "\"')".contains(one));
        let behind = value.text.get(sign.range.end..).unwrap_or_default();
        let mut rests = BETWEEN_BLANKS
            .iter()
            .filter_map(|word| behind.strip_prefix(*word));
        is_letter && sign.is('+') && rests.any(|rest| rest.starts_with('+'))
    })?;
    let sign = value.pieces.get(start + 1)?;
    Some(
        value
            .error(
                Code::ValueText,
                sign.range.clone(),
                "`+` repeats the character before it: values of parameters are matched decoded",
            )
            .help("write a space; to repeat a character, write a group before the `+`"),
    )
}

/// `%admin%`, `%admin`, `admin%`.
fn percent(value: &Value<'_>) -> Option<Diagnostic> {
    let (first, last) = (value.pieces.first()?, value.pieces.last()?);
    let is_letter = |piece: &Piece| matches!(piece.kind, Kind::Character(one) if one.is_alphabetic());
    let before_last = value
        .pieces
        .len()
        .checked_sub(2)
        .and_then(|at| value.pieces.get(at));
    let begins = first.is('%') && value.pieces.get(1).is_some_and(is_letter);
    let ends = last.is('%') && before_last.is_some_and(is_letter);
    let range = match (begins, ends) {
        (true, _) => first.range.clone(),
        (false, true) => last.range.clone(),
        (false, false) => return None,
    };
    let found = value
        .error(
            Code::ForeignText,
            range,
            "`%` matches only a percent sign; it is not a wildcard",
        )
        .help("write `.*` for any text; to match a percent sign, write `[%]`");
    let (begin, end) = (if begins { ".*" } else { "" }, if ends { ".*" } else { "" });
    let inner = value
        .text
        .get(usize::from(begins)..value.text.len() - usize::from(ends))?;
    Some(value.with_fix(found, &(0..value.text.len()), &format!("{begin}{inner}{end}")))
}

/// `/admin/i`.
fn literal(value: &Value<'_>) -> Option<Diagnostic> {
    let inner = value.text.strip_prefix('/')?;
    let (inner, flags) = inner.rsplit_once('/')?;
    let are_flags = !flags.is_empty() && flags.len() < 4 && flags.chars().all(|flag| FLAGS.contains(flag));
    let is_path = inner.replace("\\/", "").contains('/');
    (are_flags && !is_path && !inner.is_empty()).then(|| {
        let flags = if flags.contains('i') { "(?i)" } else { "" };
        let (whole, written) = (0..value.text.len(), format!("{flags}{inner}"));
        let found = value
            .error(
                Code::ForeignText,
                whole.clone(),
                format!("the slashes in `{}` are part of the value", value.text),
            )
            .help(format!("write `{written}`; to match a slash, write `[/]`"));
        value.with_fix(found, &whole, &written)
    })
}

/// `1..9`.
fn range(value: &Value<'_>) -> Option<Diagnostic> {
    let (low, high) = value.text.split_once("..")?;
    let high = high.strip_prefix('.').unwrap_or(high);
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    (is_number(low) && is_number(high)).then(|| {
        let found = value
            .error(
                Code::ForeignText,
                low.len()..low.len() + 2,
                format!("`{}` is not a range: `.` matches any character", value.text),
            )
            .help(format!(
                "test the number with two constraints, one with `>={low}` and one with `<={high}`; to match dots, write `[.][.]`"
            ));
        match value.subject() {
            Some((place, subject)) => found.fix(place, format!("[{subject}>={low}][{subject}<={high}]")),
            None => found,
        }
    })
}
