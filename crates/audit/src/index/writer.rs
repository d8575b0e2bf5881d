//! Writing the index of a period: derived from its blocks, which are read if it is missing.

use std::path::Path;

use crate::format::block::Header;
use crate::index::bloom::BloomWriter;
use crate::index::counts::CountsWriter;
use crate::index::time_order::TimeOrder;
use crate::model::record::{Outcome, Record};
use crate::period::name::Day;

/// The index of the period that is written: Bloom filters, counts, and the order of time.
#[derive(Debug)]
pub(crate) struct IndexWriter {
    summaries: BloomWriter,
    sums: CountsWriter,
    order: TimeOrder,
}

impl IndexWriter {
    /// Begins the index of a new period of `day` in the directory `path`.
    pub(crate) fn open(day: Day, path: &Path) -> Self {
        Self {
            summaries: BloomWriter::open(path),
            sums: CountsWriter::open(path),
            order: TimeOrder::of(day, path),
        }
    }

    /// A decision is to be written in the block that begins at `block`.
    pub(crate) fn see(&mut self, block: u64, record: &Record) {
        self.summaries.see(block, record);
        self.sums.see(record);
    }

    /// An end is to be written in the block that begins at `block`.
    pub(crate) fn see_end(&mut self, block: u64, outcome: &Outcome) {
        self.summaries.see_end(block, outcome);
    }

    /// The block that `head` begins is whole: settles when it counts as written.
    pub(crate) fn end_block(&mut self, header: &mut Header) {
        header.written_ms = self.order.written(header.written_ms, header.latest_ms);
        self.order.see(header);
        self.summaries.end_block(header.first, header.last());
    }

    /// Counts the calls seen: they are on disk, in blocks with the sequence numbers `first` to `last`.
    pub(crate) fn committed(&mut self, first: u64, last: u64) {
        self.sums.committed(first, last);
    }

    /// Drops the calls seen, which could not be written.
    pub(crate) fn failed(&mut self) {
        self.sums.failed();
    }
}
