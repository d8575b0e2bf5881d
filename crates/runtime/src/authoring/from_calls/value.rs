//! Values as patterns: the forms of ids, and the kinds that a description gives.

use tokenward_compiler::closest::{Place, escaped};
use tokenward_compiler::json::Kind as JsonKind;
use tokenward_openapi::{Kind, Shape};

/// The pattern of a value in the path, where it is an id; None for a name, which stays as it is.
pub(super) fn of_segment(value: &str, shape: &Shape) -> Option<String> {
    id(value, shape, Place::Url)
}

/// The pattern of a parameter's value; None for exactly this value.
pub(super) fn of_parameter(value: &str, shape: &Shape) -> Option<String> {
    if shape.values.is_empty() && shape.is(Kind::Boolean) && matches!(value, "true" | "false") {
        return Some("true|false".to_owned());
    }
    id(value, shape, Place::Parameter)
}

/// The pattern of a member of a body whose top-level property is described; None for exactly these texts. Members below the top
/// level are not described: there, ids and texts with spaces are generalised.
pub(super) fn of_member(
    property: Option<(&Shape, bool)>,
    kinds: &[JsonKind],
    texts: &[&str],
) -> Option<String> {
    let (shape, is_top) = property?;
    if is_top && !shape.values.is_empty() {
        return None;
    }
    match kinds {
        [JsonKind::String] if is_top || texts.iter().any(|text| text.contains(char::is_whitespace)) => {
            Some(".*".to_owned())
        }
        [JsonKind::Number]
            if is_top && shape.is(Kind::Integer) && texts.iter().all(|text| is_integer(text)) =>
        {
            Some(r"-?\d+".to_owned())
        }
        [JsonKind::Number] => {
            Some(r"-?\d+(\.\d+)?".to_owned()).filter(|_| texts.iter().all(|text| is_plain_number(text)))
        }
        [JsonKind::Boolean] => Some("true|false".to_owned()),
        _ => {
            let patterns: Option<Vec<String>> = texts.iter().map(|text| form(text, Place::Member)).collect();
            let mut patterns = patterns.filter(|patterns| !patterns.is_empty())?;
            patterns.sort();
            patterns.dedup();
            Some(patterns.join("|"))
        }
    }
}

fn is_integer(text: &str) -> bool {
    is_plain_number(text) && !text.contains('.')
}

fn is_plain_number(text: &str) -> bool {
    let text = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits(whole) && digits(fraction)
}

fn id(value: &str, shape: &Shape, place: Place) -> Option<String> {
    // Values that the description lists are names, not ids.
    if !shape.values.is_empty() {
        return None;
    }
    form(value, place)
}

/// The pattern of a number, a key, a UUID or a digest.
fn form(value: &str, place: Place) -> Option<String> {
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if is_digits(value) {
        return Some(r"\d+".to_owned());
    }
    if let Some((prefix, number)) = value.rsplit_once('-')
        && is_digits(number)
        && prefix.starts_with(|c: char| c.is_ascii_uppercase())
        && prefix
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
    {
        return Some(format!(r"{}-\d+", escaped(prefix, place)));
    }
    let is_hex = |text: &str| text.bytes().all(|b| b.is_ascii_hexdigit());
    let lengths: Vec<usize> = value.split('-').map(str::len).collect();
    if lengths == [8, 4, 4, 4, 12] && value.split('-').all(is_hex) {
        return Some("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}".to_owned());
    }
    if matches!(value.len(), 24 | 32 | 40 | 64) && is_hex(value) {
        return Some(format!("[0-9a-fA-F]{{{}}}", value.len()));
    }
    None
}
