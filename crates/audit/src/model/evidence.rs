//! What a decision looked at, so that a past call can be judged again: the lines that were tried, and the values of the
//! body that their constraints asked for.

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

/// Where a policy line stands, and which text it had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineRef {
    /// Policy file, relative to the policy directory.
    pub file: String,
    /// Line number in that file, from 1.
    pub number: u32,
    /// First 16 hex digits of the sha-256 of the line's text.
    pub digest: String,
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
