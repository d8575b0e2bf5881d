//! Holding a period's sums against its blocks, while these are verified one after the other.

use std::iter::Peekable;
use std::path::Path;

use super::chunk::Chunks;
use super::groups::{GroupKey, Groups};
use crate::format::decode::RecordView;

/// More groups than a chapter that is written has; counting more would only take memory.
const MOST_GROUPS: usize = 1 << 17;

/// Tells of each chapter whether it says anything else than its blocks.
#[derive(Debug, Default)]
pub(crate) struct CountsCheck {
    chapters: Option<Peekable<Chunks>>,
    // Of the chapter that comes next.
    counted: Groups,
    begun: Option<Begun>,
    // Places of chapters that ended without a block, and how many faults were known when they began.
    doubtful: Vec<(u64, usize)>,
    // Faults of blocks that were known when the last block was over.
    faults: usize,
}

/// A chapter of which a block was met.
#[derive(Debug, Clone, Copy)]
struct Begun {
    // Both began with the same place.
    with_block: bool,
    // So many faults of blocks were known.
    faults: usize,
}

impl CountsCheck {
    /// Those of the period at `path`; so many faults of blocks are known.
    pub(crate) fn of(path: &Path, faults: usize) -> Self {
        Self {
            chapters: Some(Chunks::of(path).peekable()),
            faults,
            ..Self::default()
        }
    }

    fn next(&mut self) -> Option<(u64, u64)> {
        let next = self.chapters.as_mut()?.peek()?;
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

    /// A call stands at `place`; places ascend.
    pub(crate) fn see(&mut self, sequence: u64, view: &RecordView<'_>) {
        let within = (self.next()).is_some_and(|(first, last)| (first..=last).contains(&sequence));
        if within && self.counted.len() <= MOST_GROUPS {
            self.counted.count(&GroupKey::from(view), view.time_ms);
        }
    }

    /// The block that began with `first` ends with `last`, and is sound; so many faults of blocks are known. Gives the places
    /// where chapters begin that are wrong. One of whose blocks some are faulty is not judged.
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
            if self.take(|chapter, counted| !(with_blocks && chapter.tells(counted))) {
                wrong.push((begin, begun.faults));
            }
        }
        self.faults = faults;
        wrong.retain(|(_, known)| *known == faults);
        wrong.into_iter().map(|(begin, _)| begin).collect()
    }

    /// Done with the next chapter: gives what `judge` says of it.
    fn take(&mut self, judge: impl FnOnce(&super::chunk::Chunk, &Groups) -> bool) -> bool {
        let chapter = self.chapters.as_mut().and_then(Iterator::next);
        let judged = chapter.is_some_and(|chapter| judge(&chapter, &self.counted));
        self.counted.clear();
        self.begun = None;
        judged
    }
}
