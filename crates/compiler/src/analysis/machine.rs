//! Automata as searches read them: few states, and one state each for "nothing follows" and "everything follows".
//!
//! A [`Machine`] has the language of the automaton that it is made of, among valid texts. Its states from which no text is
//! accepted are one, the *dead* state; those from which every text is accepted are one, the *universal* state. Both are
//! found by a fixpoint over all states: the automaton of `.*X.*` has a loop of several states behind `X`, each of them
//! universal. A search that sees this never enters them.

mod inclusion;
mod minimal;
mod union;

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, OnceLock},
};

pub(super) use self::inclusion::Inclusion;
use super::budget::{Exhausted, Work};
use crate::ir::Automaton;

/// A deterministic automaton over bytes.
#[derive(Debug)]
pub(super) struct Machine {
    classes: Box<[u8; 256]>,
    /// Number of classes.
    stride: usize,
    /// The state after each state and class.
    next: Vec<u32>,
    accepts: Vec<bool>,
    start: u32,
    dead: Option<u32>,
    universal: Option<u32>,
    inclusion: OnceLock<Option<Inclusion>>,
}

/// The fate of every text that leads on from a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum End {
    Open,
    Dead,
    Universal,
}

/// States as they are found, before equal ones are made one.
struct Draft {
    classes: Box<[u8; 256]>,
    stride: usize,
    next: Vec<u32>,
    /// Whether a valid text may take each step; empty if all are valid.
    valid: Vec<bool>,
    accepts: Vec<bool>,
    /// Whether a valid text may end in each state; empty if all may.
    whole: Vec<bool>,
    /// What is known already.
    ends: Vec<End>,
}

impl Machine {
    /// The machine of an automaton of bytes, which treats every byte above ASCII alike.
    pub(super) fn of_bytes(automaton: &Automaton, work: &mut Work) -> Result<Self, Exhausted> {
        let draft = explore(
            automaton.start(),
            classes(|byte| automaton.class(byte)),
            |state, byte| (automaton.next(*state, byte), true),
            |state| (automaton.accepts(*state), true, End::Open),
            (usize::MAX, work),
        )?;
        draft.map_or(Err(Exhausted), |draft| Self::of(draft, work))
    }

    /// The machine of an automaton among valid UTF-8, whose automaton `utf8` is.
    pub(super) fn of_text(
        automaton: &Automaton,
        utf8: &Automaton,
        work: &mut Work,
    ) -> Result<Self, Exhausted> {
        let draft = explore(
            (automaton.start(), utf8.start()),
            classes(|byte| (automaton.class(byte), utf8.class(byte))),
            |(state, valid), byte| {
                let (next, valid) = (automaton.next(*state, byte), utf8.next(*valid, byte));
                match utf8.is_dead_end(valid) {
                    // No text goes on from here; any state will do.
                    true => ((next, utf8.start()), false),
                    false => ((next, valid), true),
                }
            },
            |(state, valid)| (automaton.accepts(*state), utf8.accepts(*valid), End::Open),
            (usize::MAX, work),
        )?;
        draft.map_or(Err(Exhausted), |draft| Self::of(draft, work))
    }

    fn of(mut draft: Draft, work: &mut Work) -> Result<Self, Exhausted> {
        work.take(2 * draft.next.len())?;
        draft.find_ends();
        let blocks = minimal::blocks(&draft, work)?;
        Ok(draft.machine(&blocks))
    }

    pub(super) fn start(&self) -> u32 {
        self.start
    }

    pub(super) fn states(&self) -> usize {
        self.accepts.len()
    }

    pub(super) fn class(&self, byte: u8) -> u8 {
        self.classes.get(usize::from(byte)).copied().unwrap_or_default()
    }

    pub(super) fn next(&self, state: u32, byte: u8) -> u32 {
        self.next_of_class(state, self.class(byte))
    }

    pub(super) fn next_of_class(&self, state: u32, class: u8) -> u32 {
        let at = state as usize * self.stride + usize::from(class);
        self.next.get(at).copied().unwrap_or_default()
    }

    pub(super) fn accepts(&self, state: u32) -> bool {
        self.accepts.get(state as usize).copied().unwrap_or_default()
    }

    /// Whether no text is accepted from this state on.
    pub(super) fn is_dead(&self, state: u32) -> bool {
        self.dead == Some(state)
    }

    /// Whether every text is accepted from this state on.
    pub(super) fn is_universal(&self, state: u32) -> bool {
        self.universal == Some(state)
    }

    /// Finds which states accept all that others do.
    pub(super) fn prepare(&self, work: &mut Work) -> Result<(), Exhausted> {
        if self.inclusion.get().is_none() {
            work.take(Inclusion::cost(self))?;
            self.inclusion.get_or_init(|| Inclusion::of(self));
        }
        Ok(())
    }

    /// Which states accept all that others do, if that was found and there are not too many states.
    pub(super) fn inclusion(&self) -> Option<&Inclusion> {
        self.inclusion.get()?.as_ref()
    }
}

/// For each byte the number of its class: bytes with the same key are in one class.
fn classes<K: Hash + Eq>(key: impl Fn(u8) -> K) -> Box<[u8; 256]> {
    let mut known: HashMap<K, u8> = HashMap::new();
    let mut classes = Box::new([0; 256]);
    for (byte, class) in (0..=u8::MAX).zip(classes.iter_mut()) {
        // At most 256 keys, so the number fits.
        let fresh = u8::try_from(known.len()).unwrap_or(u8::MAX);
        *class = *known.entry(key(byte)).or_insert(fresh);
    }
    classes
}

