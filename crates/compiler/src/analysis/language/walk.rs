//! Walks an automaton breadth first, without its machine.

use std::collections::HashSet;

use regex_automata::util::primitives::StateID;

use super::super::{
    budget::{Exhausted, Work},
    product::printable,
};
use crate::ir::Automaton;

/// States that are visited at most. They are so few that each counts as one step.
const MOST: usize = 128;

/// The shortest text that an automaton accepts of this beginning and printable bytes, among those the most readable one; `None` if a
/// walk of a few states leads to none.
///
/// # Errors
/// The work is spent.
pub(super) fn walked(
    automaton: &Automaton,
    begin: &str,
    work: &mut Work,
) -> Result<Option<String>, Exhausted> {
    let mut classes = HashSet::new();
    let bytes = printable().iter().copied();
    let bytes: Vec<u8> = bytes
        .filter(|byte| classes.insert(automaton.class(*byte)))
        .collect();
    // Each state with the step to it: from which one before, by which byte.
    let start = begin
        .bytes()
        .fold(automaton.start(), |state, byte| automaton.next(state, byte));
    let mut reached = vec![(start, 0, 0)];
    let mut known = HashSet::from([start]);
    let mut at = 0;
    while let Some((state, ..)) = reached.get(at).copied()
        && at < MOST
    {
        work.take(1)?;
        if automaton.accepts(state) {
            return Ok(spelt(&reached, at).map(|text| format!("{begin}{text}")));
        }
        for byte in &bytes {
            let next = automaton.next(state, *byte);
            if !automaton.is_dead_end(next) && known.insert(next) {
                reached.push((next, at, *byte));
            }
        }
        at += 1;
    }
    Ok(None)
}

fn spelt(reached: &[(StateID, usize, u8)], mut at: usize) -> Option<String> {
    let mut text = Vec::new();
    while at > 0 {
        let (_, from, byte) = *reached.get(at)?;
        text.push(byte);
        at = from;
    }
    text.reverse();
    String::from_utf8(text).ok()
}
