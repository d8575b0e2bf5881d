//! The description of an API, as far as calls are concerned.

mod operation;
mod shape;
mod template;

pub use operation::{Body, Location, Operation, Parameter, Property};
pub use shape::{Kind, Shape};
pub use template::{Piece, Segment, Template};

/// The dialect of a document, with the version that it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dialect {
    /// OpenAPI 3; the text is the value of `openapi`, such as `3.0.3`.
    OpenApi(String),
    /// Swagger 2.
    Swagger,
}

/// One read document.
#[derive(Debug, Clone, PartialEq)]
pub struct Description {
    /// The API's name (`info.title`), or an empty text.
    pub title: String,
    /// The API's own version (`info.version`), or an empty text.
    pub version: String,
    /// The dialect of the document.
    pub dialect: Dialect,
    /// The hosts of the document's servers, in their order, without those that a variable leaves open.
    pub hosts: Vec<String>,
    /// The operations, sorted by path and method.
    pub operations: Vec<Operation>,
    /// Mistakes in the document, in its order. Each is a warning: the rest of the document was read.
    pub defects: Vec<Defect>,
}

/// A mistake in a document, and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Defect {
    /// The place as a JSON pointer, such as `/paths/~1note~1{id}/get`.
    pub pointer: String,
    /// The line of the place, from 1, if the reader knows it.
    pub line: Option<usize>,
    /// The mistake and its consequence: one sentence in lower case, without a full stop.
    pub message: String,
}

impl std::fmt::Display for Defect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}, ")?;
        }
        let pointer = if self.pointer.is_empty() {
            "/"
        } else {
            &self.pointer
        };
        write!(f, "{pointer}: {}", self.message)
    }
}
