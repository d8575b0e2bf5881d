//! Closed sets of states: they prove that no text satisfies some literals.

use std::collections::{HashMap, HashSet};

use serde_json::json;

use super::pattern::{NO_TEXT, Pattern, States, patterns, utf8};
use crate::{
    analysis::budget::{Exhausted, Work},
    ir::{Matcher, MatcherId, Program, UrlId},
};

/// The largest closed set that is written.
const TUPLES: usize = 20_000;
/// Combinations of parts that are looked at one after the other.
const COMBINATIONS: usize = 1_024;
/// Matchers that join a search one by one; after these, all that the text misses join.
const ONE_BY_ONE: usize = 6;

/// A matcher of a policy: the policy's number, whether it is of a URL, and its number there; and whether it is to match.
pub(super) type Wish = ((usize, bool, u32), bool);
/// A part of a matcher, and whether it is to match.
type Literal = (usize, bool, u32, usize, bool);
/// The closed sets that exclude all texts, and which wishes they need.
pub(super) type Excluded = (Vec<usize>, HashSet<Wish>);

/// The closed sets that were written so far.
pub(super) struct Closed<'p> {
    sides: Vec<&'p Program>,
    count: usize,
    known: HashMap<(bool, Vec<Literal>), usize>,
    answers: HashMap<(bool, Vec<Wish>), Option<Excluded>>,
    /// Lines of the certificate that are to be written before the next claim.
    pub(super) lines: Vec<String>,
}

/// The result of following all texts.
enum Explored {
    /// A text that satisfies all literals.
    Text(String),
    /// No text does: the states that texts lead to.
    Tuples(Vec<Vec<States>>),
}

impl<'p> Closed<'p> {
    pub(super) fn new(sides: Vec<&'p Program>) -> Self {
        Self {
            sides,
            count: 0,
            known: HashMap::new(),
            answers: HashMap::new(),
            lines: Vec::new(),
        }
    }

    /// The closed sets that show that no text meets all of the wishes; `None` if one does. `rooted`: of texts that begin with `/`.
    ///
    /// # Errors
    /// The work is spent, or a set would be too large.
    pub(super) fn exclude(
        &mut self,
        rooted: bool,
        wishes: &[Wish],
        work: &mut Work,
    ) -> Result<Option<Excluded>, Exhausted> {
        let mut key = (rooted, wishes.to_vec());
        key.1.sort_unstable();
        key.1.dedup();
        if let Some(known) = self.answers.get(&key) {
            return Ok(known.clone());
        }
        // What matches every text leaves none.
        let leaves_none = |wish: &&Wish| !wish.1 && matches!(self.matcher(wish.0), Some(Matcher::Everything));
        if let Some(wish) = key.1.iter().find(leaves_none) {
            return Ok(Some((Vec::new(), HashSet::from([*wish]))));
        }
        let mut excluded = Excluded::default();
        // Each part of what must match by itself; what must not match joins as texts show that it is needed.
        let mut choices: Vec<Vec<Literal>> = vec![Vec::new()];
        for (place, _) in key.1.iter().filter(|(_, wanted)| *wanted) {
            excluded.1.insert((*place, true));
            let (side, is_url, id) = *place;
            match patterns(self.matcher(*place)) {
                Err(true) => {}
                // Nothing matches: there is nothing to exclude.
                Err(false) => choices.clear(),
                Ok(parts) => {
                    let with = |part: usize| (side, is_url, id, part, true);
                    let all = choices.iter();
                    choices = all
                        .flat_map(|known| {
                            (0..parts.len()).map(move |part| [known.as_slice(), &[with(part)]].concat())
                        })
                        .collect();
                }
            }
            if choices.len() > COMBINATIONS {
                return Err(Exhausted);
            }
        }
        let others: Vec<(usize, bool, u32)> = key
            .1
            .iter()
            .filter(|(_, is)| !is)
            .map(|(place, _)| *place)
            .collect();
        let mut answer = Some(excluded);
        for choice in choices {
            let found = self.exclude_choice(rooted, choice, &others, work)?;
            answer = answer.zip(found).map(|((mut sets, mut needed), (set, more))| {
                sets.push(set);
                needed.extend(more);
                (sets, needed)
            });
            if answer.is_none() {
                break;
            }
        }
        self.answers.insert(key, answer.clone());
        Ok(answer)
    }

    /// Looks for a closed set of these literals and of as few of the others as possible, none of which may match.
    fn exclude_choice(
        &mut self,
        rooted: bool,
        mut literals: Vec<Literal>,
        others: &[(usize, bool, u32)],
        work: &mut Work,
    ) -> Result<Option<(usize, HashSet<Wish>)>, Exhausted> {
        let mut needed: HashSet<Wish> = HashSet::new();
        loop {
            literals.sort_unstable();
            let key = (rooted, literals.clone());
            if let Some(known) = self.known.get(&key) {
                return Ok(Some((*known, needed)));
            }
            let explored = explore(rooted, &self.patterns(&literals)?, work)?;
            let text = match explored {
                Explored::Tuples(tuples) => {
                    let number = self.count;
                    self.count += 1;
                    self.lines
                        .push(json!({ "closed": (rooted, &literals, tuples) }).to_string());
                    self.known.insert(key, number);
                    return Ok(Some((number, needed)));
                }
                Explored::Text(text) => text,
            };
            let misses = |place: &&(usize, bool, u32)| {
                !needed.contains(&(**place, false))
                    && self
                        .matcher(**place)
                        .is_some_and(|matcher| matcher.matches(&text))
            };
            let missed: Vec<(usize, bool, u32)> = others.iter().filter(misses).copied().collect();
            if missed.is_empty() {
                return Ok(None);
            }
            let joining = if needed.len() < ONE_BY_ONE {
                1
            } else {
                missed.len()
            };
            for place in missed.into_iter().take(joining) {
                needed.insert((place, false));
                let (side, is_url, id) = place;
                match patterns(self.matcher(place)) {
                    Ok(parts) => {
                        literals.extend((0..parts.len()).map(|part| (side, is_url, id, part, false)));
                    }
                    // It matches everything, so that no text is left and no set is needed.
                    Err(_) => return Err(Exhausted),
                }
            }
        }
    }

