//! Runs of places of a period that a walk passes over, since nothing in them has to be read.

/// First and last place of each, ascending. Each begins with a block and ends with one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Runs(Vec<(u64, u64)>);

impl Runs {
    /// Adds a run. `false` where it does not stand behind all that are there: then it is not added.
    pub(crate) fn push(&mut self, first: u64, last: u64) -> bool {
        match self.0.last_mut() {
            Some((_, end)) if *end >= first => return false,
            Some((_, end)) if end.checked_add(1) == Some(first) => *end = last,
            _ => self.0.push((first, last)),
        }
        true
    }

    /// What is in either.
    pub(crate) fn joined(self, other: Self) -> Self {
        let mut all = [self.0, other.0].concat();
        all.sort_unstable();
        let mut joined = Self::default();
        for (first, last) in all {
            match joined.0.last_mut() {
                Some((_, end)) if first <= end.saturating_add(1) => *end = last.max(*end),
                _ => joined.0.push((first, last)),
            }
        }
        joined
    }

    /// From where on a walk forward that is to look at `at` has to look.
    pub(crate) fn forward(&self, at: u64) -> u64 {
        let n = self.0.partition_point(|(_, last)| *last < at);
        match self.0.get(n) {
            Some((first, last)) if *first <= at => last.saturating_add(1),
            _ => at,
        }
    }

    /// Up to where a walk backward that is to look before `at` has to look.
    pub(crate) fn backward(&self, at: u64) -> u64 {
        let n = self.0.partition_point(|(first, _)| *first < at);
        match n.checked_sub(1).and_then(|n| self.0.get(n)) {
            Some((first, last)) if *last >= at.saturating_sub(1) => *first,
            _ => at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_passed_over_either_way() {
        let mut runs = Runs::default();
        assert!(runs.push(10, 19) && runs.push(30, 34) && runs.push(35, 39));
        assert!(!runs.push(39, 50));
        assert_eq!(runs, Runs(vec![(10, 19), (30, 39)]));
        let forward = [5, 10, 15, 19, 20, 29, 30, 40].map(|at| runs.forward(at));
        assert_eq!(forward, [5, 20, 20, 20, 20, 29, 40, 40]);
        // To look before 20 is to look at 19 first.
        let backward = [5, 10, 11, 20, 21, 30, 31, 40, 41].map(|at| runs.backward(at));
        assert_eq!(backward, [5, 10, 10, 10, 21, 30, 30, 30, 41]);
        assert_eq!((Runs::default().forward(7), Runs::default().backward(7)), (7, 7));
    }

    #[test]
    fn what_is_in_either_is_joined() {
        let a = Runs(vec![(10, 19), (30, 39), (60, 61)]);
        let b = Runs(vec![(1, 4), (15, 34), (40, 45), (50, 52)]);
        let joined = Runs(vec![(1, 4), (10, 45), (50, 52), (60, 61)]);
        assert_eq!(a.clone().joined(b.clone()), joined);
        assert_eq!(b.joined(a.clone()), joined);
        assert_eq!(a.clone().joined(Runs::default()), a);
    }
}
