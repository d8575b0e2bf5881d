//! Automata as searches read them: few states, and one state each for "nothing follows" and "everything follows".
//!
//! A [`Machine`] has the language of the automaton that it is made of, among valid texts. Its states from which no text is
//! accepted are one, the *dead* state; those from which every text is accepted are one, the *universal* state. Both are
//! found by a fixpoint over all states: the automaton of `.*X.*` has a loop of several states after `X`, each of them
//! universal. A search that sees this never enters them.

mod draft;
mod inclusion;
mod minimal;
mod union;

use std::sync::{Arc, OnceLock};

use self::draft::{Draft, End, classes, explore};
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
        let at = state as usize * self.stride + usize::from(self.class(byte));
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
            work.take(Inclusion::cost(self.states(), self.stride))?;
            self.inclusion
                .get_or_init(|| Inclusion::of(self.stride, &self.next, &self.accepts));
        }
        Ok(())
    }

    /// Which states accept all that others do, if that was found and there are not too many states.
    pub(super) fn inclusion(&self) -> Option<&Inclusion> {
        self.inclusion.get()?.as_ref()
    }
}

impl Draft {
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
