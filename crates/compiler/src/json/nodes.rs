//! What a reading of a body found: nodes, their values and types.

use std::borrow::Cow;

use super::wanted::Slot;

/// The nodes that were wanted, as they stood in one body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nodes<'b>(pub(super) Vec<Node<'b>>);

impl<'b> Nodes<'b> {
    /// What stood at the path for which [`Wanted`] gave this slot.
    ///
    /// A slot of some other `Wanted` gets a node on which every permit fails and which every forbid matches.
    #[must_use]
    pub fn node(&self, slot: Slot) -> &Node<'b> {
        self.0.get(slot.index()).unwrap_or(&UNKNOWN)
    }
}

/// What stood at one path.
///
/// Under `[*]` a path leads to several places, so more than one of the flags can be set. None is set when an array on
/// the way was empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Node<'b> {
    /// The scalars there, in order; an array stands for its elements, nested arrays too.
    pub values: Vec<Scalar<'b>>,
    /// The node was there at least once, if only as an empty array. For members: an object was.
    pub found: bool,
    /// At least once an object lacked the node, or lacked a step on the way to it.
    pub missing: bool,
    /// At least once an element under `[*]` lacked the node, or a step on the way to it; then `missing` is set too.
    pub lacking: bool,
    /// An object stood at the node, or within an array at the node. For members, the same as `found`.
    pub object: bool,
    /// The root is not an object, or a step met the wrong kind: a name on what is not an object, `[*]` on what is not
    /// an array. For members, also: what stood there was not an object.
    pub misfit: bool,
    /// For members: the names in the object or objects there, in order. Otherwise empty.
    pub members: Vec<Cow<'b, str>>,
}

// Flags under which no reading of a line permits.
static UNKNOWN: Node<'static> = Node {
    values: Vec::new(),
    found: false,
    missing: false,
    lacking: false,
    object: true,
    misfit: true,
    members: Vec::new(),
};

/// A value that is neither an object nor an array.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scalar<'b> {
    /// Its type.
    pub kind: Kind,
    /// A string's text, unescaped; a number's digits as sent; `true`, `false` or `null`.
    pub text: Cow<'b, str>,
    /// For numbers, whether no other text stands for the same number: shortest plain decimals, such as `100`, not
    /// `1e2`, `100.0` or `-0`, and with a fraction no more digits than a double keeps apart. True of all others.
    pub plain: bool,
}

/// The type of a scalar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A string.
    String,
    /// A number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// `null`.
    Null,
}

impl Kind {
    /// The name that lines give it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Null => "null",
        }
    }
}
