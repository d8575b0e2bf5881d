//! Text of others in messages.

/// Escapes control characters, line ends among them: a file's name or a key must neither begin a line of its own, which CI
/// systems may take for a command, nor change the reader's terminal.
#[must_use]
pub fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() {
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
}
