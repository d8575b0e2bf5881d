//! The shortest text that some automata accept and others do not: breadth-first search over tuples of their states.

use std::{
    collections::{HashMap, HashSet},
    hash::{BuildHasherDefault, Hasher},
    sync::LazyLock,
};

use regex_automata::util::primitives::StateID;

use super::budget::{Exhausted, Steps};
use crate::ir::Automaton;

/// The answers that the automata must give: of every entry one alternative, of an alternative all of its literals. A literal
/// is an automaton's position and the answer that it must give.
pub(super) type Wish = Vec<Vec<Vec<(usize, bool)>>>;

/// The bytes that a text may have.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Alphabet {
    /// Printable ASCII.
    Printable,
    /// All bytes.
    Bytes,
}

/// Steps that an automaton counts for when the bytes are found that it distinguishes.
const REPRESENTATIVES: usize = 300;

/// Steps that an automaton counts for when a tuple is kept.
const KEPT: usize = 8;

/// Letters and digits read best, then what separates words in URLs.
const READABLE: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-_./ =";

/// The shortest text that grants the wish, among those the one of the most readable bytes; `None` if no text does.
/// Each tuple of states costs one of `budget`, and of the run's steps as many as there are automata times bytes.
///
/// # Errors
/// The budget is spent.
pub(super) fn shortest(
    automata: &[&Automaton],
    wish: &Wish,
    (alphabet, budget, steps): (Alphabet, &mut u64, &Steps),
) -> Result<Option<Vec<u8>>, Exhausted> {
    // Bytes that all automata treat alike count as one, and dead tuples are not entered: both keep the search small.
    steps.take(automata.len() * REPRESENTATIVES)?;
    let bytes = representatives(automata, alphabet);
    let start: Box<[StateID]> = automata.iter().map(|automaton| automaton.start()).collect();
    let ends = automata.iter().map(|automaton| Ends {
        automaton,
        bytes: &bytes,
        all: HashMap::default(),
    });
    let mut ends: Vec<Ends<'_>> = ends.collect();
    if !may_grant(&mut ends, wish, &start) {
        return Ok(None);
    }
    let mut known: HashSet<Box<[StateID]>, BuildHasherDefault<Mixer>> = HashSet::default();
    known.insert(start.clone());
    let mut reached = vec![Reached {
        states: start,
        from: 0,
        byte: 0,
    }];
    let (mut at, mut next, mut fresh) = (0, Vec::new(), Vec::new());
    // Breadth first, so that the first tuple that grants the wish has a shortest text.
    while let Some(Reached { states, .. }) = reached.get(at) {
        *budget = budget.checked_sub(1).ok_or(Exhausted)?;
        steps.take(automata.len() * (bytes.len() + 1))?;
        if grants(automata, wish, states) {
            return Ok(Some(spell(&reached, at)));
        }
        for byte in &bytes {
            next.clear();
            let pairs = automata.iter().zip(states);
            next.extend(pairs.map(|(automaton, state)| automaton.next(*state, *byte)));
            // Most steps lead to a tuple that has been visited.
            if !known.contains(next.as_slice()) && may_grant(&mut ends, wish, &next) {
                // Kept twice, so that memory is bounded by the steps too.
                steps.take(automata.len() * KEPT)?;
                let next: Box<[StateID]> = next.as_slice().into();
                known.insert(next.clone());
                fresh.push(Reached {
                    states: next,
                    from: at,
                    byte: *byte,
                });
            }
        }
        reached.append(&mut fresh);
        at += 1;
    }
    Ok(None)
}

/// Hashes a few small numbers, which is most of a search's work. Authors of policies whose states collide slow down only
/// their own comparison.
#[derive(Default)]
struct Mixer(u64);

