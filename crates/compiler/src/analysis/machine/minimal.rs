//! Merges states that accept the same texts: Moore's refinement of partitions.

use std::collections::HashMap;

use super::draft::{Draft, End};
use crate::analysis::budget::{Exhausted, Work};

/// Steps after which states are left as they are: a machine need not be minimal to be right.
const MOST: usize = 2_000_000;

/// For each state the number of its block.
pub(super) fn blocks(draft: &Draft, work: &mut Work) -> Result<Vec<u32>, Exhausted> {
    let states = draft.accepts.len();
    let answers = draft.ends.iter().zip(&draft.accepts);
    let (mut blocks, mut count) = numbered(answers.map(|(end, accepts)| match end {
        End::Open => (*end, *accepts),
        End::Dead | End::Universal => (*end, false),
    }));
    let mut took = 0;
    loop {
        let cost = states * (draft.stride + 1);
        work.take(cost)?;
        took += cost;
        if took > MOST {
            return Ok(unrefined(draft));
        }
        let signature = |state: usize| -> Vec<u32> {
            let own = blocks.get(state).copied().unwrap_or_default();
            let steps = match draft.ends.get(state) {
                Some(End::Open) => draft.next.get(state * draft.stride..(state + 1) * draft.stride),
                _ => None,
            };
            let to = steps.unwrap_or_default().iter();
            let to = to.map(|next| blocks.get(*next as usize).copied().unwrap_or_default());
            std::iter::once(own).chain(to).collect()
        };
        let (refined, more) = numbered((0..states).map(signature));
        blocks = refined;
        if more == count {
            return Ok(blocks);
        }
        count = more;
    }
}

/// Every state by itself, but for the dead and the universal ones.
fn unrefined(draft: &Draft) -> Vec<u32> {
    let own = draft.ends.iter().enumerate().map(|(state, end)| match end {
        End::Open => (*end, state),
        End::Dead | End::Universal => (*end, 0),
    });
    numbered(own).0
}

/// Numbers of equal keys, in the order of their first occurrence, and how many there are.
fn numbered<K: Eq + std::hash::Hash>(keys: impl Iterator<Item = K>) -> (Vec<u32>, usize) {
    let mut known: HashMap<K, u32> = HashMap::new();
    let numbers = keys
        .map(|key| {
            let fresh = u32::try_from(known.len()).unwrap_or(u32::MAX);
            *known.entry(key).or_insert(fresh)
        })
        .collect();
    (numbers, known.len())
}
