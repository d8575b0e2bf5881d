//! Text of others in messages.

use crate::hidden::is_hidden;

/// Escapes characters that nobody sees, and those that change how others are shown: line ends and other controls, bidirectional
/// and zero-width characters. A file's name or a key must neither begin a line of its own, which CI systems may take for a command,
/// nor change the reader's terminal, nor read like another text.
#[must_use]
pub fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if is_hidden(character) {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::visible;

    #[test]
    fn control_characters_are_escaped() {
        assert_eq!(
            visible("a\n::set-output\u{1b}[31m\u{9b}é.toml"),
            "a\\n::set-output\\u{1b}[31m\\u{9b}é.toml"
        );
    }

    #[test]
    fn text_that_reads_like_another_is_escaped() {
        assert_eq!(
            visible("a\u{202e}b\u{200b}c\u{2028}d"),
            "a\\u{202e}b\\u{200b}c\\u{2028}d"
        );
    }
}
