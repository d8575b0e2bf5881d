//! Reasons for which nothing of a document can be used.

use thiserror::Error as ThisError;

/// The reason for which a document cannot be used at all.
///
/// Its text is one sentence without the name of the file, which the caller puts in front.
#[derive(Debug, Clone, PartialEq, Eq, ThisError)]
pub enum Error {
    /// The document is not text.
    #[error("the document is not UTF-8 text; save it as UTF-8")]
    NotUtf8,
    /// The document is compressed.
    #[error("the document is compressed; unpack it first")]
    Compressed,
    /// The document has no content.
    #[error("the document is empty; give an OpenAPI or Swagger document")]
    Empty,
    /// The document breaks the rules of JSON or YAML.
    #[error("line {line}, column {column}: not valid {format}: {detail}; correct the document")]
    Syntax {
        /// JSON or YAML.
        format: &'static str,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// The parser's own words.
        detail: String,
    },
    /// The document is larger, deeper or has more values than is read.
    #[error(
        "the document has more than {limit} {unit}; split it, or leave out its parts that are not operations"
    )]
    TooLarge {
        /// The limit that is exceeded.
        limit: usize,
        /// The counted thing, in the plural.
        unit: &'static str,
    },
    /// The document is JSON or YAML and neither OpenAPI nor Swagger.
    #[error("this is not an OpenAPI or Swagger document: {found}")]
    NotDescription {
        /// The document's nature as far as it was recognised, with the cure.
        found: String,
    },
}
