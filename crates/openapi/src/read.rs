//! A document's value as a description.

mod context;
mod document;
mod operations;
mod parameters;
mod schema;
mod servers;
pub(crate) mod template;

use crate::error::Error;
use crate::model::Description;
use crate::text;

/// Reads a description from the bytes of a document, JSON or YAML.
///
/// The time is in proportion to the size of the document: some 0.2 s for 12 MB. Nothing but the bytes is read: a reference to another
/// file is a defect.
///
/// # Errors
/// Nothing of the document can be used: it is not text, not JSON or YAML, not OpenAPI or Swagger, or too large (100 MiB, 4,000,000
/// values, or a nesting of 120 levels).
pub fn read(bytes: &[u8]) -> Result<Description, Error> {
    let text = text::read(bytes)?;
    let mut description = document::describe(&text.value, text.defects.clone())?;
    text.locate(&mut description.defects);
    Ok(description)
}
