//! The patterns of a program as state machines over bytes, as simply as possible. A glob is in several states at once: in those of
//! its positions at which a text may go on. That a text is UTF-8 is a pattern too.

use super::super::{Atom, Automaton, ByteSet, Glob, Matcher};

/// A glob or an automaton of a matcher, or UTF-8, whose states after a text can be followed byte by byte.
pub enum Pattern<'p> {
    /// All that is UTF-8. There is no state after bytes that are not.
    Utf8,
    /// An automaton, which is in one state.
    Automaton(&'p Automaton),
    /// The positions of a glob.
    Glob(Vec<Position>),
}

/// A place in a glob.
pub struct Position {
    /// The bytes that it takes.
    takes: Takes,
    /// Whether a text may lack it.
    may_lack: bool,
    /// Whether a text may repeat it.
    repeats: bool,
}

/// The bytes that a position takes. All: it is a `.*`.
enum Takes {
    Byte(u8),
    Of(ByteSet),
    All,
}

impl Takes {
    fn has(&self, byte: u8) -> bool {
        match self {
            Self::Byte(own) => *own == byte,
            Self::Of(set) => set.contains(byte),
            Self::All => true,
        }
    }
}

impl Matcher {
    /// The number of patterns: a text matches if it matches one of them. `Err`: the answer for every text.
    ///
    /// # Errors
    /// Every text gets the same answer.
    pub fn patterns(&self) -> Result<usize, bool> {
        match self {
            Self::Nothing => Err(false),
            Self::Everything => Err(true),
            Self::Automaton(_) => Ok(1),
            Self::Glob(code) => Ok(code.globs().unwrap_or_default().len()),
        }
    }

    /// One of the patterns.
    #[must_use]
    pub fn pattern(&self, number: usize) -> Option<Pattern<'_>> {
        match self {
            Self::Nothing | Self::Everything => None,
            Self::Automaton(automaton) => (number == 0).then_some(Pattern::Automaton(automaton)),
            Self::Glob(code) => {
                let glob: Glob = code.globs()?.into_iter().nth(number)?;
                Some(Pattern::Glob(glob.atoms().iter().flat_map(positions).collect()))
            }
        }
    }

    /// Whether two matchers are built alike, so that the same texts match.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Glob(one), Self::Glob(other)) => one == other,
            (Self::Automaton(one), Self::Automaton(other)) => one.is(other),
            _ => matches!((self.patterns(), other.patterns()), (Err(one), Err(other)) if one == other),
        }
    }
}

/// The states of UTF-8.
const UTF8: [u32; 8] = [0, 1, 2, 3, 4, 5, 6, 7];

/// Valid UTF-8 (Unicode, table 3-7): the state after one more byte; 0 where a character has ended.
fn utf8(state: u32, byte: u8) -> Option<u32> {
    match (state, byte) {
        (0, 0..=0x7F) | (1, 0x80..=0xBF) => Some(0),
        (0, 0xC2..=0xDF) | (2, 0x80..=0xBF) | (4, 0xA0..=0xBF) | (5, 0x80..=0x9F) => Some(1),
        (0, 0xE1..=0xEC | 0xEE | 0xEF) | (3, 0x80..=0xBF) | (6, 0x90..=0xBF) | (7, 0x80..=0x8F) => Some(2),
        (0, 0xF1..=0xF3) => Some(3),
        (0, 0xE0) => Some(4),
        (0, 0xED) => Some(5),
        (0, 0xF0) => Some(6),
        (0, 0xF4) => Some(7),
        _ => None,
    }
}

fn positions(atom: &Atom) -> Vec<Position> {
    let position = |takes: Takes, may_lack: bool, repeats: bool| Position {
        takes,
        may_lack,
        repeats,
    };
    match atom {
        Atom::Literal(bytes) => {
            let literal = |byte: &u8| position(Takes::Byte(*byte), false, false);
            bytes.iter().map(literal).collect()
        }
        Atom::Any => vec![position(Takes::All, true, true)],
        Atom::Run { set, min, max } => {
            let run = |may_lack: bool, repeats: bool| position(Takes::Of(*set), may_lack, repeats);
            let needed = (0..*min).map(|_| run(false, false));
            let rest: Vec<Position> = match max {
                Some(max) => (*min..*max).map(|_| run(true, false)).collect(),
                None => vec![run(true, true)],
            };
            needed.chain(rest).collect()
        }
    }
}

impl Pattern<'_> {
    /// The number of its positions; 1 if it has none.
    #[must_use]
    pub fn size(&self) -> usize {
        match self {
            Self::Utf8 | Self::Automaton(_) => 1,
            Self::Glob(positions) => positions.len(),
        }
    }

    /// The states before the first byte.
    #[must_use]
    pub fn start(&self) -> Vec<u32> {
        match self {
            Self::Utf8 => vec![0],
            Self::Automaton(automaton) => vec![automaton.first_state()],
            Self::Glob(positions) => with_skips(positions, vec![0]),
        }
    }

    /// The states after one more byte. `states`: some that this pattern gave.
    #[must_use]
    pub fn next(&self, states: &[u32], byte: u8) -> Vec<u32> {
        match self {
            Self::Utf8 => states.iter().filter_map(|state| utf8(*state, byte)).collect(),
            Self::Automaton(automaton) => {
                let moved = states.iter().map(|state| automaton.state_after(*state, byte));
                moved.collect()
            }
            Self::Glob(positions) => {
                let moved = states.iter().filter_map(|state| {
                    let position = positions.get(*state as usize)?;
                    let takes = position.takes.has(byte);
                    takes.then(|| state + u32::from(!position.repeats))
                });
                with_skips(positions, moved.collect())
            }
        }
    }

    /// Whether a text that leads to these states matches.
    #[must_use]
    pub fn accepts(&self, states: &[u32]) -> bool {
        states.iter().any(|state| match self {
            Self::Utf8 => *state == 0,
            Self::Automaton(automaton) => automaton.matches_in(*state),
            Self::Glob(positions) => *state as usize == positions.len(),
        })
    }

    /// A key that is equal for bytes that lead from any state to the same.
    #[must_use]
    pub fn key(&self, byte: u8) -> Vec<u8> {
        match self {
            Self::Utf8 => {
                let next = UTF8.iter().map(|state| utf8(*state, byte));
                next.map(|next| next.map_or(u8::MAX, |next| next.to_le_bytes()[0]))
                    .collect()
            }
            Self::Automaton(automaton) => vec![automaton.byte_class(byte)],
            Self::Glob(positions) => {
                let takes = positions.iter().map(|position| position.takes.has(byte).into());
                takes.collect()
            }
        }
    }
}

/// The positions, with those after the ones that a text may lack. What goes on from a position before a `.*` goes on from the `.*`
/// too, so those before the last one add nothing.
fn with_skips(positions: &[Position], mut states: Vec<u32>) -> Vec<u32> {
    let mut at = 0;
    while let Some(state) = states.get(at).copied() {
        let may_lack = |position: &Position| position.may_lack;
        states.extend(
            positions
                .get(state as usize)
                .is_some_and(may_lack)
                .then_some(state + 1),
        );
        at += 1;
    }
    states.sort_unstable();
    states.dedup();
    let is_any = |state: &u32| {
        positions
            .get(*state as usize)
            .is_some_and(|position| matches!(position.takes, Takes::All))
    };
    states.split_off(states.iter().rposition(is_any).unwrap_or_default())
}
