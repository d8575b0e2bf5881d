//! Answers questions by the form of rules, without a search: most lines have nothing in common with most others.
//!
//! Each answer here is a proof of "yes"; "no" says nothing.

use std::collections::HashSet;

use super::{
    clauses::Ruled,
    language::{Goal, Languages},
    machine::{Machine, Shared},
};
use crate::{
    ast::Operator,
    ir::{Atom, Automaton, Glob, Matcher, UrlMatcher},
    method::MethodSet,
};

/// More states than this are left to the search.
const STATES: usize = 256;

/// Whether one of the others, by itself, matches every request that the rule matches.
pub(super) fn is_within_one<'p>(rule: Ruled<'p>, others: &[Ruled<'p>], languages: &mut Languages) -> bool {
    others.iter().any(|other| {
        !other.asks_query()
            && !other.asks_json()
            && other.rule.methods.intersection(rule.rule.methods) == rule.rule.methods
            && has_within(rule, *other, languages)
    })
}

/// Whether no request matches both, by method or by how their paths begin.
pub(crate) fn are_apart(one: Ruled<'_>, other: Ruled<'_>) -> bool {
    !share_method(one, other) || part(&head(one), &head(other))
}

/// Whether some method is one of both rules.
pub(super) fn share_method(one: Ruled<'_>, other: Ruled<'_>) -> bool {
    one.rule.methods.intersection(other.rule.methods) != MethodSet::EMPTY
}

/// Whether no text begins with both.
pub(super) fn part(one: &[u8], other: &[u8]) -> bool {
    one.iter().zip(other).any(|(one, other)| one != other)
}

/// Like [`are_apart`] for two permit lines, by following all texts of one rule's patterns through the other's automata.
pub(super) fn are_surely_apart(one: Ruled<'_>, other: Ruled<'_>, languages: &mut Languages) -> bool {
    if are_apart(one, other) {
        return true;
    }
    let Some((ones, others)) = path(one).zip(path(other)) else {
        return false;
    };
    if has_no_common(ones, others, languages) {
        return true;
    }
    // Both rules constrain this parameter, and no value satisfies both.
    one.rule.params.iter().any(|test| {
        let value = one.program.value(test.value);
        let mut same = other.rule.params.iter().filter(|theirs| theirs.name == test.name);
        test.operator.needs_value()
            && same.any(|theirs| {
                let their = other.program.value(theirs.value);
                match theirs.operator {
                    Operator::All
                    | Operator::AllOrAbsent
                    | Operator::Within(_)
                    | Operator::WithinOrAbsent(_) => has_no_common(value, their, languages),
                    Operator::None => is_within(value, their, languages),
                }
            })
    })
}

/// Whether every path of `rule` is one of `other`.
fn has_within(rule: Ruled<'_>, other: Ruled<'_>, languages: &mut Languages) -> bool {
    let (Some(within), Some(around)) = (path(rule), path(other)) else {
        return false;
    };
    if let Matcher::Nothing = within {
        return true;
    }
    !are_apart(rule, other) && is_within(within, around, languages)
}

/// Whether no text matches both.
fn has_no_common(one: &Matcher, other: &Matcher, languages: &mut Languages) -> bool {
    if let Matcher::Glob(_) = one {
        return misses(one, other, languages);
    }
    let (Some(ones), Some(others)) = (machines(one, languages), machines(other, languages)) else {
        return false;
    };
    ones.iter()
        .all(|one| others.iter().all(|other| no_text_is(one, (other, true))))
}

/// Whether every text of the one is one of the other.
fn is_within(within: &Matcher, around: &Matcher, languages: &mut Languages) -> bool {
    match (within, around) {
        (_, Matcher::Everything) => return true,
        (Matcher::Glob(one), Matcher::Glob(other)) if one == other => return true,
        (Matcher::Glob(one), _) => {
            let Some(globs) = one.globs() else { return false };
            let literal = |glob: &Glob| match glob.atoms() {
                [Atom::Literal(literal)] => String::from_utf8(literal.clone()).ok(),
                _ => None,
            };
            if let Some(literals) = globs.iter().map(literal).collect::<Option<Vec<String>>>() {
                return literals.iter().all(|text| around.matches(text));
            }
        }
        _ => {}
    }
    let (Ok(within), Ok(around)) = (languages.of(within), languages.of(around)) else {
        return false;
    };
    let goal = Goal::all([(within, true), (around, false)]);
    matches!(languages.text(&goal), Ok(None))
}

