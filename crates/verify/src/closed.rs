//! Closed sets of the states that texts lead the patterns of an artifact to.

use std::collections::HashSet;

use tokenward_compiler::ir::Pattern;

use crate::format::{Checked, Work, ensure};

/// A pattern, and whether a text is to match it.
pub(crate) type Part<'p> = (Pattern<'p>, bool);
/// The states of each pattern after a text.
type Tuple = Vec<Vec<u32>>;

/// Refuses tuples of states that texts leave, or in which a text gets from each pattern the answer that is wanted. Texts are not
/// followed where a pattern's state does not change any more and its answer is not the one that is wanted, such as of UTF-8.
pub(crate) fn check_closed(rooted: bool, of: &[Part<'_>], tuples: &[Tuple], work: &Work) -> Checked {
    work.take(of.iter().map(|(pattern, _)| pattern.size()).sum())?;
    let mut keys = HashSet::new();
    let key = |byte: u8| -> Vec<Vec<u8>> { of.iter().map(|(pattern, _)| pattern.key(byte)).collect() };
    let bytes: Vec<u8> = (0..=u8::MAX).filter(|byte| keys.insert(key(*byte))).collect();
    let fails = |(states, of): (&Vec<u32>, &Part<'_>)| of.0.accepts(states) != of.1;
    let stays = |(now, of): (&Vec<u32>, &Part<'_>)| bytes.iter().all(|byte| of.0.next(now, *byte) == *now);
    let next = |at: &Tuple, byte| at.iter().zip(of).map(|(states, of)| of.0.next(states, byte)).collect();
    let start: Tuple = of.iter().map(|(pattern, _)| pattern.start()).collect();
    let mut open = vec![if rooted { next(&start, b'/') } else { start }];
    // Only states that texts lead to are followed: others may be none of the patterns'.
    let mut left: HashSet<&[Vec<u32>]> = tuples.iter().map(Vec::as_slice).collect();
    let mut known = HashSet::new();
    while let Some(tuple) = open.pop() {
        work.take(tuple.iter().map(|states| states.len() + 1).sum())?;
        if known.contains(&tuple) || tuple.iter().zip(of).any(|state| fails(state) && stays(state)) {
            continue;
        }
        ensure(left.remove(tuple.as_slice()), "a closed set is not closed")?;
        ensure(tuple.iter().zip(of).any(fails), "a state of a closed set satisfies its literals")?;
        open.extend(bytes.iter().map(|byte| next(&tuple, *byte)));
        known.insert(tuple);
    }
    ensure(left.is_empty(), "a closed set has states that no text leads to")
}
