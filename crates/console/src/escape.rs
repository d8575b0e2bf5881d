//! Texts of others in pages: markup and hidden characters are shown, and long texts are cut.

use std::fmt::Write;

use icu_properties::props::{DefaultIgnorableCodePoint, GeneralCategory};
use icu_properties::{CodePointMapData, CodePointSetData};

/// Signs that fonts draw as nothing, although they are neither blanks nor ignorable.
const INKLESS: [char; 3] = ['\u{2800}', '\u{1d159}', '\u{fffc}'];

/// Whether nobody sees the character, or it changes how others are shown. The same set as the compiler's: a test compares them.
#[must_use]
pub fn is_hidden(character: char) -> bool {
    if character.is_ascii() {
        return character.is_ascii_control();
    }
    let category = CodePointMapData::<GeneralCategory>::new().get(character);
    matches!(
        category,
        GeneralCategory::Control
            | GeneralCategory::Format
            | GeneralCategory::LineSeparator
            | GeneralCategory::ParagraphSeparator
    ) || CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(character)
        || INKLESS.contains(&character)
}

/// Shows hidden characters as the command line does: `\u{202e}`.
#[must_use]
pub fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match is_hidden(character) {
            true => shown.extend(character.escape_default()),
            false => shown.push(character),
        }
    }
    shown
}

/// As [`visible`], with the ends of lines kept.
#[must_use]
pub fn visible_lines(text: &str) -> String {
    let lines: Vec<String> = text.split('\n').map(visible).collect();
    lines.join("\n")
}

/// Cuts a text after so many characters, and tells its length.
#[must_use]
pub fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some((at, _)) => {
            let length = crate::shown::grouped(text.chars().count());
            let kept = text.get(..at).unwrap_or_default();
            format!("{kept}… ({length} characters)")
        }
    }
}

/// Escapes a text for HTML, in elements and in quoted attributes.
#[must_use]
pub fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        put(character, &mut out);
    }
    out
}

/// Escapes one character for HTML.
pub(crate) fn put(character: char, out: &mut String) {
    match character {
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        '&' => out.push_str("&amp;"),
        '"' => out.push_str("&quot;"),
        '\'' => out.push_str("&#39;"),
        _ => out.push(character),
    }
}

/// Escapes the value of a form's field: the field gets exactly this text back, except NUL and other characters that HTML cannot
/// have.
#[must_use]
pub fn field(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            '\n' | '\t' => out.push(character),
            '\r' => out.push_str("&#13;"),
            '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' => out.push('\u{fffd}'),
            _ if is_hidden(character) => {
                // Writing to a text cannot fail.
                let _ = write!(out, "&#{};", u32::from(character));
            }
            _ => put(character, &mut out),
        }
    }
    out
}

/// Shows hidden characters of a whole page, except ends of lines: the last net under each value of a template.
pub(crate) fn page(html: String) -> String {
    match html
        .chars()
        .any(|character| character != '\n' && is_hidden(character))
    {
        false => html,
        true => visible_lines(&html),
    }
}

#[cfg(test)]
mod tests;