/// One byte of each class, in the order of the classes.
fn representatives(classes: &[u8; 256]) -> Vec<u8> {
    let mut bytes: Vec<(u8, u8)> = (0..=u8::MAX)
        .zip(classes)
        .map(|(byte, class)| (*class, byte))
        .collect();
    bytes.sort_unstable();
    bytes.dedup_by_key(|(class, _)| *class);
    bytes.into_iter().map(|(_, byte)| byte).collect()
}

/// All states that can be reached; `None` if there are more than `most`.
fn explore<S: Clone + Eq + Hash>(
    start: S,
    classes: Box<[u8; 256]>,
    step: impl Fn(&S, u8) -> (S, bool),
    facts: impl Fn(&S) -> (bool, bool, End),
    (most, work): (usize, &mut Work),
) -> Result<Option<Draft>, Exhausted> {
    let bytes = representatives(&classes);
    let mut draft = Draft {
        stride: bytes.len(),
        classes,
        next: Vec::new(),
        valid: Vec::new(),
        accepts: Vec::new(),
        whole: Vec::new(),
        ends: Vec::new(),
    };
    let mut numbers = HashMap::from([(start.clone(), 0)]);
    let mut open = vec![start];
    let mut at = 0;
    while let Some(state) = open.get(at).cloned() {
        work.take(bytes.len())?;
        let (accepts, whole, end) = facts(&state);
        draft.accepts.push(accepts);
        draft.whole.push(whole);
        draft.ends.push(end);
        for byte in &bytes {
            // From a state whose end is known the way does not matter.
            let (next, valid) = if end == End::Open {
                step(&state, *byte)
            } else {
                (state.clone(), true)
            };
            let fresh = u32::try_from(open.len()).map_err(|_| Exhausted)?;
            let number = *numbers.entry(next.clone()).or_insert(fresh);
            if number == fresh {
                open.push(next);
            }
            draft.next.push(number);
            draft.valid.push(valid);
        }
        if open.len() > most {
            return Ok(None);
        }
        at += 1;
    }
    Ok(Some(draft))
}

impl Draft {
    /// Finds the dead and the universal states: those from which no whole text that is accepted can be reached, and no
    /// whole text that is refused.
    fn find_ends(&mut self) {
        let accepting = self.reach(true);
        let refusing = self.reach(false);
        for (end, (accepts, refuses)) in self.ends.iter_mut().zip(accepting.into_iter().zip(refusing)) {
            *end = match (accepts, refuses) {
                (false, _) => End::Dead,
                (true, false) => End::Universal,
                (true, true) => End::Open,
            };
        }
    }

    /// The states from which a valid text leads to one that answers so.
    fn reach(&self, answer: bool) -> Vec<bool> {
        let is_goal = |state: usize| {
            let says = self.accepts.get(state) == Some(&answer) && self.whole.get(state) != Some(&false);
            match self.ends.get(state) {
                Some(End::Dead) => !answer,
                Some(End::Universal) => answer,
                _ => says,
            }
        };
        let mut before: Vec<Vec<u32>> = vec![Vec::new(); self.accepts.len()];
        for (at, (next, valid)) in self.next.iter().zip(&self.valid).enumerate() {
            let from = u32::try_from(at / self.stride.max(1)).unwrap_or_default();
            if let Some(before) = before.get_mut(*next as usize).filter(|_| *valid)
                && before.last() != Some(&from)
            {
                before.push(from);
            }
        }
        let mut reached: Vec<bool> = (0..self.accepts.len()).map(is_goal).collect();
        let mut open: Vec<u32> = (0..)
            .zip(&reached)
            .filter_map(|(state, is)| is.then_some(state))
            .collect();
        while let Some(state) = open.pop() {
            for from in before.get(state as usize).into_iter().flatten() {
                if let Some(reached) = reached.get_mut(*from as usize).filter(|reached| !**reached) {
                    *reached = true;
                    open.push(*from);
                }
            }
        }
        reached
    }

    /// The machine whose states are these blocks of states.
    fn machine(self, blocks: &[u32]) -> Machine {
        let count = blocks.iter().max().map_or(0, |most| *most as usize + 1);
        let mut next = vec![0; count * self.stride];
        let (mut accepts, mut dead, mut universal) = (vec![false; count], None, None);
        for (state, block) in blocks.iter().enumerate() {
            let end = self.ends.get(state).copied().unwrap_or(End::Open);
            let accepted = match end {
                End::Open => self.accepts.get(state).copied().unwrap_or_default(),
                End::Dead => false,
                End::Universal => true,
            };
            match end {
                End::Open => {}
                End::Dead => dead = Some(*block),
                End::Universal => universal = Some(*block),
            }
            if let Some(accepts) = accepts.get_mut(*block as usize) {
                *accepts = accepted;
            }
            for class in 0..self.stride {
                let to = match end {
                    End::Open => self
                        .next
                        .get(state * self.stride + class)
                        .and_then(|next| blocks.get(*next as usize))
                        .copied(),
                    End::Dead | End::Universal => Some(*block),
                };
                if let Some((place, to)) = next.get_mut(*block as usize * self.stride + class).zip(to) {
                    *place = to;
                }
            }
        }
        Machine {
            classes: self.classes,
            stride: self.stride,
            next,
            accepts,
            start: blocks.first().copied().unwrap_or_default(),
            dead,
            universal,
            inclusion: OnceLock::new(),
        }
    }
}

/// A machine that several searches use.
pub(super) type Shared = Arc<Machine>;
