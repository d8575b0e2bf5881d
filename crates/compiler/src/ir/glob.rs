//! The form of most lines: literals, `.*`, and runs of a few characters, held against a text without an automaton.
//!
//! A [`Glob`] is a sequence of atoms cut into blocks by `.*`. Within a block nothing is ever retried: each run's class
//! excludes the byte that follows it, so a run takes all it can. Between blocks, the leftmost end is the best: everything
//! that follows a `.*` can only profit from a longer rest. Patterns without this property have no glob and become
//! automata; [`Glob::from_hir`] is the one judge of it.

pub(super) mod build;

/// A pattern as a sequence of atoms.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Glob {
    /// INVARIANT: see the module; no two `Any` are adjacent, nor two literals.
    atoms: Vec<Atom>,
}

/// One step of a glob.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Atom {
    /// A literal text.
    Literal(Vec<u8>),
    /// Any bytes, any number.
    Any,
    /// From `min` to `max` bytes of a set; no `max`: any number.
    Run {
        /// The set.
        set: ByteSet,
        /// At least so many.
        min: u32,
        /// At most so many.
        max: Option<u32>,
    },
}

/// A set of ASCII characters, with or without all the others, whose bytes are 128 and above.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ByteSet {
    ascii: u128,
    others: bool,
}

impl ByteSet {
    /// `[0-9]`
    pub const DIGITS: Self = Self {
        ascii: 0x03FF << 48,
        others: false,
    };
    /// `[^/]`
    pub const ALL_BUT_SLASH: Self = Self {
        ascii: !(1 << b'/'),
        others: true,
    };

    /// The ASCII bits, lowest first, and a byte that is 1 if all others belong too.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 17] {
        let mut bytes = [0; 17];
        let ascii = self.ascii.to_le_bytes();
        let (head, last) = bytes.split_at_mut(16);
        head.copy_from_slice(&ascii);
        if let [last] = last {
            *last = self.others as u8;
        }
        bytes
    }

    /// The inverse of [`ByteSet::to_bytes`]; the characters above ASCII are in the set if the last byte is 1.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 17]) -> Self {
        let [ascii @ .., others] = bytes;
        Self {
            ascii: u128::from_le_bytes(ascii),
            others: others == 1,
        }
    }

    /// Whether the byte is in the set.
    #[must_use]
    pub const fn contains(self, byte: u8) -> bool {
        if byte < 128 {
            self.ascii >> byte & 1 == 1
        } else {
            self.others
        }
    }

    pub(super) const fn is_disjoint(self, other: Self) -> bool {
        self.ascii & other.ascii == 0 && !(self.others && other.others)
    }
}

impl std::fmt::Debug for ByteSet {
    /// As a class: `[0-9]`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[")?;
        let mut byte = 0_u8;
        // `byte` stops at 128: `contains` is asked only about ASCII.
        while byte < 128 {
            let start = byte;
            while byte < 128 && self.contains(byte) {
                byte += 1;
            }
            match byte - start {
                0 => {}
                1 => write!(f, "{}", start.escape_ascii())?,
                _ => write!(f, "{}-{}", start.escape_ascii(), (byte - 1).escape_ascii())?,
            }
            byte += 1;
        }
        f.write_str(if self.others { "…]" } else { "]" })
    }
}

impl Glob {
    /// The glob's atoms, in order.
    #[must_use]
    pub fn atoms(&self) -> &[Atom] {
        &self.atoms
    }
}
