//! Sets that include themselves, through others or directly.

use std::collections::{HashMap, HashSet, VecDeque};

use super::graph::{Graph, SetId};

/// The shortest way of includes from one set to another, both included, within some.
pub(super) fn way(graph: &Graph, (from, to): (SetId, SetId), within: &HashSet<SetId>) -> Option<Vec<SetId>> {
    let mut before: HashMap<SetId, SetId> = HashMap::new();
    let mut open = VecDeque::from([from]);
    while let Some(id) = open.pop_front() {
        if id == to {
            let back = std::iter::successors(Some(to), |id| before.get(id).copied().filter(|_| *id != from));
            let mut way: Vec<SetId> = back.collect();
            way.reverse();
            return Some(way);
        }
        for inner in graph.includes(id) {
            if within.contains(inner) && *inner != from && !before.contains_key(inner) {
                before.insert(*inner, id);
                open.push_back(*inner);
            }
        }
    }
    None
}

/// Groups of sets that include each other, each in order. Tarjan, "Depth-first search and linear graph algorithms" (1972), as a loop.
pub(super) fn circles(graph: &Graph) -> Vec<Vec<SetId>> {
    const NEW: usize = usize::MAX;
    let count = graph.len();
    let (mut index, mut low) = (vec![NEW; count], vec![NEW; count]);
    let (mut on_stack, mut stack, mut next) = (vec![false; count], Vec::new(), 0);
    let mut found = Vec::new();
    for root in SetId::all().take(count) {
        let mut open = vec![(root, 0_usize)];
        while let Some((id, at)) = open.pop() {
            let (Some(own), Some(own_low)) = (index.get_mut(id.index()), low.get_mut(id.index())) else {
                continue;
            };
            if at == 0 {
                if *own != NEW {
                    continue;
                }
                (*own, *own_low) = (next, next);
                next += 1;
                stack.push(id);
                on_stack.get_mut(id.index()).into_iter().for_each(|on| *on = true);
            }
            let own = *own;
            // Back from the include before this one.
            let includes = graph.includes(id);
            let mut lowest = *own_low;
            if let Some(inner) = at.checked_sub(1).and_then(|before| includes.get(before)) {
                lowest = lowest.min(lower(*inner, &on_stack, &low));
            }
            low.get_mut(id.index()).into_iter().for_each(|low| *low = lowest);
            if let Some(inner) = includes.get(at) {
                open.extend([(id, at + 1), (*inner, 0)]);
                continue;
            }
            if lowest == own {
                let start = stack.iter().rposition(|other| *other == id).unwrap_or_default();
                let mut group: Vec<SetId> = stack.split_off(start);
                for id in &group {
                    on_stack
                        .get_mut(id.index())
                        .into_iter()
                        .for_each(|on| *on = false);
                }
                group.sort_unstable();
                if group.len() > 1 || includes.contains(&id) {
                    found.push(group);
                }
            }
        }
    }
    found
}

/// The lowest number that a set which is not settled leads to.
fn lower(id: SetId, on_stack: &[bool], low: &[usize]) -> usize {
    match on_stack.get(id.index()) {
        Some(true) => low.get(id.index()).copied().unwrap_or(usize::MAX),
        _ => usize::MAX,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(includes: &[&[usize]]) -> Vec<Vec<usize>> {
        let ids: Vec<SetId> = SetId::all().take(includes.len()).collect();
        let graph = Graph::new(
            includes
                .iter()
                .map(|includes| includes.iter().map(|at| ids[*at]).collect()),
        );
        let mut found: Vec<Vec<usize>> = circles(&graph)
            .iter()
            .map(|circle| circle.iter().map(|id| id.index()).collect())
            .collect();
        found.sort();
        found
    }

    #[test]
    fn circles_are_those_and_only_those() {
        assert_eq!(found(&[&[1], &[2], &[]]), Vec::<Vec<usize>>::new());
        assert_eq!(found(&[&[0]]), [[0]]);
        assert_eq!(
            found(&[&[1, 3], &[2], &[0], &[4], &[3], &[0, 3]]),
            [vec![0, 1, 2], vec![3, 4]]
        );
        // A circle behind an include that leads nowhere, and one that leads into a settled circle.
        assert_eq!(
            found(&[&[1, 2], &[], &[3], &[2], &[2, 1, 4]]),
            [vec![2, 3], vec![4]]
        );
    }

    #[test]
    fn a_circle_may_be_as_long_as_there_are_sets() {
        let count = 100_000;
        let ids: Vec<SetId> = SetId::all().take(count).collect();
        let graph = Graph::new((0..count).map(|at| vec![ids[(at + 1) % count]]));
        assert_eq!(circles(&graph).len(), 1);
        let within = ids.iter().copied().collect();
        assert_eq!(way(&graph, (ids[1], ids[0]), &within).unwrap().len(), count);
    }
}
