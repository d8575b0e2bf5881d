//! The entries that may match a request of another one, found by how their paths begin: not by trying each.

use std::collections::{BTreeMap, BTreeSet};

use super::case::Entry;

/// Entries by the beginnings of their paths.
pub(super) struct Near<'e, 'p> {
    entries: &'e [Entry<'p>],
    by_head: BTreeMap<&'e [u8], Vec<usize>>,
    /// The lengths of the beginnings.
    lengths: BTreeSet<usize>,
}

impl<'e, 'p> Near<'e, 'p> {
    pub(super) fn new(entries: &'e [Entry<'p>]) -> Self {
        let mut by_head: BTreeMap<&[u8], Vec<usize>> = BTreeMap::new();
        for (at, entry) in entries.iter().enumerate() {
            by_head.entry(&entry.head).or_default().push(at);
        }
        Self {
            entries,
            lengths: by_head.keys().map(|head| head.len()).collect(),
            by_head,
        }
    }

    /// The entries near this one, itself included, in their order.
    pub(super) fn of(&self, entry: &Entry<'p>) -> Vec<&'e Entry<'p>> {
        let head = entry.head.as_slice();
        // One beginning is the beginning of the other.
        let shorter = self.lengths.iter().take_while(|length| **length < head.len());
        let shorter = shorter.filter_map(|length| self.by_head.get(head.get(..*length)?));
        let longer = self.by_head.range(head..);
        let longer = longer
            .take_while(|(other, _)| other.starts_with(head))
            .map(|(_, entries)| entries);
        let mut near: Vec<usize> = shorter.chain(longer).flatten().copied().collect();
        near.sort_unstable();
        let near = near.into_iter().filter_map(|at| self.entries.get(at));
        near.filter(|other| other.is_near(entry)).collect()
    }
}
