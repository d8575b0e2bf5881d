//! Operations as the analysis sees them.

use crate::method::Method;

/// One operation of a description: a method, and a template of paths below the public URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// The name that the description gives it, such as `deleteIssue`; may be empty.
    pub name: String,
    /// The method.
    pub method: Method,
    /// The template as it is shown, with its base: `/rest/api/2/issue/{issueIdOrKey}`.
    pub path: String,
    /// The paths below the public URL that the template may follow; an empty list of segments is the public URL itself.
    pub bases: Vec<Vec<Segment>>,
    /// The segments of the template. An empty last segment is a slash at the end.
    pub segments: Vec<Segment>,
}

impl Operation {
    /// The operation in words: `DELETE /rest/api/2/issue/{issueIdOrKey}`.
    #[must_use]
    pub fn call(&self) -> String {
        format!("{} {}", self.method.as_str(), self.path)
    }

    /// How many bytes of the template are not parameters.
    pub(super) fn fixed(&self) -> usize {
        let pieces = self.segments.iter().flat_map(|segment| &segment.0);
        let fixed = pieces.map(|piece| match piece {
            Piece::Literal(text) => text.len(),
            Piece::Parameter { .. } => 0,
        });
        fixed.sum()
    }
}

/// One segment of a template.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Segment(pub Vec<Piece>);

/// A part of a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// This text, decoded.
    Literal(String),
    /// A parameter.
    Parameter {
        /// Its name.
        name: String,
        /// Its values.
        values: Values,
        /// Values that the description gives as examples.
        examples: Vec<String>,
    },
}

/// The values that a parameter may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Values {
    /// Any text that fits into one segment.
    Any,
    /// Any text, with slashes.
    Path,
    /// One of these texts.
    OneOf(Vec<String>),
    /// Texts that a regular expression matches, as JSON Schema reads it: anywhere in the text unless `^` and `$` say otherwise.
    Pattern(String),
}
