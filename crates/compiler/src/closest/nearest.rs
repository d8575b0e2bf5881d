//! The text of a goal that is nearest to a given text, by the number of characters that are changed, removed or added.
//!
//! A shortest-path search over positions of the text and states of the goal's automata. In a path, a changed segment costs
//! more than any number of changed characters, so that few segments change, and the result is one that the proxy accepts.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};

use regex_automata::util::primitives::StateID;

use super::goal::Goal;
use crate::ir::Automaton;

/// Longest text that is looked for.
const LONGEST: usize = 2_048;
/// Steps of one search.
const STEPS: u64 = 2_000_000;
/// Cost of a changed segment.
const SEGMENT: u32 = 10_000;
/// Characters that are written where a pattern leaves a choice, the preferred ones first.
const PREFERRED: &str = "1xX0-_/.";

/// The steps that are left.
#[derive(Debug)]
pub(super) struct Work {
    left: u64,
}

impl Work {
    pub(super) fn new(steps: u64) -> Self {
        Self { left: steps }
    }

    pub(super) fn is_spent(&self) -> bool {
        self.left == 0
    }

    fn take(&mut self, steps: u64) -> Option<()> {
        let left = self.left.checked_sub(steps);
        self.left = left.unwrap_or_default();
        left.map(|_| ())
    }
}

/// The kind of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// A path: begins with `/`, has no empty segment and none that begins with a dot unless the text has it.
    Path,
    /// A value.
    Value,
}

/// A text of the goal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Near {
    pub(super) text: String,
    /// Characters that were changed, removed or added.
    pub(super) distance: u32,
    /// Segments of a path that were changed, removed or added.
    pub(super) segments: u32,
}

/// Finds the text of the goal that is nearest to `text`; `None` if there is none, or none was found with the steps that are left.
pub(super) fn nearest(goal: &Goal, text: &str, shape: Shape, work: &mut Work) -> Option<Near> {
    let parts = goal.parts()?;
    if goal.has(text) {
        let text = text.to_owned();
        return Some(Near {
            text,
            distance: 0,
            segments: 0,
        });
    }
    if text.len() > LONGEST {
        return None;
    }
    Search {
        parts,
        text: text.chars().collect(),
        shape,
        letters: letters(parts, shape),
        tuples: Vec::new(),
        known: HashMap::new(),
        nodes: Vec::new(),
        open: BinaryHeap::new(),
    }
    .run(work)
}

/// The characters that lead to different states: one of each class.
fn letters(parts: &[(Automaton, bool)], shape: Shape) -> Vec<u8> {
    // Within a path these have a meaning of their own, or are refused.
    let refused = |byte: &u8| shape == Shape::Path && b"%\\;#? ".contains(byte);
    let mut seen = HashSet::new();
    let printable = PREFERRED.bytes().chain(b' '..=b'~');
    let distinct = printable.filter(|byte| !refused(byte)).filter(|byte| {
        let classes: Vec<u8> = parts
            .iter()
            .map(|(automaton, _)| automaton.class(*byte))
            .collect();
        let is_special = shape == Shape::Path && b"/.".contains(byte);
        seen.insert((classes, is_special.then_some(*byte)))
    });
    distinct.collect()
}

/// A place of the search: so many characters are read, and the automata are in these states.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Place {
    at: u32,
    tuple: u32,
    /// The segment has a change already.
    is_changed: bool,
    /// The last character written is a slash.
    is_behind_slash: bool,
}

struct Node {
    place: Place,
    before: u32,
    written: Option<char>,
}

struct Search<'s> {
    parts: &'s [(Automaton, bool)],
    text: Vec<char>,
    shape: Shape,
    letters: Vec<u8>,
    /// The tuples of states that were met, each once.
    tuples: Vec<Vec<StateID>>,
    known: HashMap<Vec<StateID>, u32>,
    nodes: Vec<Node>,
    open: BinaryHeap<Reverse<(u32, u32)>>,
}

