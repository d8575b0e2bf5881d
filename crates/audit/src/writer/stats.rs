//! Counters of a store, for health pages and metrics.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::error::DiskError;
use crate::format::batch::Batch;
use crate::model::entry::Sequence;

/// How many commit durations are kept.
const COMMITS: usize = 64;

/// Counters since the store was opened, and its present state.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StoreStats {
    /// Records taken into the queue.
    pub appended: u64,
    /// Entries (records, outcomes, the store's own) on disk.
    pub durable: u64,
    /// Blocks on disk.
    pub blocks: u64,
    /// Bytes of these blocks; the database takes one to three times as much on disk.
    pub bytes: u64,
    /// Outcomes given up because the queue or the disk did not keep up.
    pub lost_outcomes: u64,
    /// Buffered records given up because the disk failed.
    pub lost_records: u64,
    /// Calls that the caller let pass unrecorded, by its setting.
    pub unrecorded: u64,
    /// Records of outsiders that were over their quota, and counted instead.
    pub counted_outsiders: u64,
    /// Records of calls that a limit refused, over their token's quota, and counted instead.
    pub counted_over_limit: u64,
    /// Records of recognised tokens that did not work for the caller, over their quota, and counted instead.
    pub counted_refused_tokens: u64,
    /// Bytes waiting for the disk.
    pub queue_bytes: u64,
    /// Last entry on disk.
    pub last: Sequence,
    /// The error that stops writing now; absent when writing works.
    pub failing: Option<String>,
    /// Last error, also when writing works again.
    pub last_error: Option<String>,
    /// Commits that failed.
    pub failures: u64,
    /// How long the last commits took, newest last; at most 64.
    pub commits: Vec<Duration>,
}

/// The counters while they count.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) appended: AtomicU64,
    pub(crate) unrecorded: AtomicU64,
    pub(crate) counted_outsiders: AtomicU64,
    pub(crate) counted_over_limit: AtomicU64,
    pub(crate) counted_refused_tokens: AtomicU64,
    pub(crate) lost_outcomes: AtomicU64,
    lost_records: AtomicU64,
    durable: AtomicU64,
    blocks: AtomicU64,
    bytes: AtomicU64,
    failures: AtomicU64,
    rest: Mutex<Rest>,
}

#[derive(Debug, Default)]
struct Rest {
    failing: Option<String>,
    last_error: Option<String>,
    commits: VecDeque<Duration>,
}

/// Adds one.
pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

impl Counters {
    fn rest(&self) -> MutexGuard<'_, Rest> {
        self.rest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A commit succeeded.
    pub(crate) fn committed(&self, entries: u64, blocks: &Batch, took: Duration) {
        let whole = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        self.bytes.fetch_add(whole(blocks.size()), Ordering::Relaxed);
        self.durable.fetch_add(entries, Ordering::Relaxed);
        self.blocks.fetch_add(whole(blocks.count()), Ordering::Relaxed);
        let mut rest = self.rest();
        rest.failing = None;
        if rest.commits.len() >= COMMITS {
            rest.commits.pop_front();
        }
        rest.commits.push_back(took);
    }

    /// A commit failed.
    pub(crate) fn failed(&self, error: &DiskError) {
        count(&self.failures);
        let mut rest = self.rest();
        rest.failing = Some(error.to_string());
        rest.last_error = Some(error.to_string());
    }

    /// What nobody waited for was given up.
    pub(crate) fn lost(&self, records: u64, outcomes: u64) {
        self.lost_records.fetch_add(records, Ordering::Relaxed);
        self.lost_outcomes.fetch_add(outcomes, Ordering::Relaxed);
    }

    /// Reads the counters.
    pub(crate) fn read(&self, last: Sequence, queue_bytes: u64) -> StoreStats {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let rest = self.rest();
        StoreStats {
            appended: of(&self.appended),
            durable: of(&self.durable),
            blocks: of(&self.blocks),
            bytes: of(&self.bytes),
            lost_outcomes: of(&self.lost_outcomes),
            lost_records: of(&self.lost_records),
            unrecorded: of(&self.unrecorded),
            counted_outsiders: of(&self.counted_outsiders),
            counted_over_limit: of(&self.counted_over_limit),
            counted_refused_tokens: of(&self.counted_refused_tokens),
            queue_bytes,
            last,
            failing: rest.failing.clone(),
            last_error: rest.last_error.clone(),
            failures: of(&self.failures),
            commits: rest.commits.iter().copied().collect(),
        }
    }
}
