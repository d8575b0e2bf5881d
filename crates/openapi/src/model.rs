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
    /// Operations, or calls of operations, are missing from the description because of it. Otherwise, the description has at least
    /// the calls that the document means.
    pub is_loss: bool,
}

impl Defect {
    /// Whether the mistake may concern an operation: it is at the operation's place, around it, or at one that many share.
    pub fn may_concern(&self, operation: &Operation) -> bool {
        let (own, other) = (self.pointer.as_str(), operation.pointer.as_str());
        let is_below = |below: &str, above: &str| {
            below
                .strip_prefix(above)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        !is_below(own, "/paths") || is_below(other, own) || is_below(own, other)
    }
}

impl Description {
    /// The mistakes by which calls are missing.
    pub fn losses(&self) -> impl Iterator<Item = &Defect> {
        self.defects.iter().filter(|defect| defect.is_loss)
    }
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
