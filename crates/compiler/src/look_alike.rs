//! Characters that some servers read as dots and separators of a path, or drop from it.
//!
//! The proxy refuses segments that such characters make `.` or `..`, and the analysis leaves those paths out. Both use this
//! definition.

use std::ops::RangeInclusive;

/// Characters that some servers read as `.`.
pub const DOTS: &[char] = &['\u{2024}', '\u{fe52}', '\u{ff0e}'];
/// Characters that some servers read as `..`.
pub const DOUBLE_DOTS: &[char] = &['\u{2025}'];
/// Characters that some servers read as `/`.
pub const SLASHES: &[char] = &['\u{2044}', '\u{2215}', '\u{ff0f}'];
/// Characters that some servers read as `\`.
pub const BACKSLASHES: &[char] = &['\u{2216}', '\u{fe68}', '\u{ff3c}'];
/// Characters that some servers read as `;`.
pub const SEMICOLONS: &[char] = &['\u{37e}', '\u{fe54}', '\u{ff1b}'];
/// Invisible characters, which some servers drop.
pub const INVISIBLE: &[RangeInclusive<char>] = &[
    '\u{ad}'..='\u{ad}',
    '\u{180e}'..='\u{180e}',
    '\u{200b}'..='\u{200f}',
    '\u{202a}'..='\u{202e}',
    '\u{2060}'..='\u{206f}',
    '\u{fe00}'..='\u{fe0f}',
    '\u{feff}'..='\u{feff}',
];

/// Returns the text that some server reads in place of a character; `None` if every server reads the character itself.
#[must_use]
pub fn read_as(character: char) -> Option<&'static str> {
    let kinds = [
        (DOTS, "."),
        (DOUBLE_DOTS, ".."),
        (SLASHES, "/"),
        (BACKSLASHES, "\\"),
        (SEMICOLONS, ";"),
    ];
    let known = kinds
        .into_iter()
        .find(|(characters, _)| characters.contains(&character));
    let is_invisible = || INVISIBLE.iter().any(|range| range.contains(&character));
    known
        .map(|(_, text)| text)
        .or_else(|| is_invisible().then_some(""))
}
