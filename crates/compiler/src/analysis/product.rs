//! The shortest text that some machines accept and others do not: breadth-first search over tuples of their states.
//!
//! Tuples are not entered if no text behind them can grant the wish, nor if every text that does is known to lead on from a
//! tuple that was reached before. The second holds if each state there accepts more, or refuses more, as the wish
//! demands: the text behind the earlier tuple is no longer, and its bytes read no worse. So the text that is found is the
//! same as without.

use std::{
    collections::{HashMap, HashSet},
    hash::{BuildHasherDefault, Hasher},
    sync::LazyLock,
};

use super::{
    budget::{Exhausted, Work},
    machine::Machine,
};

/// The answers that the machines must give: of every entry one alternative, of an alternative all of its literals. A
/// literal is a machine's position and the answer that it must give.
pub(super) type Wish = Vec<Vec<Vec<(usize, bool)>>>;

/// The bytes that a text may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Alphabet {
    /// Printable ASCII.
    Printable,
    /// All bytes.
    Bytes,
}

/// Steps that a search counts for before it visits anything, for each machine: the bytes are found that it distinguishes.
const BEGIN: usize = 300;
/// Steps that a machine counts for when a tuple is kept.
const KEPT: usize = 8;
/// Tuples that a search visits before it looks for larger ones: most searches are over by then.
const SMALL: usize = 64;
/// Tuples that are compared with a new one.
const COMPARED: usize = 128;
/// The state of a machine that no entry asks any more.
const UNASKED: u32 = u32::MAX;

/// Letters and digits read best, then what separates words in URLs.
const READABLE: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-_./ =";

/// The shortest text that grants the wish, among those the one of the most readable bytes; `None` if no text does.
///
/// # Errors
/// The work is spent.
pub(super) fn shortest(
    machines: &[&Machine],
    wish: &Wish,
    (alphabet, work, visited): (Alphabet, &mut Work, &mut u64),
) -> Result<Option<Vec<u8>>, Exhausted> {
    work.take(machines.len() * BEGIN)?;
    // Bytes that all machines treat alike count as one.
    let bytes = representatives(machines, alphabet);
    let search = Search::new(machines, wish);
    let mut start: Vec<u32> = machines.iter().map(|machine| machine.start()).collect();
    if !search.may_grant(&mut start) {
        return Ok(None);
    }
    let mut known: HashSet<Box<[u32]>, BuildHasherDefault<Mixer>> = HashSet::default();
    let start: Box<[u32]> = start.into();
    known.insert(start.clone());
    let mut reached = vec![Reached {
        states: start,
        from: 0,
        byte: 0,
    }];
    let mut larger = Larger::default();
    let (mut at, mut next, mut fresh) = (0, Vec::new(), Vec::new());
    // Breadth first, so that the first tuple that grants the wish has a shortest text.
    while let Some(Reached { states, .. }) = reached.get(at) {
        *visited += 1;
        work.take(machines.len() * (bytes.len() + 1))?;
        if search.grants(states) {
            return Ok(Some(spell(&reached, at)));
        }
        for byte in &bytes {
            next.clear();
            let pairs = machines.iter().zip(states);
            next.extend(pairs.map(|(machine, state)| match *state {
                UNASKED => UNASKED,
                state => machine.next(state, *byte),
            }));
            // Most steps lead to a tuple that has been visited.
            if known.contains(next.as_slice())
                || !search.may_grant(&mut next)
                || known.contains(next.as_slice())
            {
                continue;
            }
            // Kept twice, so that memory is bounded by the steps too.
            work.take(machines.len() * KEPT)?;
            let next: Box<[u32]> = next.as_slice().into();
            known.insert(next.clone());
            if known.len() > SMALL {
                if larger.tuples.is_empty() {
                    machines.iter().try_for_each(|machine| machine.prepare(work))?;
                    let all = reached.iter().chain(&fresh);
                    all.for_each(|reached| larger.add(&search, &reached.states));
                }
                if larger.has(&search, &next, work)? {
                    continue;
                }
                larger.add(&search, &next);
            }
            fresh.push(Reached {
                states: next,
                from: at,
                byte: *byte,
            });
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
        bytes.chunks(4).for_each(|chunk| {
            let number = chunk.iter().rev();
            self.write_u32(number.fold(0, |number, byte| number << 8 | u32::from(*byte)));
        });
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
    states: Box<[u32]>,
    from: usize,
    byte: u8,
}

/// The position of a byte among all bytes, the most readable first.
pub(super) fn rank(byte: u8) -> usize {
    static RANKS: LazyLock<HashMap<u8, usize>> = LazyLock::new(|| {
        let all = ORDER.0.iter().chain(&ORDER.1);
        all.enumerate().map(|(rank, byte)| (*byte, rank)).collect()
    });
    RANKS.get(&byte).copied().unwrap_or_default()
}

/// The printable bytes and the others, the most readable first.
static ORDER: LazyLock<(Vec<u8>, Vec<u8>)> = LazyLock::new(|| {
    let others = (0..=u8::MAX).filter(|byte| !READABLE.contains(byte));
    let (graphic, rest): (Vec<u8>, Vec<u8>) = others.partition(u8::is_ascii_graphic);
    ([READABLE, &graphic].concat(), rest)
});

/// The printable bytes, the most readable first.
pub(super) fn printable() -> &'static [u8] {
    &ORDER.0
}

/// One byte of each class that the machines distinguish, the most readable, in order.
fn representatives(machines: &[&Machine], alphabet: Alphabet) -> Vec<u8> {
    let rest: &[u8] = if alphabet == Alphabet::Bytes {
        &ORDER.1
    } else {
        &[]
    };
    let bytes = ORDER.0.iter().chain(rest).copied().enumerate();
    // Each byte with the number of its class among the machines so far; sixteen machines at a time.
    let mut all: Vec<(usize, usize, u8)> = bytes.map(|(rank, byte)| (0, rank, byte)).collect();
    for machines in machines.chunks(16) {
        let keys = all.iter().map(|(class, rank, byte)| {
            let classes = machines.iter().map(|machine| u128::from(machine.class(*byte)));
            (
                (*class, classes.fold(0, |key, class| key << 8 | class)),
                *rank,
                *byte,
            )
        });
        let mut keys: Vec<((usize, u128), usize, u8)> = keys.collect();
        keys.sort_unstable();
        let (mut class, mut last) = (0, None);
        all.clear();
        for (key, rank, byte) in keys {
            class += usize::from(last.is_some_and(|last| last != key));
            last = Some(key);
            all.push((class, rank, byte));
        }
    }
    // In order of class and rank, so that the most readable of each class stays.
    all.dedup_by_key(|(class, ..)| *class);
    all.sort_unstable_by_key(|(_, rank, _)| *rank);
    all.into_iter().map(|(_, _, byte)| byte).collect()
}

/// The answers that a wish asks of a machine.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asked {
    Accept,
    Refuse,
    Both,
}

