//! Bytes of a document as a JSON value, within bounds.

mod json;
mod limits;
mod lines;
mod sections;
mod shown;
mod yaml;

use serde_json::Value;

pub(crate) use self::limits::LARGEST;
pub(crate) use self::shown::{below, shortened};
use crate::error::Error;
use crate::model::Defect;

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