impl Hasher for Mixer {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u32(u32::from(*byte)));
    }

    fn write_u32(&mut self, number: u32) {
        // The odd constant nearest to 2^64 divided by the golden ratio.
        self.0 = (self.0.rotate_left(23) ^ u64::from(number)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }

    fn write_usize(&mut self, number: usize) {
        self.0 ^= number as u64;
    }

    fn finish(&self) -> u64 {
        self.0 ^ self.0 >> 29
    }
}

/// A tuple of states, and how it was reached first.
struct Reached {
    states: Box<[StateID]>,
    from: usize,
    byte: u8,
}

/// One byte of each class that the automata distinguish, the most readable, in order.
fn representatives(automata: &[&Automaton], alphabet: Alphabet) -> Vec<u8> {
    static ORDER: LazyLock<(Vec<u8>, Vec<u8>)> = LazyLock::new(|| {
        let others = (0..=u8::MAX).filter(|byte| !READABLE.contains(byte));
        let (graphic, rest): (Vec<u8>, Vec<u8>) = others.partition(u8::is_ascii_graphic);
        ([READABLE, &graphic].concat(), rest)
    });
    let rest: &[u8] = if alphabet == Alphabet::Bytes {
        &ORDER.1
    } else {
        &[]
    };
    let bytes = ORDER.0.iter().chain(rest).copied().enumerate();
    // Eight automata at a time: bytes stay apart if any automaton distinguishes them.
    let mut kept: Vec<(Vec<u64>, usize, u8)> = bytes
        .map(|(rank, byte)| {
            let classes = automata.chunks(8).map(|automata| {
                let classes = automata.iter().map(|automaton| u64::from(automaton.class(byte)));
                classes.fold(0, |key, class| key << 8 | class)
            });
            (classes.collect(), rank, byte)
        })
        .collect();
    kept.sort_unstable();
    kept.dedup_by(|(one, ..), (other, ..)| one == other);
    kept.sort_unstable_by_key(|(_, rank, _)| *rank);
    kept.into_iter().map(|(_, _, byte)| byte).collect()
}

fn grants(automata: &[&Automaton], wish: &Wish, states: &[StateID]) -> bool {
    let answers: Vec<bool> = automata
        .iter()
        .zip(states)
        .map(|(automaton, state)| automaton.accepts(*state))
        .collect();
    wish.iter().all(|alternatives| {
        alternatives.iter().any(|literals| {
            literals
                .iter()
                .all(|(at, wanted)| answers.get(*at).is_some_and(|answer| answer == wanted))
        })
    })
}

/// Cached facts about an automaton's states.
struct Ends<'a> {
    automaton: &'a Automaton,
    bytes: &'a [u8],
    all: HashMap<StateID, bool, BuildHasherDefault<Mixer>>,
}

impl Ends<'_> {
    /// Whether every longer text is answered with this.
    fn always(&mut self, state: StateID, answer: bool) -> bool {
        if !answer {
            return self.automaton.is_dead_end(state);
        }
        let (automaton, bytes) = (self.automaton, self.bytes);
        *self.all.entry(state).or_insert_with(|| {
            automaton.accepts(state) && bytes.iter().all(|byte| automaton.next(state, *byte) == state)
        })
    }
}

/// Whether a longer text could grant the wish, as far as dead states show.
fn may_grant(ends: &mut [Ends<'_>], wish: &Wish, states: &[StateID]) -> bool {
    let mut never = |(at, wanted): &(usize, bool)| match (ends.get_mut(*at), states.get(*at)) {
        (Some(ends), Some(state)) => ends.always(*state, !wanted),
        _ => true,
    };
    wish.iter().all(|alternatives| {
        alternatives
            .iter()
            .any(|literals| !literals.iter().any(&mut never))
    })
}

fn spell(reached: &[Reached], mut at: usize) -> Vec<u8> {
    let mut text = Vec::new();
    while at > 0
        && let Some(step) = reached.get(at)
    {
        text.push(step.byte);
        at = step.from;
    }
    text.reverse();
    text
}
