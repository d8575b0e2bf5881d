//! A period that is open: as a database, or from its files.

use std::sync::Arc;

use crate::error::DiskError;
use crate::period::database::{Database, Keyed, StoredBlock};
use crate::period::files::Files;

/// An open period.
#[derive(Debug, Clone)]
pub(crate) enum OpenPeriod {
    /// By the database; written perhaps.
    Database(Arc<Database>),
    /// From its file, which nothing here changes.
    Files(Arc<Files>),
}

impl OpenPeriod {
    /// Whether others have the period open too.
    pub(crate) fn is_shared(&self) -> bool {
        match self {
            Self::Database(database) => Arc::strong_count(database) > 1,
            Self::Files(files) => Arc::strong_count(files) > 1,
        }
    }

    /// The block that contains the sequence number `at`, or the last one before it if none does.
    pub(crate) fn at_or_before(&self, at: u64) -> Result<Option<StoredBlock>, DiskError> {
        match self {
            Self::Database(database) => database.at_or_before(at),
            Self::Files(files) => files.at_or_before(at),
        }
    }

    /// The first block that begins at or after the sequence number `at`.
    pub(crate) fn at_or_after(&self, at: u64) -> Result<Option<StoredBlock>, DiskError> {
        match self {
            Self::Database(database) => database.at_or_after(at),
            Self::Files(files) => files.at_or_after(at),
        }
    }

    /// The first block that begins at or after the sequence number `at`, with its key even if it cannot be read, so that the
    /// caller can step over it.
    pub(crate) fn from(&self, at: u64) -> Result<Option<Keyed>, DiskError> {
        match self {
            Self::Database(database) => database.from(at),
            Self::Files(files) => Ok(files.from(at)),
        }
    }

    /// The last block; `None` in an empty period. Fails if that block is not sound.
    pub(crate) fn last(&self) -> Result<Option<StoredBlock>, DiskError> {
        self.at_or_before(u64::MAX)
    }

    /// The last block that begins before the sequence number `at`.
    pub(crate) fn before(&self, at: u64) -> Result<Option<StoredBlock>, DiskError> {
        match at.checked_sub(1) {
            Some(until) => self.at_or_before(until),
            None => Ok(None),
        }
    }
}

#[cfg(test)]
impl OpenPeriod {
    /// Waits until it is not being flushed.
    pub(crate) fn wait_settled(&self) {
        if let Self::Database(database) = self {
            database.wait_settled();
        }
    }
}
