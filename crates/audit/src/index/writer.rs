//! What the writer keeps beside a period's database: derived from its blocks, and read from them where it is missing.

use std::path::Path;

use crate::format::block::Header;
use crate::index::bloom::BloomWriter;
use crate::index::counts::CountsWriter;
use crate::index::time_order::TimeOrder;
use crate::model::record::{Outcome, Record};
use crate::period::name::Period;

/// The summaries and sums of one period, and whether it is in the order of time.
#[derive(Debug)]
pub(crate) struct IndexWriter {
    /// Which.
    pub(crate) period: Period,
    summaries: BloomWriter,
    sums: CountsWriter,
    order: TimeOrder,
}

impl IndexWriter {
    /// For `period`, whose directory is `path`.
    pub(crate) fn open(period: Period, path: &Path) -> Self {
        Self {
            period,
            summaries: BloomWriter::open(path),
            sums: CountsWriter::open(path),
            order: TimeOrder::of(period.day, path),
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

    /// What was seen is on disk, in blocks that hold the places `first` to `last`.
    pub(crate) fn committed(&mut self, first: u64, last: u64) {
        self.sums.committed(first, last);
    }

    /// What was seen could not be written.
    pub(crate) fn failed(&mut self) {
        self.sums.failed();
    }
}
