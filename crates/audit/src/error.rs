//! One error type per operation; each message says what happened and what to do.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::disk::private_file::Exposed;

/// The store cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it.
    #[error(
        "the store at {} is in use by another process; query it through the admin listener, or stop that process",
        path.display()
    )]
    Locked {
        /// Directory of the store.
        path: PathBuf,
    },
    /// The directory cannot be made, read or written.
    #[error("cannot {doing} {}; check that the directory exists and that this user can write to it", path.display())]
    Io {
        /// The action that was tried.
        doing: &'static str,
        /// Where.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The store does not exist or cannot be read.
    #[error("cannot read the audit at {}: {source}; check the path, and that this user can read it", path.display())]
    Unreadable {
        /// Directory of the store.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The path is not an audit.
    #[error("no audit at {}: the path is {is}; specify a store directory, a backup or a proof", path.display())]
    NoAudit {
        /// The given path.
        path: PathBuf,
        /// Kind of file or directory at the path.
        is: &'static str,
    },
    /// The key that signs heads cannot be used.
    #[error("cannot sign heads: {0}")]
    Key(#[from] KeyError),
    /// The period of today cannot be begun.
    #[error("cannot begin {}: {source}; check the free space and the health of the disk", path.display())]
    Begin {
        /// Directory of the period.
        path: PathBuf,
        /// Why not.
        source: DiskError,
    },
}

/// A record was not taken. The call must not go upstream unless the caller's own setting lets it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AppendError {
    /// The queue stayed full, or the disk gave no answer in time.
    #[error(
        "the audit is too slow: no space in the queue or no response within {waited:?}; check the speed of the disk, or increase the queue size"
    )]
    Busy {
        /// How long was waited.
        waited: Duration,
    },
    /// The disk refused. Later appends try again.
    #[error("cannot write to the audit: {source}; free disk space or repair the disk (no restart needed)")]
    Failed {
        /// Why.
        source: DiskError,
    },
    /// The record has texts that the store does not take.
    #[error("the record has {size} bytes, more than the maximum of {limit}; shorten its values")]
    TooLarge {
        /// Size of the record, bytes.
        size: usize,
        /// The most, bytes.
        limit: usize,
    },
    /// The store was closed.
    #[error("the audit store is closed; the process is shutting down")]
    Closed,
}

/// An error of the disk or of the database on it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum DiskError {
    /// No space is left.
    #[error("no space is left on the disk")]
    Full,
    /// An input or output error.
    #[error("{0}")]
    Io(Arc<io::Error>),
    /// The database found its file damaged, or failed within.
    #[error("the database reports: {0}")]
    Database(String),
}

impl From<io::Error> for DiskError {
    fn from(error: io::Error) -> Self {
        // By kind, not by code: the database hands its errors on as texts, with the kind alone.
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full,
            _ => Self::Io(Arc::new(error)),
        }
    }
}

/// Adds the name of a period's file to its error.
pub(crate) fn of_file(name: &str, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{name}: {error}"))
}

/// A question could not be answered.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// A period cannot be read.
    #[error("cannot read the period {period}: {source}; `audit verify` shows what is left of it")]
    Unreadable {
        /// Name of its directory.
        period: String,
        /// Why not.
        source: DiskError,
    },
    /// The list of periods cannot be read.
    #[error("cannot list {}; check that this user can read it", path.display())]
    List {
        /// Directory of the store.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The signed heads cannot be read.
    #[error("cannot read {}: {source}; check that this user can read it", path.display())]
    Heads {
        /// File with the heads, or the proof.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The store was closed.
    #[error("the audit store is closed; the process is shutting down")]
    Closed,
}

/// A key file cannot be used or made.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read or made.
    #[error("cannot {doing} {}: {source}", path.display())]
    Io {
        /// The action that was tried.
        doing: &'static str,
        /// Where.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Other users can read or change the secret.
    #[error("cannot use the key {}: {exposed}", path.display())]
    Open {
        /// Where.
        path: PathBuf,
        /// Permissions of the file.
        exposed: Exposed,
    },
    /// The file contains something else.
    #[error("{} is not a {wanted}; create one with `tokenward audit keygen`", path.display())]
    NotAKey {
        /// Where.
        path: PathBuf,
        /// The expected kind of key.
        wanted: &'static str,
    },
    /// The system gives no random numbers.
    #[error("the operating system provides no random numbers")]
    NoRandom,
}
