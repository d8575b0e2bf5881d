//! A period that is open, in either way: as a database, or read from its file alone.

use crate::error::DiskError;
use crate::period::database::{Database, Keyed, StoredBlock};
use crate::period::files::Files;

/// An open period.
#[derive(Debug)]
pub(crate) enum OpenPeriod {
    /// By the database; written perhaps.
    Database(Database),
    /// From its file, which nothing here changes.
    Files(Files),
}

impl OpenPeriod {
    /// See [`Database::commit`].
    pub(crate) fn commit(&self, blocks: &[(u64, Vec<u8>)]) -> Result<(), DiskError> {
        match self {
            Self::Database(database) => database.commit(blocks),
            Self::Files(_) => Err(DiskError::Database("it is open to be read alone".into())),
        }
    }

    /// The block that holds the place `at`, or the one before it if none does.
    pub(crate) fn at_or_before(&self, at: u64) -> Result<Option<StoredBlock>, DiskError> {
        match self {
            Self::Database(database) => database.at_or_before(at),
            Self::Files(files) => files.at_or_before(at),
        }
    }

    /// The first block that begins at the place `at` or after it.
    pub(crate) fn at_or_after(&self, at: u64) -> Result<Option<StoredBlock>, DiskError> {
        match self {
            Self::Database(database) => database.at_or_after(at),
            Self::Files(files) => files.at_or_after(at),
        }
    }

    /// The first block that begins at the place `at` or after it, and the key it is under, read or
    /// not: to step over what cannot be read.
    pub(crate) fn from(&self, at: u64) -> Result<Option<Keyed>, DiskError> {
        match self {
            Self::Database(database) => database.from(at),
            Self::Files(files) => Ok(files.from(at)),
        }
    }

    /// The last block; `None` in an empty period. An error also where it is not sound.
    pub(crate) fn last(&self) -> Result<Option<StoredBlock>, DiskError> {
        self.at_or_before(u64::MAX)
    }

    /// The last block that begins before the place `at`.
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
