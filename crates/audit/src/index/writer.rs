//! What the writer keeps beside a period's database: derived from its blocks, and read from them where it is missing.

use std::path::Path;

use crate::format::block::Head;
use crate::index::bloom::Summarizer;
use crate::index::counts::Summing;
use crate::index::time_order::Order;
use crate::model::record::{Outcome, Record};
use crate::period::name::Period;

/// The summaries and sums of one period, and whether it is in the order of time.
#[derive(Debug)]
pub(crate) struct Beside {
    /// Which.
    pub(crate) period: Period,
    summaries: Summarizer,
    sums: Summing,
    order: Order,
}

impl Beside {
    /// For `period`, whose directory is `path`.
    pub(crate) fn open(period: Period, path: &Path) -> Self {
        Self {
            period,
            summaries: Summarizer::open(path),
            sums: Summing::open(path),
            order: Order::of(period.day, path),
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
    pub(crate) fn end_block(&mut self, head: &mut Head) {
        head.written_ms = self.order.written(head.written_ms, head.latest_ms);
        self.order.see(head);
        self.summaries.end_block(head.first, head.last());
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
