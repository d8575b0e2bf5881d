//! Texts and places of a document as messages have them.

/// The start of a text of a document, for a message: at most so many characters, without line breaks or other control characters.
pub(crate) fn shortened(text: &str, most: usize) -> String {
    let mut out: String = text
        .chars()
        .take(most)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if text.chars().nth(most).is_some() {
        out.push_str("...");
    }
    out
}

/// A JSON pointer with one more name.
pub(crate) fn below(pointer: &str, name: &str) -> String {
    format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"))
}
