//! The form of most lines: literals, `.*`, and runs of a few characters, held against a text without an automaton.
//!
//! A [`Glob`] is a sequence of atoms cut into blocks by `.*`. Within a block nothing is ever retried: each run's class
//! excludes the byte that follows it, so a run takes all it can. Between blocks, the leftmost end is the best: whatever
//! follows a `.*` in the rest can only profit. Patterns for which that would not hold have no glob and become
//! automata; [`Glob::from_hir`] is the one judge of it.

mod build;

/// A pattern as a sequence of atoms.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Glob {
    /// INVARIANT: see the module; two `Any` never stand side by side, nor two literals.
    atoms: Vec<Atom>,
}

/// One step of a glob.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Atom {
    /// These bytes.
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
    /// Whether the byte is in the set.
    #[must_use]
    pub const fn contains(self, byte: u8) -> bool {
        if byte < 128 {
            self.ascii >> byte & 1 == 1
        } else {
            self.others
        }
    }

    const fn is_disjoint(self, other: Self) -> bool {
        self.ascii & other.ascii == 0 && !(self.others && other.others)
    }
}

impl std::fmt::Debug for ByteSet {
    /// As a class: `[0-9]`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[")?;
        let mut byte = 0_u8;
        // `byte` stops at 128: `contains` is asked of ASCII alone.
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
    /// Its atoms, in order.
    #[must_use]
    pub fn atoms(&self) -> &[Atom] {
        &self.atoms
    }

    /// Whether the whole of `text` matches. No allocation; linear but for literals that recur behind a `.*`.
    #[must_use]
    pub fn matches(&self, text: &[u8]) -> bool {
        let mut blocks = self.atoms.split(|atom| *atom == Atom::Any);
        let Some(first) = blocks.next() else {
            return text.is_empty();
        };
        let mut blocks = blocks.peekable();
        let Some(mut rest) = (match blocks.peek() {
            None => return block(first, text, true).is_some_and(<[u8]>::is_empty),
            Some(_) => block(first, text, false),
        }) else {
            return false;
        };
        while let Some(atoms) = blocks.next() {
            if blocks.peek().is_none() {
                return last_block(atoms, rest);
            }
            match leftmost(atoms, rest) {
                Some(behind) => rest = behind,
                None => return false,
            }
        }
        true
    }
}

/// What is left of `text` behind a block that begins at its start. A run at the end of a block takes all it can if
/// `greedy`, else, before a `.*`, as little.
fn block<'t>(atoms: &[Atom], text: &'t [u8], greedy: bool) -> Option<&'t [u8]> {
    let mut rest = text;
    let mut atoms = atoms.iter().peekable();
    while let Some(atom) = atoms.next() {
        rest = match atom {
            Atom::Literal(literal) => rest.strip_prefix(literal.as_slice())?,
            Atom::Run { set, min, max } => {
                let (min, max) = (*min as usize, max.map_or(usize::MAX, |max| max as usize));
                let most = if greedy || atoms.peek().is_some() {
                    max
                } else {
                    min
                };
                let taken = rest
                    .iter()
                    .take(most)
                    .take_while(|byte| set.contains(**byte))
                    .count();
                if taken < min {
                    return None;
                }
                rest.get(taken..)?
            }
            Atom::Any => rest,
        };
    }
    Some(rest)
}

/// What is left behind the leftmost place at which the block stands.
fn leftmost<'t>(atoms: &[Atom], text: &'t [u8]) -> Option<&'t [u8]> {
    starts(atoms, text).find_map(|from| block(atoms, from, false))
}

/// Whether some end of the text is exactly the block.
fn last_block(atoms: &[Atom], text: &[u8]) -> bool {
    match atoms {
        [] => true,
        [Atom::Literal(literal)] => text.ends_with(literal),
        _ => starts(atoms, text).any(|from| block(atoms, from, true).is_some_and(<[u8]>::is_empty)),
    }
}

/// Where a block can begin: at each occurrence of its first literal, else anywhere.
fn starts<'t>(atoms: &[Atom], text: &'t [u8]) -> impl Iterator<Item = &'t [u8]> {
    let literal: &[u8] = match atoms.first() {
        Some(Atom::Literal(literal)) => literal,
        _ => &[],
    };
    let mut from = 0;
    std::iter::from_fn(move || {
        let at = from + memchr::memmem::find(text.get(from..)?, literal)?;
        from = at + 1;
        text.get(at..)
    })
}
