//! The evidence for a decision, by which a past call can be judged again: the lines that were tried, and the values of the body
//! that their constraints read.

/// Whether a constraint or a line was met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Held {
    /// Not met.
    No,
    /// Met.
    Yes,
    /// Not known: the result depends on the body, which was not read.
    Unknown,
}

/// A policy line: its position, and a digest of its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineRef {
    /// Policy file, relative to the policy directory.
    pub file: String,
    /// Line number in that file, from 1.
    pub number: u32,
    /// First 16 hex digits of the sha-256 of the line's text.
    pub digest: String,
}

/// A [`LineRef`] whose texts are borrowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineText<'t> {
    /// Policy file, relative to the policy directory.
    pub file: &'t str,
    /// Line number in that file, from 1.
    pub number: u32,
    /// First 16 hex digits of the sha-256 of the line's text.
    pub digest: &'t str,
}

impl<'t> From<&'t LineRef> for LineText<'t> {
    fn from(line: &'t LineRef) -> Self {
        Self {
            file: &line.file,
            number: line.number,
            digest: &line.digest,
        }
    }
}

/// A policy line with constraints that was tried: its methods and its URL matched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// The line.
    pub line: LineRef,
    /// Whether the line is a forbid line; otherwise it is a permit line.
    pub forbids: bool,
    /// Whether the whole line matched. The body can keep a line from matching although all its constraints hold.
    pub held: Held,
    /// Constraints of the line, in an order that is the same for the same line.
    pub constraints: Vec<Constraint>,
}

/// What a denied call lacks: the line that came nearest, and the first of its conditions that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lacking {
    /// The line.
    pub line: LineRef,
    /// The condition: `url`, `method` with the methods of the line, `body`, or a constraint without its regexp.
    pub condition: String,
    /// The kind of what was there, such as `a string`; never a value.
    pub found: String,
}

/// One constraint of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Constraint {
    /// Text of the constraint without its regexp: `QueryParam::jql==`.
    pub text: String,
    /// Whether the constraint held.
    pub held: Held,
}

/// A value of the body that a constraint looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeValue {
    /// Path of the value in the body, as policies write it: `fields.labels[*]`.
    pub path: String,
    /// JSON type of the value.
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

/// The form in which a value is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    /// The text of the value.
    Text(String),
    /// A keyed hash of the value, as text. Whoever has the key can tell equal values from different ones.
    Hash(String),
    /// Only the fact that a value was present.
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
