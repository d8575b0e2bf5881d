//! Runs of sequence numbers of a period that a walk skips, because nothing in them has to be read.

/// First and last sequence number of each run, ascending. Each run begins and ends with a block.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Skipped(Vec<(u64, u64)>);

impl Skipped {
    /// Adds a run. `false` if it does not follow all others: then it is not added.
    pub(crate) fn push(&mut self, first: u64, last: u64) -> bool {
        match self.0.last_mut() {
            Some((_, end)) if *end >= first => return false,
            Some((_, end)) if end.checked_add(1) == Some(first) => *end = last,
            _ => self.0.push((first, last)),
        }
        true
    }

    /// The union of both.
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

    /// Sequence number before which a backward walk must look, if it is to look before `at`.
    pub(crate) fn backward(&self, at: u64) -> u64 {
        let n = self.0.partition_point(|(first, _)| *first < at);
        match n.checked_sub(1).and_then(|n| self.0.get(n)) {
            Some((first, last)) if *last >= at.saturating_sub(1) => *first,
            _ => at,
        }
    }
}

#[cfg(test)]
mod tests;
