//! Closed sets of the states that texts lead the patterns of an artifact to.

use std::collections::HashSet;

use tokenward_compiler::ir::Pattern;

use crate::format::{Checked, Work, ensure};

/// The state of what is no text.
const INVALID: u32 = 8;

/// Valid UTF-8 (Unicode, table 3-7): the state after one more byte; 0 where a character has ended.
fn utf8(state: u32, byte: u8) -> u32 {
    match (state, byte) {
        (0, 0..=0x7F) | (1, 0x80..=0xBF) => 0,
        (0, 0xC2..=0xDF) | (2, 0x80..=0xBF) | (4, 0xA0..=0xBF) | (5, 0x80..=0x9F) => 1,
        (0, 0xE1..=0xEC | 0xEE | 0xEF) | (3, 0x80..=0xBF) | (6, 0x90..=0xBF) | (7, 0x80..=0x8F) => 2,
        (0, 0xF1..=0xF3) => 3,
        (0, 0xE0) => 4,
        (0, 0xED) => 5,
        (0, 0xF0) => 6,
        (0, 0xF4) => 7,
        _ => INVALID,
    }
}

/// Refuses tuples of states that texts leave, or in which a text gets from each pattern the answer that is wanted. Texts are not
/// followed where they are none, or where a pattern's state does not change any more and its answer is not the one that is wanted.
pub(crate) fn check_closed(
    rooted: bool,
    of: &[(Pattern<'_>, bool)],
    tuples: &[Vec<Vec<u32>>],
    work: &Work,
) -> Checked {
    work.take(of.iter().map(|(pattern, _)| pattern.size()).sum())?;
    let key = |byte: u8| -> Vec<Vec<u8>> { of.iter().map(|(pattern, _)| pattern.key(byte)).collect() };
    let mut keys = HashSet::new();
    let is_first =
        |byte: &u8| keys.insert((key(*byte), [0, 1, 2, 3, 4, 5, 6, 7].map(|state| utf8(state, *byte))));
    let bytes: Vec<u8> = (0..=u8::MAX).filter(is_first).collect();
    let is_over = |(states, (pattern, wanted)): (&Vec<u32>, &(Pattern<'_>, bool))| {
        pattern.accepts(states) != *wanted && bytes.iter().all(|byte| pattern.next(states, *byte) == *states)
    };
    let next = |(text, all): &(u32, Vec<Vec<u32>>), byte: u8| {
        let states = all.iter().zip(of).map(|(states, (pattern, _))| pattern.next(states, byte));
        (utf8(*text, byte), states.collect::<Vec<_>>())
    };
    let start = (0, of.iter().map(|(pattern, _)| pattern.start()).collect());
    let mut open = vec![if rooted { next(&start, b'/') } else { start }];
    // Only states that texts lead to are followed: others may be none of the patterns'.
    let mut left: HashSet<&[Vec<u32>]> = tuples.iter().map(Vec::as_slice).collect();
    let mut known = HashSet::new();
    while let Some(tuple) = open.pop() {
        work.take(tuple.1.iter().map(|states| states.len() + 1).sum())?;
        if tuple.0 == INVALID || known.contains(&tuple) || tuple.1.iter().zip(of).any(is_over) {
            continue;
        }
        let listed = [vec![vec![tuple.0]], tuple.1.clone()].concat();
        ensure(left.remove(listed.as_slice()), "a closed set is not closed")?;
        let fails =
            tuple.1.iter().zip(of).any(|(states, (pattern, wanted))| pattern.accepts(states) != *wanted);
        ensure(fails || tuple.0 != 0, "a state of a closed set satisfies its literals")?;
        open.extend(bytes.iter().map(|byte| next(&tuple, *byte)));
        known.insert(tuple);
    }
    ensure(left.is_empty(), "a closed set has states that no text leads to")
}