/// A wish and its machines.
struct Search<'a> {
    machines: &'a [&'a Machine],
    /// Literals that must hold, each by itself.
    units: Vec<(usize, bool)>,
    /// Entries of several alternatives.
    choices: Vec<&'a [Vec<(usize, bool)>]>,
    asked: Vec<Asked>,
    /// For each machine the entries of several alternatives that ask it; `None` if a unit does.
    entries: Vec<Option<Vec<usize>>>,
}

impl<'a> Search<'a> {
    fn new(machines: &'a [&'a Machine], wish: &'a Wish) -> Self {
        let mut search = Self {
            machines,
            units: Vec::new(),
            choices: Vec::new(),
            asked: Vec::new(),
            entries: vec![Some(Vec::new()); machines.len()],
        };
        let mut asked = vec![None; machines.len()];
        for alternatives in wish {
            if let [literals] = alternatives.as_slice() {
                search.units.extend(literals);
            } else {
                search.choices.push(alternatives);
            }
            for (at, wanted) in alternatives.iter().flatten() {
                let polarity = if *wanted { Asked::Accept } else { Asked::Refuse };
                if let Some(asked) = asked.get_mut(*at) {
                    *asked = match *asked {
                        Some(other) if other != polarity => Some(Asked::Both),
                        _ => Some(polarity),
                    };
                }
                let choice = search.choices.len().wrapping_sub(1);
                match search.entries.get_mut(*at) {
                    Some(entries) if alternatives.len() == 1 => *entries = None,
                    Some(Some(entries)) => entries.push(choice),
                    _ => {}
                }
            }
        }
        search.asked = asked
            .into_iter()
            .map(|asked| asked.unwrap_or(Asked::Both))
            .collect();
        search
    }

    /// What every longer text is answered with from this state on, if that is certain.
    fn end(&self, (at, wanted): (usize, bool), states: &[u32]) -> Option<bool> {
        let (machine, state) = self.machines.get(at).zip(states.get(at))?;
        if machine.is_dead(*state) {
            Some(!wanted)
        } else if machine.is_universal(*state) {
            Some(wanted)
        } else {
            None
        }
    }

    /// Whether a longer text could grant the wish, as far as dead and universal states show. Machines that no open entry
    /// asks are taken out of the tuple, so that tuples which differ only in them are one.
    fn may_grant(&self, states: &mut [u32]) -> bool {
        if self
            .units
            .iter()
            .any(|unit| self.end(*unit, states) == Some(false))
        {
            return false;
        }
        if self.choices.is_empty() {
            return true;
        }
        let mut decided = Vec::with_capacity(self.choices.len());
        for alternatives in &self.choices {
            if self.is_unasked(alternatives, states) {
                decided.push(true);
                continue;
            }
            let ends = alternatives.iter().map(|literals| {
                let mut ends = literals.iter().map(|literal| self.end(*literal, states));
                // Every literal is certain, or one certainly fails.
                ends.try_fold(Some(true), |all, end| match end {
                    Some(false) => Err(()),
                    Some(true) => Ok(all),
                    None => Ok(None),
                })
            });
            let (mut open, mut met) = (false, false);
            for end in ends {
                open |= end.is_ok();
                met |= end == Ok(Some(true));
            }
            if !open {
                return false;
            }
            decided.push(met);
        }
        for (state, entries) in states.iter_mut().zip(&self.entries) {
            let is_decided = |entry: &usize| decided.get(*entry).copied().unwrap_or_default();
            if entries
                .as_ref()
                .is_some_and(|entries| entries.iter().all(is_decided))
            {
                *state = UNASKED;
            }
        }
        true
    }

    /// Whether an entry was met for good before.
    fn is_unasked(&self, alternatives: &[Vec<(usize, bool)>], states: &[u32]) -> bool {
        let mut literals = alternatives.iter().flatten();
        literals.any(|(at, _)| states.get(*at) == Some(&UNASKED))
    }

    fn grants(&self, states: &[u32]) -> bool {
        let holds = |(at, wanted): &(usize, bool)| {
            let pair = self.machines.get(*at).zip(states.get(*at));
            pair.is_some_and(|(machine, state)| machine.accepts(*state) == *wanted)
        };
        self.units.iter().all(holds)
            && self.choices.iter().all(|alternatives| {
                self.is_unasked(alternatives, states)
                    || alternatives.iter().any(|literals| literals.iter().all(holds))
            })
    }

    /// Whether every text that grants the wish from the one tuple does so from the other.
    fn is_larger(&self, other: &[u32], one: &[u32]) -> bool {
        let mut machines = self.machines.iter().zip(&self.asked).zip(one.iter().zip(other));
        machines.all(|((machine, asked), (one, other))| {
            let includes = |small: u32, large: u32| {
                machine.is_dead(small)
                    || machine.is_universal(large)
                    || machine.inclusion().is_some_and(|table| table.holds(small, large))
            };
            one == other
                || *one != UNASKED
                    && *other != UNASKED
                    && match asked {
                        Asked::Accept => includes(*one, *other),
                        Asked::Refuse => includes(*other, *one),
                        Asked::Both => false,
                    }
        })
    }

    /// The states of the machines that must accept: tuples that differ in them are seldom comparable.
    fn accepting(&self, states: &[u32]) -> Box<[u32]> {
        let pairs = states.iter().zip(&self.asked);
        pairs
            .filter(|(_, asked)| **asked != Asked::Refuse)
            .map(|(state, _)| *state)
            .collect()
    }
}

/// States of several machines.
type Tuple = Box<[u32]>;

/// The tuples that were reached, by the states of the machines that must accept.
#[derive(Default)]
struct Larger {
    tuples: HashMap<Tuple, Vec<Tuple>, BuildHasherDefault<Mixer>>,
}

impl Larger {
    /// Whether a tuple that was reached before is larger.
    fn has(&self, search: &Search<'_>, states: &[u32], work: &mut Work) -> Result<bool, Exhausted> {
        let Some(others) = self.tuples.get(&search.accepting(states)) else {
            return Ok(false);
        };
        for other in others.iter().take(COMPARED) {
            // Most comparisons end at one of the first machines.
            work.take(states.len().min(KEPT))?;
            if search.is_larger(other, states) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn add(&mut self, search: &Search<'_>, states: &[u32]) {
        let others = self.tuples.entry(search.accepting(states)).or_default();
        if others.len() < COMPARED {
            others.push(states.into());
        }
    }
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
