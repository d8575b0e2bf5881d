//! Bytes of a document as a JSON value, within bounds.

mod json;
mod lines;
mod yaml;

use serde_json::Value;

use crate::error::Error;
use crate::model::Defect;

/// The largest document, in bytes. The largest known ones have some 13 MB, and 62 MB
/// if all references are replaced.
pub(crate) const LARGEST: usize = 100 << 20;

/// The largest number of values in a document; the largest known ones have some 260,000.
pub(crate) const MOST_VALUES: usize = 4_000_000;

/// The deepest nesting.
pub(crate) const DEEPEST: usize = 120;

/// A read text: its value, and the mistakes in the text itself.
pub(crate) struct Text<'t> {
    pub(crate) value: Value,
    pub(crate) defects: Vec<Defect>,
    text: &'t str,
}

impl Text<'_> {
    /// Adds the lines of the places to these defects, as far as they can be found.
    pub(crate) fn locate(&self, defects: &mut [Defect]) {
        lines::add(self.text, defects);
    }
}

/// Reads JSON or YAML. A text that begins with a brace or a bracket is JSON.
pub(crate) fn read(bytes: &[u8]) -> Result<Text<'_>, Error> {
    if bytes.starts_with(&[0x1f, 0x8b]) || bytes.starts_with(b"PK\x03\x04") {
        return Err(Error::Compressed);
    }
    if bytes.len() > LARGEST {
        return Err(Error::TooLarge {
            limit: LARGEST,
            unit: "bytes",
        });
    }
    let text = std::str::from_utf8(bytes).map_err(|_| Error::NotUtf8)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim().is_empty() {
        return Err(Error::Empty);
    }
    let (value, defects) = match text.trim_start().starts_with(['{', '[']) {
        true => json::read(text)?,
        false => yaml::read(text)?,
    };
    Ok(Text { value, defects, text })
}

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
