//! Writing the index of a period: derived from its blocks, which are read if it is missing.

use std::path::Path;

use crate::format::block::Header;
use crate::index::bloom::BloomWriter;
use crate::index::counts::CountsWriter;
use crate::index::time_order::TimeOrder;
use crate::model::record::{Outcome, RecordRef};
use crate::period::name::Day;

/// The index of the period that is written: Bloom filters, counts, and the order of time.
#[derive(Debug)]
pub(crate) struct IndexWriter {
    bloom: BloomWriter,
    counts: CountsWriter,
    time_order: TimeOrder,
}

impl IndexWriter {
    /// Begins the index of a new period of `day` in the directory `path`.
    pub(crate) fn open(day: Day, path: &Path) -> Self {
        Self {
            bloom: BloomWriter::open(path),
            counts: CountsWriter::open(path),
            time_order: TimeOrder::of(day, path),
        }
    }

    /// Adds a decision, which will be written in the block that begins at `block`.
    pub(crate) fn see(&mut self, block: u64, record: &RecordRef<'_>) {
        self.bloom.see(block, record);
        self.counts.see(record);
    }

    /// Adds an end, which will be written in the block that begins at `block`.
    pub(crate) fn see_end(&mut self, block: u64, outcome: &Outcome) {
        self.bloom.see_end(block, outcome);
    }

    /// Ends a block: sets the time at which it counts as written, and marks the period first if that breaks the order.
    pub(crate) fn end_block(&mut self, header: &mut Header) {
        header.written_ms = self.time_order.written(header.written_ms, header.latest_ms);
        self.time_order.see(header);
        self.bloom.end_block(header.first, header.last());
    }

    /// Counts the calls seen: they are on disk, in blocks with the sequence numbers `first` to `last`.
    pub(crate) fn committed(&mut self, first: u64, last: u64) {
        self.counts.committed(first, last);
    }

    /// Drops the calls seen, which could not be written.
    pub(crate) fn failed(&mut self) {
        self.counts.failed();
    }
}
