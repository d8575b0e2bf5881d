//! The patterns of an artifact as state machines over bytes, and closed sets of their states.

use std::collections::HashSet;

use tokenward_compiler::ir::{Atom, Automaton, Glob, Matcher};

use crate::format::{Checked, ensure};

/// Something that texts match.
pub(crate) enum Pattern<'p> {
    Automaton(&'p Automaton),
    Glob(Vec<Position>),
}

/// A place in a glob: which bytes it takes; whether it may lack; whether it may repeat; whether it is a `.*`.
type Position = (Box<dyn Fn(u8) -> bool>, bool, bool, bool);

/// The patterns of a matcher: a text matches if it matches one of them. `Err`: the answer for every text.
pub(crate) fn patterns(matcher: Option<&Matcher>) -> Result<Vec<Pattern<'_>>, bool> {
    match matcher {
        None | Some(Matcher::Nothing) => Err(false),
        Some(Matcher::Everything) => Err(true),
        Some(Matcher::Automaton(automaton)) => Ok(vec![Pattern::Automaton(automaton)]),
        Some(Matcher::Glob(code)) => {
            let positions = |glob: &Glob| Pattern::Glob(glob.atoms().iter().flat_map(positions).collect());
            Ok(code.globs().unwrap_or_default().iter().map(positions).collect())
        }
    }
}

fn positions(atom: &Atom) -> Vec<Position> {
    let literal = |byte: &u8| -> Position {
        let own = *byte;
        (Box::new(move |byte| byte == own), false, false, false)
    };
    match atom {
        Atom::Literal(bytes) => bytes.iter().map(literal).collect(),
        Atom::Any => vec![(Box::new(|_| true), true, true, true)],
        Atom::Run { set, min, max } => {
            let set = *set;
            let run =
                |may_lack, repeats| (Box::new(move |byte| set.contains(byte)) as _, may_lack, repeats, false);
            let (least, most) = (*min, max.unwrap_or(min + 1));
            (0..most)
                .map(|at| if at < least { run(false, false) } else { run(true, max.is_none()) })
                .collect()
        }
    }
}

impl Pattern<'_> {
    fn start(&self) -> Vec<u32> {
        match self {
            Self::Automaton(automaton) => vec![automaton.first_state()],
            Self::Glob(positions) => with_skips(positions, vec![0]),
        }
    }

    fn next(&self, states: &[u32], byte: u8) -> Vec<u32> {
        let moved = |state: &u32| match self {
            Self::Automaton(automaton) => Some(automaton.state_after(*state, byte)),
            Self::Glob(positions) => {
                let (_, _, repeats, _) = positions.get(*state as usize).filter(|(takes, ..)| takes(byte))?;
                Some(state + u32::from(!repeats))
            }
        };
        let next = states.iter().filter_map(moved).collect();
        if let Self::Glob(positions) = self { with_skips(positions, next) } else { next }
    }

    fn accepts(&self, states: &[u32]) -> bool {
        states.iter().any(|state| match self {
            Self::Automaton(automaton) => automaton.matches_in(*state),
            Self::Glob(positions) => *state as usize == positions.len(),
        })
    }

    /// Equal for bytes that lead from any state to the same.
    fn key(&self, byte: u8) -> Vec<u8> {
        match self {
            Self::Automaton(automaton) => vec![automaton.byte_class(byte)],
            Self::Glob(positions) => positions.iter().map(|(takes, ..)| takes(byte).into()).collect(),
        }
    }
}

/// The positions, with those behind the ones that may lack. What goes on from a position before a `.*` goes on from the `.*`
/// too, so those before the last one add nothing.
fn with_skips(positions: &[Position], mut states: Vec<u32>) -> Vec<u32> {
    let mut at = 0;
    while let Some(state) = states.get(at).copied() {
        let may_lack = positions.get(state as usize).is_some_and(|(_, may_lack, ..)| *may_lack);
        states.extend(may_lack.then_some(state + 1));
        at += 1;
    }
    states.sort_unstable();
    states.dedup();
    let is_any = |state: &u32| positions.get(*state as usize).is_some_and(|(.., is_any)| *is_any);
    states.split_off(states.iter().rposition(is_any).unwrap_or_default())
}

/// The state after bytes that are not UTF-8.
const INVALID: u32 = 8;

/// Valid UTF-8 (Unicode, table 3-7): the state after one more byte; 0 where a character has ended.
fn utf8(state: u32, byte: u8) -> u32 {
    match (state, byte) {
        (0, 0..=0x7F) | (1, 0x80..=0xBF) => 0,
        (0, 0xC2..=0xDF) | (2, 0x80..=0xBF) | (4, 0xA0..=0xBF) | (5, 0x80..=0x9F) => 1,
        (0, 0xE1..=0xEC | 0xEE | 0xEF) | (3, 0x80..=0xBF) | (6, 0x90..=0xBF) | (7, 0x80..=0x8F) => 2,
        (0, 0xF1..=0xF3) => 3,
        (0, 0xE0) => 4,
        (0, 0xED) => 5,
        (0, 0xF0) => 6,
        (0, 0xF4) => 7,
        _ => INVALID,
    }
}

/// Refuses tuples of states that texts leave, or in which a text gets from each pattern the answer that is wanted. Texts are not
/// followed where they are none, or where a pattern's state does not change any more and its answer is not the one that is wanted.
pub(crate) fn check_closed(rooted: bool, of: &[(Pattern<'_>, bool)], tuples: &[Vec<Vec<u32>>]) -> Checked {
    let key = |byte: u8| -> Vec<Vec<u8>> { of.iter().map(|(pattern, _)| pattern.key(byte)).collect() };
    let mut keys = HashSet::new();
    let is_first =
        |byte: &u8| keys.insert((key(*byte), [0, 1, 2, 3, 4, 5, 6, 7].map(|state| utf8(state, *byte))));
    let bytes: Vec<u8> = (0..=u8::MAX).filter(is_first).collect();
    let is_over = |(states, (pattern, wanted)): (&Vec<u32>, &(Pattern<'_>, bool))| {
        pattern.accepts(states) != *wanted && bytes.iter().all(|byte| pattern.next(states, *byte) == *states)
    };
    let next = |(text, all): &(u32, Vec<Vec<u32>>), byte: u8| {
        let states = all.iter().zip(of).map(|(states, (pattern, _))| pattern.next(states, byte));
        (utf8(*text, byte), states.collect::<Vec<_>>())
    };
    let start = (0, of.iter().map(|(pattern, _)| pattern.start()).collect());
    let mut open = vec![if rooted { next(&start, b'/') } else { start }];
    // Only states that texts lead to are followed: others may be none of the patterns'.
    let mut left: HashSet<&[Vec<u32>]> = tuples.iter().map(Vec::as_slice).collect();
    let mut known = HashSet::new();
    while let Some(tuple) = open.pop() {
        if tuple.0 == INVALID || known.contains(&tuple) || tuple.1.iter().zip(of).any(is_over) {
            continue;
        }
        let listed = [vec![vec![tuple.0]], tuple.1.clone()].concat();
        ensure(left.remove(listed.as_slice()), "a closed set is not closed")?;
        let fails =
            tuple.1.iter().zip(of).any(|(states, (pattern, wanted))| pattern.accepts(states) != *wanted);
        ensure(fails || tuple.0 != 0, "a state of a closed set satisfies its literals")?;
        open.extend(bytes.iter().map(|byte| next(&tuple, *byte)));
        known.insert(tuple);
    }
    ensure(left.is_empty(), "a closed set has states that no text leads to")
}