/// Whether no text of a pattern of globs is one of `other`. Only the automaton of `other` is built, so that many patterns can be
/// compared with a few. "No" says nothing.
pub(super) fn misses(globs: &Matcher, other: &Matcher, languages: &mut Languages) -> bool {
    let Matcher::Glob(code) = globs else { return false };
    let Some(others) = machines(other, languages) else {
        return false;
    };
    let misses = |glob: &Glob| {
        others.iter().all(|machine| {
            let states = reached(glob, machine);
            states.is_some_and(|states| !states.iter().any(|state| machine.accepts(*state)))
        })
    };
    code.globs().is_some_and(|globs| globs.iter().all(misses))
}

/// The machines of a matcher's parts.
pub(super) fn machines(matcher: &Matcher, languages: &mut Languages) -> Option<Vec<Shared>> {
    if matches!(matcher, Matcher::Nothing | Matcher::Everything) {
        return None;
    }
    let id = languages.of(matcher).ok()?;
    let parts = languages.parts(id).to_vec();
    let parts = if parts.is_empty() { vec![id] } else { parts };
    parts
        .into_iter()
        .map(|part| languages.machine(part).ok())
        .collect()
}

/// The matcher of a rule's paths; `None`: not bound.
pub(crate) fn path<'p>(ruled: Ruled<'p>) -> Option<&'p Matcher> {
    match ruled.program.url(ruled.rule.url) {
        UrlMatcher::Below(matcher) | UrlMatcher::Bound(_, matcher) => Some(matcher),
        UrlMatcher::Unbound(_) => None,
    }
}

/// The bytes that every path of the rule begins with, as far as its globs determine them.
pub(crate) fn head(ruled: Ruled<'_>) -> Vec<u8> {
    let Some(Matcher::Glob(code)) = path(ruled) else {
        return Vec::new();
    };
    let globs = code.globs().unwrap_or_default();
    let first = |glob: &Glob| match glob.atoms().first() {
        Some(Atom::Literal(literal)) => literal.clone(),
        _ => Vec::new(),
    };
    globs.iter().map(first).reduce(common).unwrap_or_default()
}

/// The bytes that every path of a rule begins with.
pub(crate) struct Beginning {
    pub(crate) bytes: Vec<u8>,
    /// Whether letters count in either case: those of the bytes are small then.
    pub(crate) ignores_case: bool,
}

/// The bytes that every path of the rule begins with, as far as its globs or its automaton determine them.
pub(crate) fn beginning(ruled: Ruled<'_>) -> Beginning {
    match path(ruled) {
        Some(Matcher::Automaton(automaton)) => forced(automaton, true),
        _ => Beginning {
            bytes: head(ruled),
            ignores_case: false,
        },
    }
}

/// The longest common beginning.
fn common(mut one: Vec<u8>, other: Vec<u8>) -> Vec<u8> {
    let length = one
        .iter()
        .zip(&other)
        .take_while(|(one, other)| one == other)
        .count();
    one.truncate(length);
    one
}

/// Whether no text of the one is answered so by the other: pairs of their states, a few.
fn no_text_is(one: &Machine, (other, answer): (&Machine, bool)) -> bool {
    let mut bytes: Vec<(u8, u8, u8)> = (0..=u8::MAX)
        .map(|byte| (one.class(byte), other.class(byte), byte))
        .collect();
    bytes.sort_unstable();
    bytes.dedup_by_key(|(one, other, _)| (*one, *other));
    let mut known = HashSet::from([(one.start(), other.start())]);
    let mut open = vec![(one.start(), other.start())];
    while let Some((state, theirs)) = open.pop() {
        if one.accepts(state) && other.accepts(theirs) == answer || known.len() > STATES {
            return false;
        }
        for (_, _, byte) in &bytes {
            let next = (one.next(state, *byte), other.next(theirs, *byte));
            if !one.is_dead(next.0) && known.insert(next) {
                open.push(next);
            }
        }
    }
    true
}

/// The states that the texts of the glob lead to, all of them at once, without those from which no text is accepted.
fn reached(glob: &Glob, automaton: &Machine) -> Option<Vec<u32>> {
    let mut states = vec![automaton.start()];
    for atom in glob.atoms() {
        states.retain(|state| !automaton.is_dead(*state));
        if states.is_empty() {
            break;
        }
        states = match atom {
            Atom::Literal(literal) => literal.iter().fold(states, |mut states, byte| {
                for state in &mut states {
                    *state = automaton.next(*state, *byte);
                }
                states.sort_unstable();
                states.dedup();
                states
            }),
            Atom::Any => repeated(states, automaton, &|_| true, (0, None))?,
            Atom::Run { set, min, max } => {
                repeated(states, automaton, &|byte| set.contains(byte), (*min, *max))?
            }
        };
    }
    Some(states)
}

