//! Finds the states of a machine, and from which of them nothing follows, or everything.

use std::{collections::HashMap, hash::Hash};

use crate::analysis::budget::{Exhausted, Work};

/// The answer to every text that goes on from a state, if it is the same for all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum End {
    Open,
    Dead,
    Universal,
}

/// States as they are found, before equal ones are made one.
pub(super) struct Draft {
    pub(super) classes: Box<[u8; 256]>,
    pub(super) stride: usize,
    pub(super) next: Vec<u32>,
    /// Whether a valid text may take each step; empty if all are valid.
    pub(super) valid: Vec<bool>,
    pub(super) accepts: Vec<bool>,
    /// Whether a valid text may end in each state; empty if all may.
    pub(super) whole: Vec<bool>,
    /// What is known already.
    pub(super) ends: Vec<End>,
}

/// For each byte the number of its class: bytes with the same key are in one class.
pub(super) fn classes<K: Hash + Eq>(key: impl Fn(u8) -> K) -> Box<[u8; 256]> {
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
pub(super) fn explore<S: Clone + Eq + Hash>(
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
    pub(super) fn find_ends(&mut self) {
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
}
