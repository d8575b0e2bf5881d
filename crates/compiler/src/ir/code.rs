//! Globs as code: a few bytes, consecutive for all lines of a token, so that trying a line reads no memory but the line's
//! own.
//!
//! | operation | bytes |
//! | --- | --- |
//! | literal | `1`, length (u16 LE), the bytes |
//! | any | `2`, bytes of code up to the next any or the end (u16 LE) |
//! | run of a set | `3`, the set (16 bytes LE, 1 for all that is not ASCII), min, max (255: no limit) |
//! | run of digits | `4`, min, max |
//! | run of all but `/` | `5`, min, max |
//!
//! A pattern of several alternative globs is each of them after `6` and its length (u16 LE).

mod operation;
mod shape;

use std::{ops::Range, sync::Arc};

use self::operation::{ALTERNATIVE, ANY, DIGITS, LITERAL, Operation, RUN, Run, SEGMENT, UNLIMITED};
use super::glob::{Atom, ByteSet, Glob};

/// The code of a pattern: of one glob, or of several alternative ones. Codes that were read together are parts of
/// the same bytes.
#[derive(Clone)]
pub struct Code {
    bytes: Arc<[u8]>,
    start: u32,
    end: u32,
}

impl std::fmt::Debug for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Code({})", self.as_bytes().escape_ascii())
    }
}

impl PartialEq for Code {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for Code {}

impl std::hash::Hash for Code {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

impl Code {
    /// The code of one or more globs; `None` for literals or counts beyond the format's limits.
    #[must_use]
    pub fn new(globs: &[Glob]) -> Option<Self> {
        let mut bytes = Vec::new();
        match globs {
            [] => return None,
            [glob] => encode(glob, &mut bytes)?,
            several => {
                for glob in several {
                    let mut code = Vec::new();
                    encode(glob, &mut code)?;
                    bytes.push(ALTERNATIVE);
                    bytes.extend(u16::try_from(code.len()).ok()?.to_le_bytes());
                    bytes.extend(code);
                }
            }
        }
        let bytes: Arc<[u8]> = bytes.into();
        Self::part(&bytes, 0..bytes.len())
    }

    /// The globs of this code.
    #[must_use]
    pub fn globs(&self) -> Option<Vec<Glob>> {
        alternatives(self.as_bytes()).map(decode).collect()
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes
            .get(self.start as usize..self.end as usize)
            .unwrap_or_default()
    }

    /// The code of these bytes, if they are what [`Code::new`] makes of a glob.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Self::within(&bytes.into(), 0..bytes.len())
    }

    /// The code of a part of these bytes, if it is what [`Code::new`] makes of a glob. Copies nothing.
    #[must_use]
    pub(crate) fn within(bytes: &Arc<[u8]>, part: Range<usize>) -> Option<Self> {
        let code = Self::part(bytes, part)?;
        shape::is_code(code.as_bytes()).then_some(code)
    }

    fn part(bytes: &Arc<[u8]>, part: Range<usize>) -> Option<Self> {
        bytes.get(part.clone())?;
        Some(Self {
            bytes: Arc::clone(bytes),
            start: u32::try_from(part.start).ok()?,
            end: u32::try_from(part.end).ok()?,
        })
    }

