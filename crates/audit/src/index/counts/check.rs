//! Comparing the counts of a period with its blocks, while these are verified in order.

use std::iter::Peekable;
use std::path::Path;

use super::chunk::Chunks;
use super::groups::{GroupKey, Groups};
use crate::format::decode::RecordView;

/// Most groups that are counted: more than any chunk has. Counting more would only take memory.
const MOST_GROUPS: usize = 1 << 17;

/// Checks of each chunk whether it differs from its blocks.
#[derive(Debug, Default)]
pub(crate) struct CountsCheck {
    chunks: Option<Peekable<Chunks>>,
    // The groups of the next chunk.
    counted: Groups,
    begun: Option<Begun>,
    // Sequence numbers of chunks that ended without a block, and the number of faults known when they began.
    doubtful: Vec<(u64, usize)>,
    // Faults of blocks that were known when the last block was over.
    faults: usize,
}

/// A chunk that had a block.
#[derive(Debug, Clone, Copy)]
struct Begun {
    // Whether chunk and block began with the same sequence number.
    with_block: bool,
    // So many faults of blocks were known.
    faults: usize,
}

impl CountsCheck {
    /// Reads the chunks of the period at `path`. `faults` is the number of faulty blocks known so far.
    pub(crate) fn of(path: &Path, faults: usize) -> Self {
        Self {
            chunks: Some(Chunks::of(path).peekable()),
            faults,
            ..Self::default()
        }
    }

    fn next(&mut self) -> Option<(u64, u64)> {
        let next = self.chunks.as_mut()?.peek()?;
        Some((next.first, next.last))
    }

    /// A block begins with `first`: its calls follow.
    pub(crate) fn begin_block(&mut self, first: u64) {
        while let Some((begin, _)) = self.next().filter(|(_, last)| *last < first) {
            let faults = self.begun.map_or(self.faults, |begun| begun.faults);
            self.doubtful.push((begin, faults));
            self.take(|_, _| true);
        }
    }

    /// Counts the call with this sequence number. They must ascend.
    pub(crate) fn see(&mut self, sequence: u64, view: &RecordView<'_>) {
        let within = (self.next()).is_some_and(|(first, last)| (first..=last).contains(&sequence));
        if within && self.counted.len() <= MOST_GROUPS {
            self.counted.count(&GroupKey::from(view), view.time_ms);
        }
    }

    /// Ends the block from `first` to `last`, which is sound. `faults` is the number of faulty blocks known so far. Returns the
    /// first sequence numbers of wrong chunks. A chunk with a faulty block is not judged.
    pub(crate) fn end_block(&mut self, first: u64, last: u64, faults: usize) -> Vec<u64> {
        let mut wrong: Vec<(u64, usize)> = std::mem::take(&mut self.doubtful);
        while let Some((begin, end)) = self.next().filter(|(begin, _)| *begin <= last) {
            let begun = *self.begun.get_or_insert(Begun {
                with_block: begin == first,
                faults: self.faults,
            });
            if end > last {
                break;
            }
            let with_blocks = begun.with_block && end == last;
            if self.take(|chunk, counted| !(with_blocks && chunk.tells(counted))) {
                wrong.push((begin, begun.faults));
            }
        }
        self.faults = faults;
        wrong.retain(|(_, known)| *known == faults);
        wrong.into_iter().map(|(begin, _)| begin).collect()
    }

    /// Ends the next chunk, and returns the result of `judge` on it.
    fn take(&mut self, judge: impl FnOnce(&super::chunk::Chunk, &Groups) -> bool) -> bool {
        let chunk = self.chunks.as_mut().and_then(Iterator::next);
        let judged = chunk.is_some_and(|chunk| judge(&chunk, &self.counted));
        self.counted.clear();
        self.begun = None;
        judged
    }
}