/// Where so many bytes of a set lead.
fn repeated(
    mut states: Vec<u32>,
    automaton: &Machine,
    set: &dyn Fn(u8) -> bool,
    (min, max): (u32, Option<u32>),
) -> Option<Vec<u32>> {
    // One byte of each class: the automaton treats the others of a class alike.
    let mut known = [false; 256];
    let mut is_first = |byte: &u8| {
        let class = known.get_mut(usize::from(automaton.class(*byte)));
        class.is_some_and(|known| !std::mem::replace(known, true))
    };
    let bytes: Vec<u8> = (0..=u8::MAX)
        .filter(|byte| set(*byte))
        .filter(&mut is_first)
        .collect();
    let mut seen = vec![false; automaton.states()];
    for _ in 0..min {
        states = unseen(&states, (automaton, &bytes), &mut seen);
        if states.len() > STATES {
            return None;
        }
        // A later byte may lead here again.
        mark(&states, &mut seen, false);
    }
    mark(&states, &mut seen, true);
    let mut left = max.map(|max| max.saturating_sub(min));
    let mut newest = 0;
    while left != Some(0) {
        let from = states.get(newest..).unwrap_or_default();
        let next = unseen(from, (automaton, &bytes), &mut seen);
        if next.is_empty() {
            break;
        }
        newest = states.len();
        states.extend(next);
        if states.len() > STATES {
            return None;
        }
        left = left.map(|left| left - 1);
    }
    Some(states)
}

/// The states that one byte leads to and that were not seen, which now are.
fn unseen(from: &[u32], (automaton, bytes): (&Machine, &[u8]), seen: &mut [bool]) -> Vec<u32> {
    let mut next = Vec::new();
    for state in from {
        for byte in bytes {
            let after = automaton.next(*state, *byte);
            let seen = seen.get_mut(after as usize);
            if seen.is_some_and(|seen| !std::mem::replace(seen, true)) && !automaton.is_dead(after) {
                next.push(after);
            }
        }
    }
    next
}

fn mark(states: &[u32], seen: &mut [bool], is_seen: bool) {
    for state in states {
        if let Some(seen) = seen.get_mut(*state as usize) {
            *seen = is_seen;
        }
    }
}

/// Texts of which every path of a rule contains one: the longest literal of each of its globs, or the beginning that its automaton
/// leaves no choice in. A text is empty if nothing determines it.
pub(crate) fn literals(ruled: Ruled<'_>) -> Vec<Vec<u8>> {
    match path(ruled) {
        Some(Matcher::Glob(code)) => {
            let globs = code.globs().unwrap_or_default();
            globs.iter().map(longest_literal).collect()
        }
        Some(Matcher::Automaton(automaton)) => vec![forced(automaton, false).bytes],
        _ => vec![Vec::new()],
    }
}

fn longest_literal(glob: &Glob) -> Vec<u8> {
    let literals = glob.atoms().iter().filter_map(|atom| match atom {
        Atom::Literal(literal) => Some(literal),
        Atom::Any | Atom::Run { .. } => None,
    });
    literals
        .max_by_key(|literal| literal.len())
        .cloned()
        .unwrap_or_default()
}

/// The bytes that every text of an automaton begins with; with `folds`, letters whose case does not matter are among them.
fn forced(automaton: &Automaton, folds: bool) -> Beginning {
    let mut state = automaton.start();
    let mut beginning = Beginning {
        bytes: Vec::new(),
        ignores_case: false,
    };
    while !automaton.accepts(state) && beginning.bytes.len() < STATES {
        let mut alive = (0..=u8::MAX).filter(|byte| !automaton.is_dead_end(automaton.next(state, *byte)));
        let (Some(byte), other, None) = (alive.next(), alive.next(), alive.next()) else {
            break;
        };
        let next = automaton.next(state, byte);
        if let Some(other) = other {
            // The patterns of forbid lines match letters in either case.
            if !folds || !byte.eq_ignore_ascii_case(&other) || automaton.next(state, other) != next {
                break;
            }
            beginning.ignores_case = true;
        }
        state = next;
        beginning.bytes.push(byte);
    }
    if beginning.ignores_case {
        beginning.bytes.make_ascii_lowercase();
    }
    beginning
}
