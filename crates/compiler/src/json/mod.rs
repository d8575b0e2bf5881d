//! The one reading of JSON bodies: a strict RFC 8259 reader that keeps only the nodes asked for.
//!
//! The policy is decided on this reading and the upstream acts on its own, so whatever servers are known to read in
//! more than one way is an error here: duplicate names, control characters in names, names that equal a wanted one but
//! for their case. The grammar is exactly RFC 8259's, with nothing beyond it: UTF-8 without a byte-order mark, no
//! comments, no trailing commas, no lone surrogates, nesting to [`MAX_DEPTH`].
//!
//! ```
//! use tokenward_compiler::json::{self, Path, Step};
//!
//! let labels = Path(vec![Step::Name("fields".into()), Step::Name("labels".into()), Step::Each]);
//! let mut wanted = json::Wanted::new();
//! let slot = wanted.node(&labels);
//!
//! let nodes = json::read(br#"{"fields": {"labels": ["a", "b"]}}"#, &wanted)?;
//! let texts: Vec<_> = nodes.node(slot).values.iter().map(|value| &*value.text).collect();
//! assert_eq!(texts, ["a", "b"]);
//! # Ok::<(), json::ReadError>(())
//! ```

pub(crate) mod fold;
mod names;
mod number;
mod path;
mod reader;
mod scan;
mod text;
mod wanted;

#[cfg(test)]
mod tests;

use std::borrow::Cow;

pub use fold::case_key;
pub use path::{Path, Step};
pub use wanted::{Slot, Wanted};

/// How many objects and arrays may stand within one another.
pub const MAX_DEPTH: usize = 128;

/// Reads a body, and keeps what is wanted of it.
///
/// The whole body is checked, also where nothing is wanted. An empty body is not JSON; a caller for whom it stands for
/// an empty object uses [`Nodes::empty_object`]. Time is linear in the body (for each place in it, also in the number
/// of names wanted there), and so is memory: at most one entry for each value wanted and for each name in the objects
/// that are open at one time.
///
/// # Errors
///
/// The first of the errors in the body, except that invalid UTF-8 comes before all others.
pub fn read<'b>(body: &'b [u8], wanted: &Wanted<'_>) -> Result<Nodes<'b>, ReadError> {
    let text = std::str::from_utf8(body).map_err(|error| ReadError::NotJson {
        offset: error.valid_up_to(),
        what: "invalid UTF-8",
    })?;
    reader::read(text, wanted)
}

/// The nodes that were wanted, as they stood in one body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nodes<'b>(Vec<Node<'b>>);

impl<'b> Nodes<'b> {
    /// What stood at the path for which [`Wanted`] gave this slot.
    ///
    /// A slot of some other `Wanted` gets a node on which every permit fails and which every forbid matches.
    #[must_use]
    pub fn node(&self, slot: Slot) -> &Node<'b> {
        self.0.get(slot.index()).unwrap_or(&UNKNOWN)
    }

    /// The reading of `{}`, which is what an absent or empty body stands for.
    #[must_use]
    pub fn empty_object(wanted: &Wanted<'_>) -> Nodes<'static> {
        reader::empty_object(wanted)
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

/// Why a body has no reading. Offsets are in bytes from its start; those of names are of their opening quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The body is not JSON as RFC 8259 has it, or nests deeper than [`MAX_DEPTH`].
    #[error("not JSON: {what} at byte {offset}")]
    NotJson {
        /// Where the reader stopped.
        offset: usize,
        /// What it met, as a phrase.
        what: &'static str,
    },
    /// An object has two members of one name, after unescaping.
    #[error("an object has two members of the name at byte {offset}")]
    DuplicateName {
        /// Where the second of the two names begins.
        offset: usize,
    },
    /// A name holds a control character (Unicode's category Cc), if escaped.
    #[error("a control character in the name at byte {offset}")]
    ControlInName {
        /// Where the name begins.
        offset: usize,
    },
    /// A name equals one that is wanted at its place but for its case.
    #[error("the name at byte {offset} is that of a constrained node in another case")]
    CaseVariant {
        /// Where the name begins.
        offset: usize,
    },
}
