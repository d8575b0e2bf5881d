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

    /// The paths that the template follows; without bases, the public URL itself.
    pub(super) fn paths_before(&self) -> impl Iterator<Item = &[Segment]> {
        let none: Option<&[Segment]> = self.bases.is_empty().then_some(&[]);
        self.bases.iter().map(Vec::as_slice).chain(none)
    }
}

/// One segment of a template.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Segment(pub Vec<Piece>);

impl Segment {
    /// The text of a segment without parameters.
    pub(super) fn text(&self) -> Option<String> {
        let texts = self.0.iter().map(|piece| match piece {
            Piece::Literal(text) => Some(text.as_str()),
            Piece::Parameter { .. } => None,
        });
        texts.collect()
    }

    /// Whether a parameter of the segment may have slashes.
    pub(super) fn spans(&self) -> bool {
        let is_path = |piece: &Piece| {
            matches!(
                piece,
                Piece::Parameter {
                    values: Values::Path,
                    ..
                }
            )
        };
        self.0.iter().any(is_path)
    }
}

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
