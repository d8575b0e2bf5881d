//! What stood where a constraint looked, by its kind alone: for people who must learn why a request was denied, in places where
//! values must not be shown.

use std::fmt::{self, Display};

use crate::json::{Kind, Node};

/// The kind of what a constraint looked at. It holds no value, and no name that the request chose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// The body was not read.
    Unread,
    /// The parameter or node is absent.
    Nothing,
    /// The parameter has so many values.
    Parameters(usize),
    /// The node has these scalars.
    Scalars(Scalars),
    /// The node is an array without elements.
    EmptyArray,
    /// The node is, or has, an object.
    Object,
    /// A step of the path met a value of another kind.
    Misfit,
    /// An element of the array lacks the node.
    Lacking,
    /// There is a name that the line does not name.
    Others,
    /// Only names that the line names.
    NoOthers,
}

/// How many scalars of each type stand at a node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scalars {
    strings: usize,
    numbers: usize,
    booleans: usize,
    nulls: usize,
}

impl Found {
    /// The kind of what stands at a node of a body that was read.
    pub(super) fn at(node: &Node<'_>) -> Self {
        if node.misfit {
            Self::Misfit
        } else if node.lacking {
            Self::Lacking
        } else if node.object {
            Self::Object
        } else if !node.values.is_empty() {
            let count = |kind| node.values.iter().filter(|value| value.kind == kind).count();
            Self::Scalars(Scalars {
                strings: count(Kind::String),
                numbers: count(Kind::Number),
                booleans: count(Kind::Boolean),
                nulls: count(Kind::Null),
            })
        } else if node.found {
            Self::EmptyArray
        } else {
            Self::Nothing
        }
    }

    /// The kind of what an `only` looked at.
    pub(super) fn others(held: bool) -> Self {
        if held { Self::NoOthers } else { Self::Others }
    }
}

impl Display for Found {
    /// Writes a noun phrase, such as `a string` or `2 values`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unread => f.write_str("a body that was not read"),
            Self::Nothing => f.write_str("nothing"),
            Self::Parameters(0) => f.write_str("nothing"),
            Self::Parameters(1) => f.write_str("a value"),
            Self::Parameters(count) => write!(f, "{count} values"),
            Self::Scalars(scalars) => scalars.fmt(f),
            Self::EmptyArray => f.write_str("an array without elements"),
            Self::Object => f.write_str("an object"),
            Self::Misfit => f.write_str("a value of another kind on the way"),
            Self::Lacking => f.write_str("an element without it"),
            Self::Others => f.write_str("a name that the line does not have"),
            Self::NoOthers => f.write_str("only names that the line has"),
        }
    }
}

impl Display for Scalars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = [
            (self.strings, "string"),
            (self.numbers, "number"),
            (self.booleans, "boolean"),
            (self.nulls, "null"),
        ];
        let phrases = all.into_iter().filter(|(count, _)| *count > 0);
        let phrases = phrases.map(|(count, name)| match (count, name) {
            (1, "null") => "null".to_owned(),
            (1, name) => format!("a {name}"),
            (count, name) => format!("{count} {name}s"),
        });
        f.write_str(&phrases.collect::<Vec<_>>().join(" and "))
    }
}
