//! The picture of reach: tokens by groups of operations.

use std::collections::BTreeMap;

use super::super::gather::{Api, Gathered};
use super::super::page::{Block, GroupRow, Picture, Shade};
use super::common::{Kind, group, link, reached};

/// Tokens next to each other: so many fit on paper and on a telephone.
const ABREAST: usize = 6;
/// Tokens in the picture.
const MOST: usize = 120;
/// Names of groups that no token reaches.
const NAMED: usize = 100;

/// The operations of a group that a token reaches.
#[derive(Clone, Copy, Default)]
struct Count {
    reached: usize,
    writes: usize,
    deletes: usize,
}

/// The picture.
pub(super) fn picture(gathered: &Gathered, api: &Api) -> Picture {
    // The groups with their numbers of operations, and the group of each operation.
    let names: Vec<String> = api.operations().iter().map(group).collect();
    let mut sizes: BTreeMap<&str, usize> = BTreeMap::new();
    for name in &names {
        *sizes.entry(name).or_default() += 1;
    }
    // Each token that reaches something, those with the most power first.
    let mut tokens: Vec<(usize, BTreeMap<&str, Count>)> = Vec::new();
    for at in 0..gathered.tokens.len() {
        let mut counts: BTreeMap<&str, Count> = BTreeMap::new();
        for (number, operation, _) in reached(api, at) {
            let name = names.get(number).map_or("", String::as_str);
            let count = counts.entry(name).or_default();
            count.reached += 1;
            match Kind::of(operation) {
                Kind::Delete => count.deletes += 1,
                Kind::Write => count.writes += 1,
                Kind::Read => {}
            }
        }
        if !counts.is_empty() {
            tokens.push((at, counts));
        }
    }
    let tokens_without = gathered.tokens.len() - tokens.len();
    tokens.sort_by_key(|(at, counts)| {
        let sum = |of: &dyn Fn(&Count) -> usize| counts.values().map(of).sum::<usize>();
        let power = (
            sum(&|count| count.deletes),
            sum(&|count| count.writes),
            sum(&|count| count.reached),
        );
        (std::cmp::Reverse(power), *at)
    });
    let tokens_left_out = tokens.len().saturating_sub(MOST);
    let without = |name: &&&str| !tokens.iter().any(|(_, counts)| counts.contains_key(**name));
    let groups_without: Vec<&&str> = sizes.keys().filter(|name| without(name)).collect();
    let more_groups_without = groups_without.len().saturating_sub(NAMED);
    let groups_without = groups_without.into_iter().take(NAMED);
    let groups_without = groups_without.map(|name| (*name).to_owned()).collect();
    tokens.truncate(MOST);
    let blocks = tokens.chunks(ABREAST);
    let blocks = blocks.map(|tokens| block(gathered, tokens, &sizes)).collect();
    Picture {
        blocks,
        groups_without,
        more_groups_without,
        tokens_without,
        tokens_left_out,
    }
}

/// Some tokens with the groups that one of them reaches.
fn block(
    gathered: &Gathered,
    tokens: &[(usize, BTreeMap<&str, Count>)],
    sizes: &BTreeMap<&str, usize>,
) -> Block {
    let is_reached = |name: &str| tokens.iter().any(|(_, counts)| counts.contains_key(name));
    let rows = sizes.iter().filter(|(name, _)| is_reached(name));
    let rows = rows.map(|(name, size)| GroupRow {
        name: (*name).to_owned(),
        operations: *size,
        cells: tokens
            .iter()
            .map(|(_, counts)| shade(counts.get(name).copied().unwrap_or_default(), *size))
            .collect(),
    });
    Block {
        rows: rows.collect(),
        tokens: tokens.iter().map(|(at, _)| link(gathered, *at)).collect(),
    }
}

fn shade(count: Count, size: usize) -> Shade {
    let level = match count.reached {
        0 => 0,
        all if all >= size => 4,
        some if some * 2 >= size => 3,
        some if some * 4 >= size => 2,
        _ => 1,
    };
    Shade {
        level,
        reached: count.reached,
        writes: count.writes,
        deletes: count.deletes,
    }
}
