//! What a decision looked at, so that a past call can be judged again: the lines that were tried, and the values of the
//! body that their constraints asked for.

use crate::record::{LineRef, Record};

/// Whether something was met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Held {
    /// It was not.
    No,
    /// It was.
    Yes,
    /// Only the body could have told, and it was not read.
    Unknown,
}

/// A policy line with constraints that was tried: its methods and its URL matched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// The line.
    pub line: LineRef,
    /// Whether it forbids; else it permits.
    pub forbids: bool,
    /// Whether it matched as a whole. What the body is can keep a line from matching whose constraints all hold.
    pub held: Held,
    /// Its constraints, in an order that is the same for the same line.
    pub constraints: Vec<Constraint>,
}

/// One constraint of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Constraint {
    /// Its text without its regexp, which the line has: `QueryParam::jql==`.
    pub text: String,
    /// Whether it held.
    pub held: Held,
}

/// A value of the body that a constraint looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeValue {
    /// Where it stood, as policies write it: `fields.labels[*]`.
    pub path: String,
    /// Its JSON type.
    pub kind: NodeKind,
    /// The value, as far as it is kept.
    pub value: Kept,
}

/// The JSON type of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NodeKind {
    /// A string.
    String,
    /// A number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// `null`.
    Null,
}

/// What is kept of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    /// Its text.
    Text(String),
    /// The text of a keyed hash of it, which tells equal values from different ones to whoever has the key.
    Hash(String),
    /// That there was one.
    Dropped,
}

impl Held {
    /// Stable lower-case name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::No => "no",
            Self::Yes => "yes",
            Self::Unknown => "unknown",
        }
    }
}

impl NodeKind {
    /// JSON's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Null => "null",
        }
    }
}

impl Record {
    /// Bytes of the texts of what the decision looked at.
    pub(crate) fn judged_text_bytes(&self) -> usize {
        let nodes = self.nodes.iter().map(|node| match &node.value {
            Kept::Text(text) | Kept::Hash(text) => node.path.len() + text.len(),
            Kept::Dropped => node.path.len(),
        });
        let tried = self.tried.iter().map(|tried| {
            let constraints: usize = tried.constraints.iter().map(|c| c.text.len()).sum();
            tried.line.file.len() + tried.line.digest.len() + constraints
        });
        nodes.chain(tried).sum()
    }

    /// Bytes that it takes in memory beside the texts; more than its fields take when stored.
    pub(crate) fn judged_weight(&self) -> usize {
        let constraints: usize = self.tried.iter().map(|tried| tried.constraints.len()).sum();
        self.nodes.len() * size_of::<NodeValue>()
            + self.tried.len() * size_of::<Tried>()
            + constraints * size_of::<Constraint>()
    }
}
