//! Which sets include which: a graph, whose questions cost no more than the includes that they follow.

/// Includes that questions about repetitions may follow in one compilation. Each such question may follow all includes, and each
/// set and token asks one.
const STEPS: usize = 20_000_000;

/// Names a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct SetId(u32);

impl SetId {
    /// All names, in order.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        (0..).map(Self)
    }

    pub(super) fn index(self) -> usize {
        self.0 as usize
    }
}

/// The includes of each set.
pub(super) struct Graph {
    includes: Vec<Vec<SetId>>,
    /// For each set, the last round in which it was visited.
    visited: Vec<u64>,
    round: u64,
    steps: usize,
}

impl Graph {
    pub(super) fn new(includes: impl Iterator<Item = Vec<SetId>>) -> Self {
        let includes: Vec<Vec<SetId>> = includes.collect();
        Self {
            visited: vec![0; includes.len()],
            includes,
            round: 0,
            steps: STEPS,
        }
    }

    /// The sets that a set includes.
    pub(super) fn includes(&self, id: SetId) -> &[SetId] {
        self.includes.get(id.index()).map_or(&[], Vec::as_slice)
    }

    /// The number of sets.
    pub(super) fn len(&self) -> usize {
        self.includes.len()
    }

    /// Begins a round of visits. Costs nothing, however many sets there are.
    pub(super) fn forget_visits(&mut self) {
        self.round += 1;
    }

    /// Visits a set. False if it was visited in this round.
    pub(super) fn visit(&mut self, id: SetId) -> bool {
        let round = self.round;
        self.visited
            .get_mut(id.index())
            .is_some_and(|visited| std::mem::replace(visited, round) != round)
    }

    /// For each of some different sets, the first other one, as its place among them, that includes it, itself or through
    /// others. `None`: the steps of this compilation are used up.
    pub(super) fn reached_by(&mut self, roots: &[SetId]) -> Option<Vec<Option<usize>>> {
        let mut reached = vec![None; roots.len()];
        // Without a set that includes others there is nothing to find; most lists are such.
        if roots.len() < 2 || roots.iter().all(|root| self.includes(*root).is_empty()) {
            return Some(reached);
        }
        let places: std::collections::HashMap<SetId, usize> =
            roots.iter().enumerate().map(|(at, root)| (*root, at)).collect();
        self.forget_visits();
        for (by, root) in roots.iter().enumerate() {
            // What an earlier set reaches, it reaches through all that this one reaches too: nothing is followed twice.
            let mut open = vec![*root];
            while let Some(id) = open.pop() {
                let includes = self.includes.get(id.index()).map_or(&[][..], Vec::as_slice);
                self.steps = self.steps.checked_sub(includes.len())?;
                for inner in includes {
                    let visited = self.visited.get_mut(inner.index())?;
                    if std::mem::replace(visited, self.round) == self.round {
                        continue;
                    }
                    open.push(*inner);
                    if let Some(place) = places.get(inner).filter(|place| **place != by)
                        && let Some(reached) = reached.get_mut(*place)
                    {
                        *reached = Some(by);
                    }
                }
            }
        }
        Some(reached)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(includes: &[&[u32]]) -> Graph {
        Graph::new(
            includes
                .iter()
                .map(|includes| includes.iter().map(|id| SetId(*id)).collect()),
        )
    }

    fn ids(ids: &[u32]) -> Vec<SetId> {
        ids.iter().map(|id| SetId(*id)).collect()
    }

    #[test]
    fn what_another_reaches_is_found_with_the_first_that_does() {
        let mut graph = graph(&[&[1], &[2], &[], &[2], &[]]);
        assert_eq!(
            graph.reached_by(&ids(&[2, 3, 0, 4])),
            Some(vec![Some(1), None, None, None])
        );
        assert_eq!(
            graph.reached_by(&ids(&[0, 1, 2])),
            Some(vec![None, Some(0), Some(0)])
        );
        assert_eq!(graph.reached_by(&ids(&[4, 2])), Some(vec![None, None]));
    }

    #[test]
    fn includes_of_all_sets_before_are_followed_within_bounds() {
        let count = 2_000_u32;
        let mut graph = Graph::new((0..count).map(|at| (0..at).map(SetId).collect()));
        let mut settled = 0;
        for at in 0..count {
            let roots: Vec<SetId> = (0..at).map(SetId).collect();
            settled += u32::from(graph.reached_by(&roots).is_some());
        }
        assert!((300..count).contains(&settled), "{settled}");
        assert!(graph.steps < STEPS);
    }
}
