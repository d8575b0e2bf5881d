//! Paths with parameters.

use std::fmt;

/// The path of an operation below its base: `/note/{id}.json`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Template {
    /// The segments: the parts after each slash. The last one is empty if the path ends with a slash, and `/` has one empty
    /// segment.
    pub segments: Vec<Segment>,
    /// The query that the document writes into the path, without the `?`. Calls of the operation carry it.
    pub query: Option<String>,
}

/// The part of a path between two slashes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Segment {
    /// Literal texts and parameters, in their order. Two literals are never neighbours.
    pub pieces: Vec<Piece>,
}

/// A part of a segment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Piece {
    /// A text as it stands in the request, percent-encoded where the document encodes it.
    Literal(String),
    /// The name of a parameter.
    Parameter(String),
}

impl Template {
    /// The names of the parameters, in their order; a name may occur twice.
    pub fn parameters(&self) -> impl Iterator<Item = &str> {
        self.segments
            .iter()
            .flat_map(|segment| &segment.pieces)
            .filter_map(|piece| match piece {
                Piece::Parameter(name) => Some(name.as_str()),
                Piece::Literal(_) => None,
            })
    }

    /// The path with `{}` for each parameter. Two templates of one form have the same requests, whatever their parameters are
    /// called.
    pub fn form(&self) -> String {
        self.shown(|_| "{}".to_owned())
    }

    fn shown(&self, parameter: impl Fn(&str) -> String) -> String {
        let mut out = String::new();
        for segment in &self.segments {
            out.push('/');
            for piece in &segment.pieces {
                match piece {
                    Piece::Literal(text) => out.push_str(text),
                    Piece::Parameter(name) => out.push_str(&parameter(name)),
                }
            }
        }
        if let Some(query) = &self.query {
            out.push('?');
            out.push_str(query);
        }
        out
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown(|name| format!("{{{name}}}")))
    }
}
