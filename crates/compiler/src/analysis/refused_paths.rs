//! The paths that the proxy refuses before it asks a policy, as a language.
//!
//! `request/path.rs` of the runtime refuses them one by one. A property test there compares both, under every relaxation.

use std::ops::RangeInclusive;

use crate::look_alike::{BACKSLASHES, DOTS, DOUBLE_DOTS, INVISIBLE, SEMICOLONS, SLASHES};

/// Refusals of paths that a configuration lifts; the default lifts none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct LiftedRefusals {
    /// Control characters other than NUL are allowed.
    pub control_character: bool,
    /// NUL is allowed.
    pub nul: bool,
    /// `\` is allowed.
    pub backslash: bool,
    /// An encoded slash is allowed, and is `%2F` in the decoded path.
    pub encoded_slash: bool,
    /// Escapes that a second decoding would read are allowed.
    pub double_encoding: bool,
    /// `;` is allowed.
    pub semicolon: bool,
    /// `.` and `..` segments are allowed.
    pub dot_segment: bool,
    /// Empty segments are allowed.
    pub empty_segment: bool,
}

/// What separates segments to some server. A path without `\` and `%2F` has no other separator than `/`.
const SEPARATOR: &str = r"(?:[/\\]|%2F)";

/// Returns the pattern of the texts beginning with `/` that the proxy refuses as decoded paths.
pub(super) fn pattern(lifted: &LiftedRefusals) -> String {
    let characters = [
        (lifted.nul, r"\x00"),
        (lifted.control_character, r"\x01-\x1f\x7f-\u{9f}"),
        (lifted.backslash, r"\\"),
        (lifted.semicolon, ";"),
    ];
    let refused: String = characters
        .into_iter()
        .filter_map(|(is_lifted, characters)| (!is_lifted).then_some(characters))
        .collect();
    let mut alternatives = Vec::new();
    if !refused.is_empty() {
        alternatives.push(format!(".*[{refused}].*"));
    }
    alternatives.extend(escapes(lifted));
    if !lifted.empty_segment {
        alternatives.push(format!(".*{SEPARATOR}(?:{SEPARATOR}|;).*"));
        // Only a final `/` is not followed by a segment.
        alternatives.push(r".*(?:\\|%2F)".to_owned());
    }
    if !lifted.dot_segment {
        alternatives.push(dot_segments());
    }
    if alternatives.is_empty() {
        // No text.
        return "[^\\x00-\\x{10FFFF}]".to_owned();
    }
    alternatives.join("|")
}

/// Escapes in a decoded path. With encoded slashes `%2F` is one, and `%2f` can only come from a second encoding.
fn escapes(lifted: &LiftedRefusals) -> Option<String> {
    const FOUR: &str = "[uU][0-9a-fA-F]{4}";
    match (lifted.encoded_slash, lifted.double_encoding) {
        (false, false) => Some(format!(".*%(?:[0-9a-fA-F]{{2}}|{FOUR}).*")),
        (true, false) => Some(format!(".*%(?:[013-9a-fA-F][0-9a-fA-F]|2[0-9a-eA-Ef]|{FOUR}).*")),
        (false, true) => None,
        (true, true) => Some(".*%2f.*".to_owned()),
    }
}

/// Paths with a segment that some server takes for `.` or `..`: also with look-alikes, and with blanks or invisible characters
/// around and between the dots. Servlet containers cut segments at `;` before they look at the dots.
fn dot_segments() -> String {
    let separators: String = [SLASHES, BACKSLASHES, SEMICOLONS].map(class).concat();
    let blank = format!(r"[\s{}]*", ranges(INVISIBLE));
    let (dot, double) = (format!("[.{}]", class(DOTS)), format!("[{}]", class(DOUBLE_DOTS)));
    let dots = format!("{blank}(?:{dot}{blank}(?:{dot}{blank})?|{double}{blank})");
    format!(".*{SEPARATOR}(?:[^;]*[{separators}])?{dots}(?:(?:{SEPARATOR}|[;{separators}]).*)?")
}

fn class(characters: &[char]) -> String {
    characters
        .iter()
        .map(|character| format!(r"\u{{{:x}}}", u32::from(*character)))
        .collect()
}

fn ranges(ranges: &[RangeInclusive<char>]) -> String {
    ranges
        .iter()
        .map(|range| {
            let (first, last) = (u32::from(*range.start()), u32::from(*range.end()));
            format!(r"\u{{{first:x}}}-\u{{{last:x}}}")
        })
        .collect()
}