impl Search<'_> {
    fn run(mut self, work: &mut Work) -> Option<Near> {
        let start = self
            .parts
            .iter()
            .map(|(automaton, _)| automaton.start())
            .collect();
        let tuple = self.tuple(start);
        let place = Place {
            at: 0,
            tuple,
            is_changed: false,
            is_behind_slash: false,
        };
        self.push(place, u32::MAX, None, 0);
        let mut done = HashSet::new();
        let mut left = STEPS;
        while let Some(Reverse((cost, node))) = self.open.pop() {
            let place = self.nodes.get(node as usize)?.place;
            if !done.insert(place) {
                continue;
            }
            if place.at as usize == self.text.len() && self.accepts(place.tuple) {
                return Some(self.found(node, cost));
            }
            let steps = 2 * self.letters.len() as u64 + 2;
            left = left.checked_sub(steps)?;
            work.take(steps)?;
            self.expand(place, (node, cost), &done);
        }
        None
    }

    /// Goes on from a place: keeps, removes, replaces a character, or adds one.
    fn expand(&mut self, place: Place, from: (u32, u32), done: &HashSet<Place>) {
        let is_path = self.shape == Shape::Path;
        let read = self.text.get(place.at as usize).copied();
        if let Some(kept) = read
            && !(is_path && kept == '/' && place.is_behind_slash)
        {
            self.go(place, from, (true, Some(kept), 0), done);
        }
        // A path keeps its first slash.
        if is_path && place.at == 0 {
            return;
        }
        let changed = |is_slash: bool| match is_path && (is_slash || !place.is_changed) {
            true => SEGMENT + 1,
            false => 1,
        };
        if read.is_some() {
            let cost = changed(read == Some('/'));
            self.go(place, from, (true, None, cost), done);
        }
        for at in 0..self.letters.len() {
            let Some(letter) = self.letters.get(at).copied() else {
                continue;
            };
            if is_path && place.is_behind_slash && b"/.".contains(&letter) {
                continue;
            }
            let letter = char::from(letter);
            if read.is_some_and(|read| read != letter) {
                let cost = changed(read == Some('/') || letter == '/');
                self.go(place, from, (true, Some(letter), cost), done);
            }
            self.go(place, from, (false, Some(letter), changed(letter == '/')), done);
        }
    }

    /// Goes to the place after a step: `(whether a character is read, the character written, the cost)`.
    fn go(
        &mut self,
        place: Place,
        (before, cost): (u32, u32),
        (reads, written, more): (bool, Option<char>, u32),
        done: &HashSet<Place>,
    ) {
        let tuple = match written {
            None => Some(place.tuple),
            Some(character) => self.after(place.tuple, character),
        };
        let Some(tuple) = tuple else {
            return;
        };
        let next = Place {
            at: place.at + u32::from(reads),
            tuple,
            // A slash that is kept begins another segment.
            is_changed: match (more, written) {
                (0, Some('/')) => false,
                (0, _) => place.is_changed,
                _ => true,
            },
            is_behind_slash: match written {
                None => place.is_behind_slash,
                Some(character) => character == '/',
            },
        };
        if !done.contains(&next) {
            self.push(next, before, written, cost + more);
        }
    }

    fn push(&mut self, place: Place, before: u32, written: Option<char>, cost: u32) {
        let node = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
        self.nodes.push(Node {
            place,
            before,
            written,
        });
        self.open.push(Reverse((cost, node)));
    }

    /// The states after a character; `None` if no text of the goal goes on from there.
    fn after(&mut self, tuple: u32, character: char) -> Option<u32> {
        let mut states = self.tuples.get(tuple as usize)?.clone();
        for byte in character.encode_utf8(&mut [0; 4]).bytes() {
            for (state, (automaton, wanted)) in states.iter_mut().zip(self.parts) {
                *state = automaton.next(*state, byte);
                if *wanted && automaton.is_dead_end(*state) {
                    return None;
                }
            }
        }
        Some(self.tuple(states))
    }

    fn tuple(&mut self, states: Vec<StateID>) -> u32 {
        if let Some(known) = self.known.get(&states) {
            return *known;
        }
        let id = u32::try_from(self.tuples.len()).unwrap_or(u32::MAX);
        self.tuples.push(states.clone());
        self.known.insert(states, id);
        id
    }

    fn accepts(&self, tuple: u32) -> bool {
        let states = self.tuples.get(tuple as usize);
        states.is_some_and(|states| {
            let mut parts = self.parts.iter().zip(states);
            parts.all(|((automaton, wanted), state)| automaton.accepts(*state) == *wanted)
        })
    }

    fn found(&self, mut node: u32, cost: u32) -> Near {
        let mut text = Vec::new();
        while let Some(at) = self.nodes.get(node as usize) {
            text.extend(at.written);
            node = at.before;
        }
        Near {
            text: text.into_iter().rev().collect(),
            distance: cost % SEGMENT,
            segments: cost / SEGMENT,
        }
    }
}
