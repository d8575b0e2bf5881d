//! Patterns as the checker of certificates follows them: over the states of the artifact's own automata and globs.
//!
//! The checker has its own ([`crate::ir::Pattern`]), and the two share no code: a mistake here makes a certificate that it refuses.

use crate::ir::{Atom, Automaton, ByteSet, Glob, Matcher};

/// One glob or one automaton of a matcher.
pub(super) enum Pattern<'p> {
    Automaton(&'p Automaton),
    Glob(Vec<Position>),
}

/// A place in a glob.
pub(super) struct Position {
    set: Set,
    may_lack: bool,
    repeats: bool,
}

#[derive(PartialEq, Eq)]
enum Set {
    Byte(u8),
    Of(ByteSet),
    All,
}

/// States of a pattern that a text leads to: one of an automaton, or positions of a glob.
pub(super) type States = Vec<u32>;

/// The patterns of a matcher: a text matches if it matches one of them. `Err`: the answer for every text.
pub(super) fn patterns(matcher: Option<&Matcher>) -> Result<Vec<Pattern<'_>>, bool> {
    match matcher {
        None | Some(Matcher::Nothing) => Err(false),
        Some(Matcher::Everything) => Err(true),
        Some(Matcher::Automaton(automaton)) => Ok(vec![Pattern::Automaton(automaton)]),
        Some(Matcher::Glob(code)) => Ok(code.globs().unwrap_or_default().iter().map(Pattern::of).collect()),
    }
}

impl<'p> Pattern<'p> {
    fn of(glob: &Glob) -> Self {
        let mut all = Vec::new();
        let mut push = |set: Set, may_lack: bool, repeats: bool| {
            all.push(Position {
                set,
                may_lack,
                repeats,
            });
        };
        for atom in glob.atoms() {
            match atom {
                Atom::Literal(bytes) => bytes.iter().for_each(|byte| push(Set::Byte(*byte), false, false)),
                Atom::Any => push(Set::All, true, true),
                Atom::Run { set, min, max } => {
                    (0..*min).for_each(|_| push(Set::Of(*set), false, false));
                    match max {
                        Some(max) => (*min..*max).for_each(|_| push(Set::Of(*set), true, false)),
                        None => push(Set::Of(*set), true, true),
                    }
                }
            }
        }
        Self::Glob(all)
    }

    pub(super) fn start(&self) -> States {
        match self {
            Self::Automaton(automaton) => vec![automaton.first_state()],
            Self::Glob(positions) => with_skips(positions, vec![0]),
        }
    }

    pub(super) fn next(&self, states: &[u32], byte: u8) -> States {
        let positions = match self {
            Self::Automaton(automaton) => {
                return states
                    .iter()
                    .map(|state| automaton.state_after(*state, byte))
                    .collect();
            }
            Self::Glob(positions) => positions,
        };
        let moved = states.iter().filter_map(|state| {
            let position = positions.get(*state as usize)?;
            let moved = if position.repeats { *state } else { *state + 1 };
            position.set.has(byte).then_some(moved)
        });
        with_skips(positions, moved.collect())
    }

    pub(super) fn accepts(&self, states: &[u32]) -> bool {
        states.iter().any(|state| match self {
            Self::Automaton(automaton) => automaton.matches_in(*state),
            Self::Glob(positions) => *state as usize == positions.len(),
        })
    }

    /// Equal for bytes that lead from any state to the same.
    pub(super) fn key(&self, byte: u8) -> Vec<u8> {
        match self {
            Self::Automaton(automaton) => vec![automaton.byte_class(byte)],
            Self::Glob(positions) => positions
                .iter()
                .map(|position| position.set.has(byte).into())
                .collect(),
        }
    }
}

impl Set {
    fn has(&self, byte: u8) -> bool {
        match self {
            Self::Byte(own) => *own == byte,
            Self::Of(set) => set.contains(byte),
            Self::All => true,
        }
    }
}

/// The positions, with those after the ones that a text may lack. What goes on from a position before a `.*` goes on from the `.*`
/// too, so those before the last one add nothing.
fn with_skips(positions: &[Position], mut states: States) -> States {
    let mut at = 0;
    while let Some(state) = states.get(at).copied() {
        let position = positions.get(state as usize);
        if position.is_some_and(|position| position.may_lack) {
            states.push(state + 1);
        }
        at += 1;
    }
    states.sort_unstable();
    states.dedup();
    let is_any = |state: &u32| {
        let position = positions.get(*state as usize);
        position.is_some_and(|position| position.set == Set::All)
    };
    let from = states.iter().rposition(is_any).unwrap_or_default();
    states.split_off(from)
}

/// The state after bytes that are not UTF-8.
pub(super) const NO_TEXT: u32 = 8;

/// Valid UTF-8 (Unicode, table 3-7): the state after one more byte; 0 where a character has ended.
pub(super) fn utf8(state: u32, byte: u8) -> u32 {
    match (state, byte) {
        (0, 0..=0x7F) | (1, 0x80..=0xBF) => 0,
        (0, 0xC2..=0xDF) | (2, 0x80..=0xBF) | (4, 0xA0..=0xBF) | (5, 0x80..=0x9F) => 1,
        (0, 0xE1..=0xEC | 0xEE | 0xEF) | (3, 0x80..=0xBF) | (6, 0x90..=0xBF) | (7, 0x80..=0x8F) => 2,
        (0, 0xF1..=0xF3) => 3,
        (0, 0xE0) => 4,
        (0, 0xED) => 5,
        (0, 0xF0) => 6,
        (0, 0xF4) => 7,
        _ => NO_TEXT,
    }
}