    fn matcher(&self, (side, is_url, id): (usize, bool, u32)) -> Option<&'p Matcher> {
        let program = self.sides.get(side)?;
        Some(match is_url {
            true => program.path_matcher(UrlId(id)),
            false => program.value_matcher(MatcherId(id)),
        })
    }

    fn patterns(&self, literals: &[Literal]) -> Result<Vec<(Pattern<'p>, bool)>, Exhausted> {
        let pattern = |(side, is_url, id, part, wanted): &Literal| {
            let parts = patterns(self.matcher((*side, *is_url, *id))).ok()?;
            Some((parts.into_iter().nth(*part)?, *wanted))
        };
        literals
            .iter()
            .map(pattern)
            .collect::<Option<_>>()
            .ok_or(Exhausted)
    }
}

/// Follows all texts through the patterns, but for those that cannot lead to a text that satisfies all literals.
fn explore(rooted: bool, of: &[(Pattern<'_>, bool)], work: &mut Work) -> Result<Explored, Exhausted> {
    let bytes = representatives(of);
    let next = |tuple: &[States], byte: u8| -> Vec<States> {
        let text = tuple.first().into_iter();
        let text = text.map(|text| text.iter().map(|state| utf8(*state, byte)).collect());
        let states = tuple.iter().skip(1).zip(of);
        text.chain(states.map(|(states, (pattern, _))| pattern.next(states, byte)))
            .collect()
    };
    let mut known: HashSet<Vec<States>> = HashSet::new();
    let (mut reached, mut from): (Vec<Vec<States>>, Vec<(usize, u8)>) = (Vec::new(), Vec::new());
    let mut start: Vec<States> = vec![vec![0]];
    start.extend(of.iter().map(|(pattern, _)| pattern.start()));
    if rooted {
        start = next(&start, b'/');
    }
    if !is_over(&start, of, &bytes) {
        known.insert(start.clone());
        reached.push(start);
        from.push((0, b'/'));
    }
    let mut at = 0;
    while let Some(tuple) = reached.get(at).cloned() {
        work.take((of.len() + 1) * (bytes.len() + 1))?;
        let mut answers = tuple.iter().skip(1).zip(of);
        let is_text = tuple.first() == Some(&vec![0]);
        if is_text && answers.all(|(states, (pattern, wanted))| pattern.accepts(states) == *wanted) {
            let text = spell(&from, at, rooted);
            return String::from_utf8(text).map(Explored::Text).map_err(|_| Exhausted);
        }
        for byte in &bytes {
            let next = next(&tuple, *byte);
            if known.insert(next.clone()) && !is_over(&next, of, &bytes) {
                reached.push(next);
                from.push((at, *byte));
            }
        }
        if reached.len() > TUPLES {
            return Err(Exhausted);
        }
        at += 1;
    }
    Ok(Explored::Tuples(reached))
}

/// Whether no text goes on so, or a pattern's states do not change any more and its answer is not the one that is wanted.
fn is_over(tuple: &[States], of: &[(Pattern<'_>, bool)], bytes: &[u8]) -> bool {
    let mut states = tuple.iter().skip(1).zip(of);
    tuple.first() == Some(&vec![NO_TEXT])
        || states.any(|(states, (pattern, wanted))| {
            pattern.accepts(states) != *wanted
                && bytes.iter().all(|byte| pattern.next(states, *byte) == *states)
        })
}

/// One byte of each class that the patterns and UTF-8 distinguish, letters and digits first.
fn representatives(of: &[(Pattern<'_>, bool)]) -> Vec<u8> {
    let mut known = HashSet::new();
    let mut all: Vec<u8> = (0..=u8::MAX).collect();
    all.sort_by_key(|byte| (!byte.is_ascii_alphanumeric(), !byte.is_ascii_graphic(), *byte));
    all.retain(|byte| {
        let keys: Vec<Vec<u8>> = of.iter().map(|(pattern, _)| pattern.key(*byte)).collect();
        let text: Vec<u32> = (0..NO_TEXT).map(|state| utf8(state, *byte)).collect();
        known.insert((keys, text))
    });
    all
}

fn spell(from: &[(usize, u8)], mut at: usize, rooted: bool) -> Vec<u8> {
    let mut text = Vec::new();
    while at > 0
        && let Some((before, byte)) = from.get(at)
    {
        text.push(*byte);
        at = *before;
    }
    text.extend(rooted.then_some(b'/'));
    text.reverse();
    text
}