    /// The code of the texts that may follow `prefix` in a match, if it can be found without decoding: a pattern that begins with
    /// `.*` and a literal is its own remainder if no end of the prefix begins the literal or contains it.
    pub(super) fn after(&self, prefix: &[u8]) -> Option<Self> {
        let Beginning::Floating(literal) = beginning(self.as_bytes())? else {
            return None;
        };
        super::glob::build::ends(prefix)
            .all(|end| !end.starts_with(literal) && !literal.starts_with(end))
            .then(|| self.clone())
    }
}

fn encode(glob: &Glob, bytes: &mut Vec<u8>) -> Option<()> {
    let mut blocks = glob.atoms().split(|atom| *atom == Atom::Any);
    bytes.extend(encode_block(blocks.next()?)?);
    for block in blocks {
        let block = encode_block(block)?;
        bytes.push(ANY);
        bytes.extend(u16::try_from(block.len()).ok()?.to_le_bytes());
        bytes.extend(block);
    }
    Some(())
}

fn decode(mut code: &[u8]) -> Option<Glob> {
    let mut atoms = Vec::new();
    while !code.is_empty() {
        let (operation, rest) = Operation::split(code)?;
        atoms.push(match operation {
            Operation::Literal(literal) => Atom::Literal(literal.to_vec()),
            Operation::Any(_) => Atom::Any,
            Operation::Run(run) => Atom::Run {
                set: run.set,
                min: u32::from(run.min),
                max: (run.max != UNLIMITED).then_some(u32::from(run.max)),
            },
        });
        code = rest;
    }
    Glob::from_atoms(atoms)
}

fn encode_block(atoms: &[Atom]) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    for atom in atoms {
        match atom {
            Atom::Literal(literal) => {
                bytes.push(LITERAL);
                bytes.extend(u16::try_from(literal.len()).ok()?.to_le_bytes());
                bytes.extend(literal);
            }
            Atom::Run { set, min, max } => {
                if *set == ByteSet::DIGITS {
                    bytes.push(DIGITS);
                } else if *set == ByteSet::ALL_BUT_SLASH {
                    bytes.push(SEGMENT);
                } else {
                    bytes.push(RUN);
                    bytes.extend(set.to_bytes());
                }
                bytes.push(u8::try_from(*min).ok().filter(|min| *min < UNLIMITED)?);
                bytes.push(match max {
                    None => UNLIMITED,
                    Some(max) => u8::try_from(*max).ok().filter(|max| *max < UNLIMITED)?,
                });
            }
            Atom::Any => {}
        }
    }
    Some(bytes)
}

/// The codes of the alternative globs. Damaged code is a code of its own, and matches nothing.
pub(super) fn alternatives(code: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(code);
    std::iter::from_fn(move || {
        let code = rest.take()?;
        let [ALTERNATIVE, low, high, behind @ ..] = code else {
            return Some(code);
        };
        let (code, behind) = behind.split_at_checked(usize::from(u16::from_le_bytes([*low, *high])))?;
        rest = (!behind.is_empty()).then_some(behind);
        Some(code)
    })
}

/// Whether the whole of `text` matches the pattern of this code. No allocation, no retries within a block; linear except
/// for literals that recur after a `.*`. Bytes that are not code match nothing.
#[must_use]
#[inline]
pub(super) fn matches(code: &[u8], text: &[u8]) -> bool {
    if code.first() == Some(&ALTERNATIVE) {
        alternatives(code).any(|code| matches_glob(code, text))
    } else {
        matches_glob(code, text)
    }
}

#[inline]
fn matches_glob(code: &[u8], text: &[u8]) -> bool {
    let (mut code, mut text) = (code, text);
    loop {
        match Operation::split(code) {
            None => return code.is_empty() && text.is_empty(),
            Some((Operation::Any(block), behind)) => {
                let after = behind.get(block.len()..).unwrap_or_default();
                if after.is_empty() {
                    return ends_with(block, text);
                }
                let Some(rest) = leftmost(block, text) else {
                    return false;
                };
                (code, text) = (after, rest);
            }
            Some((operation, behind)) => match step(&operation, behind, text) {
                Some(rest) => (code, text) = (behind, rest),
                None => return false,
            },
        }
    }
}

/// The rest of `text` after one operation. A run before an any takes as few bytes as it may.
#[inline]
fn step<'t>(operation: &Operation<'_>, behind: &[u8], text: &'t [u8]) -> Option<&'t [u8]> {
    match operation {
        Operation::Literal(literal) => text.strip_prefix(*literal),
        Operation::Run(Run { set, min, max }) => {
            let most = match *max {
                _ if behind.first() == Some(&ANY) => usize::from(*min),
                UNLIMITED => usize::MAX,
                max => usize::from(max),
            };
            let taken = text
                .iter()
                .take(most)
                .take_while(|byte| set.contains(**byte))
                .count();
            if taken < usize::from(*min) {
                None
            } else {
                text.get(taken..)
            }
        }
        Operation::Any(_) => None,
    }
}

