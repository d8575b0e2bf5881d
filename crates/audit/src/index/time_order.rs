//! Whether the blocks of a period are in the order of time. A query with times opens only the periods of its days, and finds
//! its beginning by bisection. A period in which this would miss calls has an empty file, and is read whole.

use std::fs::File;
use std::path::{Path, PathBuf};

use crate::format::block::Header;
use crate::period::name::{DAY_MS, Day};

/// Name of the file in a period that is out of order.
const FILE: &str = "untimely";
/// How much later than its records' times a block may be written.
pub(crate) const DELAY_MS: i64 = 600_000;
/// How far a clock may be set back so that it counts as standing still meanwhile.
const STEP_MS: i64 = 60_000;

/// Looks at the blocks of one period as they are written.
#[derive(Debug)]
pub(crate) struct TimeOrder {
    path: PathBuf,
    day: Day,
    written_ms: i64,
    broken: bool,
}

impl TimeOrder {
    /// For the period of `day`, whose directory is `path`.
    pub(crate) fn of(day: Day, path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            day,
            written_ms: i64::MIN,
            broken: false,
        }
    }

    /// When the next block is to count as written, which is not before its records nor before the last block, unless it is
    /// far from now.
    pub(crate) fn written(&self, now_ms: i64, latest_ms: i64) -> i64 {
        let written = now_ms.max(self.written_ms).max(latest_ms);
        if written.saturating_sub(now_ms) > STEP_MS {
            now_ms
        } else {
            written
        }
    }

    /// Whether the next block is in order: written on the period's day or later, not before the last block, not before its
    /// records or long after them; and no record is of a later day.
    fn goes_on(&mut self, header: &Header) -> bool {
        let (begin, written) = (self.day.start_ms(), header.written_ms);
        let goes_on = written >= begin
            && written >= self.written_ms
            && written >= header.latest_ms
            && written <= header.earliest_ms.saturating_add(DELAY_MS)
            && header.latest_ms < begin.saturating_add(DAY_MS);
        self.written_ms = written;
        goes_on
    }

    /// Whether the next block of a period that is read is out of order, although the period is not marked.
    pub(crate) fn hides(&mut self, header: &Header) -> bool {
        !self.goes_on(header) && !is_broken(&self.path)
    }

    /// Notes a block before it is written. If it breaks the order, the period is marked first.
    pub(crate) fn see(&mut self, header: &Header) {
        if !self.goes_on(header) && !self.broken {
            // A disk that does not take it takes no block either.
            self.broken = File::create(self.path.join(FILE))
                .and_then(|_| File::open(&self.path)?.sync_all())
                .is_ok();
        }
    }
}

/// Whether the period at `path` is marked as out of order.
pub(crate) fn is_broken(path: &Path) -> bool {
    path.join(FILE).exists()
}
