//! The period that is written.

use std::fs;
use std::sync::Arc;

use crate::error::DiskError;
use crate::format::batch::Batch;
use crate::format::chain::Chain;
use crate::index::writer::IndexWriter;
use crate::period::database::Database;
use crate::period::name::Period;
use crate::store::periods::Periods;
use crate::store::recover;

/// The period that is written: its database, its index, and the end of the chain.
pub(super) struct Current {
    /// End of the chain on disk.
    pub(super) chain: Chain,
    /// Name of the period.
    pub(super) period: Period,
    /// Whether the period has no block yet.
    pub(super) is_empty: bool,
    /// Index of the period. It is closed before the database.
    pub(super) index: IndexWriter,
    database: Arc<Database>,
}

impl Current {
    /// Begins a period of today, in which `chain` goes on.
    pub(super) fn begin(periods: &Periods, chain: Chain, now_ms: i64) -> Result<Self, DiskError> {
        let (period, database) = recover::begin(periods, now_ms)?;
        Ok(Self {
            chain,
            period,
            is_empty: true,
            index: IndexWriter::open(period.day, &periods.path(period)),
            database,
        })
    }

    /// Puts `blocks` on disk. After an error the period must be given up.
    pub(super) fn commit(&self, blocks: &Batch) -> Result<(), DiskError> {
        self.database.commit(blocks)
    }

    /// Notes that the chain on disk ends with `end` now.
    pub(super) fn advance(&mut self, end: Chain) {
        self.index.committed(self.chain.next, end.next.saturating_sub(1));
        self.chain = end;
        self.is_empty = false;
    }

    /// Closes a period in which a write failed: neither the database nor, after a failed sync, the system's cache can be
    /// trusted with more. One without blocks is deleted.
    pub(super) fn give_up(self, periods: &Periods) {
        let Self {
            period,
            is_empty,
            mut index,
            database,
            ..
        } = self;
        // Before the next period is begun, which may have the same name.
        index.failed();
        drop(index);
        periods.forget(period);
        drop(database);
        if is_empty {
            // Nothing in it was acknowledged. A disk that fails for a day would leave a hundred thousand such periods.
            let _ = fs::remove_dir_all(periods.path(period));
        }
    }
}