/// The rest of `text` after a block at its start. `before_any`: an any follows, so a run at the end takes few bytes.
fn block<'t>(code: &[u8], text: &'t [u8], before_any: bool) -> Option<&'t [u8]> {
    let (mut code, mut text) = (code, text);
    while let Some((operation, behind)) = Operation::split(code) {
        let next: &[u8] = if behind.is_empty() && before_any {
            &[ANY]
        } else {
            behind
        };
        text = step(&operation, next, text)?;
        code = behind;
    }
    Some(text)
}

/// The rest of the text after the leftmost match of the block.
fn leftmost<'t>(code: &[u8], text: &'t [u8]) -> Option<&'t [u8]> {
    starts(code, text).find_map(|from| block(code, from, true))
}

/// Whether some end of the text is exactly the block.
fn ends_with(code: &[u8], text: &[u8]) -> bool {
    match Operation::split(code) {
        None => true,
        Some((Operation::Literal(literal), [])) => text.ends_with(literal),
        Some(_) => starts(code, text).any(|from| block(code, from, false).is_some_and(<[u8]>::is_empty)),
    }
}

/// Positions at which a block after an any can begin: each occurrence of its first literal.
fn starts<'t>(code: &[u8], text: &'t [u8]) -> impl Iterator<Item = &'t [u8]> {
    let literal = match Operation::split(code) {
        Some((Operation::Literal(literal), _)) => literal,
        _ => &[],
    };
    let mut from = Some(0);
    std::iter::from_fn(move || {
        let rest = text.get(from?..)?;
        // The literal is usually at the start: the base URL has been removed, and a search costs more than a comparison.
        let at = if rest.starts_with(literal) {
            from?
        } else {
            from? + find(rest, literal)?
        };
        from = Some(at + 1);
        text.get(at..)
    })
}

/// The first place of a literal. In a short text it is found by its last byte before a search for all of it would have
/// begun; in a longer one that could take the square of its length.
fn find(text: &[u8], literal: &[u8]) -> Option<usize> {
    const SHORT: usize = 128;
    if text.len() > SHORT {
        return memchr::memmem::find(text, literal);
    }
    let (last, before) = literal.split_last()?;
    let ends = text.get(before.len()..)?;
    memchr::memchr_iter(*last, ends).find(|at| text.get(*at..).is_some_and(|rest| rest.starts_with(before)))
}

/// The bytes that every match of a code begins with, as far as its first operations determine them.
pub(super) enum Beginning<'c> {
    /// The code matches only this text.
    Whole(&'c [u8]),
    /// Every match begins with this text.
    Anchored(&'c [u8]),
    /// Every match contains this text after any beginning.
    Floating(&'c [u8]),
}

pub(super) fn beginning(code: &[u8]) -> Option<Beginning<'_>> {
    match Operation::split(code)? {
        (Operation::Literal(literal), []) => Some(Beginning::Whole(literal)),
        (Operation::Literal(literal), _) => Some(Beginning::Anchored(literal)),
        (Operation::Any(block), _) => match Operation::split(block)? {
            (Operation::Literal(literal), _) => Some(Beginning::Floating(literal)),
            _ => None,
        },
        (Operation::Run(_), _) => None,
    }
}

/// The literal that the matches of the code's first alternative begin with, or have after any beginning.
pub(crate) fn first_literal(code: &[u8]) -> Option<&[u8]> {
    match beginning(alternatives(code).next()?)? {
        Beginning::Whole(literal) | Beginning::Anchored(literal) | Beginning::Floating(literal) => {
            Some(literal)
        }
    }
}

/// The number of bytes with which both texts begin.
pub(crate) fn alike(one: &[u8], other: &[u8]) -> usize {
    const WORD: usize = 8;
    let (words, others) = (one.as_chunks::<WORD>().0, other.as_chunks::<WORD>().0);
    let words = words.iter().zip(others).take_while(|(one, other)| one == other);
    let begun = words.count() * WORD;
    let pairs = one.iter().skip(begun).zip(other.iter().skip(begun));
    begun + pairs.take_while(|(one, other)| one == other).count()
}

/// The code of all texts that begin with a literal; `None` for an empty or a very long one.
pub(super) fn anything_behind(literal: &[u8]) -> Option<Code> {
    let glob = Glob::from_atoms(vec![Atom::Literal(literal.to_vec()), Atom::Any])?;
    Code::new(&[glob]).filter(|_| !literal.is_empty())
}
