//! The results of reading a body: nodes, their values and types.

use std::borrow::Cow;

use super::wanted::Slot;

/// The nodes that were wanted, as they stood in one body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nodes<'b>(pub(super) Vec<Node<'b>>);

impl<'b> Nodes<'b> {
    /// The node at the path that this slot of [`Wanted`](super::Wanted) stands for.
    ///
    /// A slot of some other `Wanted` gets a node on which every permit fails and which every forbid matches.
    #[must_use]
    pub fn node(&self, slot: Slot) -> &Node<'b> {
        self.0.get(slot.index()).unwrap_or(&UNKNOWN)
    }
}

/// What stood at one path.
///
/// Under `[*]` a path leads to several places, so several flags can be set. No flag is set if an array on
/// the way was empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Node<'b> {
    /// The scalars there, in order; an array counts as its elements, nested arrays too.
    pub values: Vec<Scalar<'b>>,
    /// The node was there at least once, if only as an empty array. For members: an object was.
    pub found: bool,
    /// At least once an object lacked the node, or lacked a step on the way to it.
    pub missing: bool,
    /// At least once an element under `[*]` lacked the node, or a step on the way to it; then `missing` is set too.
    pub lacking: bool,
    /// An object stood at the node, or within an array at the node. For members, the same as `found`.
    pub object: bool,
    /// A step met the wrong kind: a name on a value that is not an object, `[*]` on one that is not an array. For members, also: the value there was not an object.
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
    /// The scalar's type.
    pub kind: Kind,
    /// A string's text, unescaped; a number's digits as sent; `true`, `false` or `null`.
    pub text: Cow<'b, str>,
    /// For numbers, whether the text is the only one for the number: shortest plain decimals, such as `100`, not
    /// `1e2`, `100.0` or `-0`, and with a fraction no more digits than a double distinguishes. True of all others.
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

/// The types that a line lists for the values of a node: at least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Kinds(u8);

impl Kinds {
    /// Every type, in the order in which lists are shown.
    const ORDER: [Kind; 4] = [Kind::String, Kind::Number, Kind::Boolean, Kind::Null];

    /// Only this type.
    #[must_use]
    pub fn only(kind: Kind) -> Self {
        Self(bit(kind))
    }

    /// The list with one more type; `None` if it has it already.
    #[must_use]
    pub fn with(self, kind: Kind) -> Option<Self> {
        (!self.has(kind)).then_some(Self(self.0 | bit(kind)))
    }

    /// Whether the type is in the list.
    #[must_use]
    pub fn has(self, kind: Kind) -> bool {
        self.0 & bit(kind) != 0
    }

    /// Whether a `null` holds without a match: it is one of several types in the list.
    #[must_use]
    pub fn accepts_null(self) -> bool {
        self.has(Kind::Null) && self.0.count_ones() > 1
    }

    /// The types, in one fixed order.
    pub fn iter(self) -> impl Iterator<Item = Kind> {
        Self::ORDER.into_iter().filter(move |kind| self.has(*kind))
    }

    /// A bit for each type; never 0.
    #[must_use]
    pub fn bits(self) -> u8 {
        self.0
    }

    /// The inverse of [`Kinds::bits`]; `None` for 0 and for unknown bits.
    #[must_use]
    pub fn from_bits(bits: u8) -> Option<Self> {
        (1..16).contains(&bits).then_some(Self(bits))
    }
}

fn bit(kind: Kind) -> u8 {
    match kind {
        Kind::String => 1,
        Kind::Number => 2,
        Kind::Boolean => 4,
        Kind::Null => 8,
    }
}

/// Shows the list as a line has it: `string|null`.
impl std::fmt::Display for Kinds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (at, kind) in self.iter().enumerate() {
            write!(f, "{}{}", if at == 0 { "" } else { "|" }, kind.as_str())?;
        }
        Ok(())
    }
}
