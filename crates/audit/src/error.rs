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
        "the store at {} is in use by another process; ask it through the admin listener, or stop it",
        path.display()
    )]
    Locked {
        /// Directory of the store.
        path: PathBuf,
    },
    /// The directory cannot be made, read or written.
    #[error("cannot {doing} {}; check that the directory exists and that this user may write there", path.display())]
    Io {
        /// The action that was tried.
        doing: &'static str,
        /// Where.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The store does not exist or cannot be read.
    #[error("cannot read the audit at {}: {source}; check the place, and that this user may read it", path.display())]
    Unreadable {
        /// Directory of the store.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The path is not an audit.
    #[error("there is no audit at {}: it is {is}; name a store's directory, a backup or a proof", path.display())]
    NoAudit {
        /// The given path.
        path: PathBuf,
        /// Kind of file or directory at the path.
        is: &'static str,
    },
    /// The key that signs heads cannot be used.
    #[error("heads cannot be signed: {0}")]
    Key(#[from] KeyError),
    /// The period of today cannot be begun.
    #[error("cannot begin {}: {source}; check the disk's space and health", path.display())]
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
        "the audit is too slow: no room or no answer within {waited:?}; check the disk's speed, or raise the queue's size"
    )]
    Busy {
        /// How long was waited.
        waited: Duration,
    },
    /// The disk refused. Later appends try again.
    #[error("the audit cannot be written: {source}; free space or mend the disk, no restart is needed")]
    Failed {
        /// Why.
        source: DiskError,
    },
    /// The record has texts that the store does not take.
    #[error("the record is of {size} bytes and the store takes {limit}; shorten what goes into it")]
    TooLarge {
        /// Size of the record, bytes.
        size: usize,
        /// The most, bytes.
        limit: usize,
    },
    /// The store was closed.
    #[error("the audit store is closed; the process is stopping")]
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
    #[error("cannot read the period {period}: {source}; `audit verify` says what is left of it")]
    Unreadable {
        /// Name of its directory.
        period: String,
        /// Why not.
        source: DiskError,
    },
    /// The list of periods cannot be read.
    #[error("cannot list {}; check that this user may read it", path.display())]
    List {
        /// Directory of the store.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The signed heads cannot be read.
    #[error("cannot read {}: {source}; check that this user may read it", path.display())]
    Heads {
        /// File with the heads, or the proof.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The store was closed.
    #[error("the audit store is closed; the process is stopping")]
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
    #[error("{} is no {wanted}; `tokenward audit keygen` makes one", path.display())]
    NotAKey {
        /// Where.
        path: PathBuf,
        /// The expected kind of key.
        wanted: &'static str,
    },
    /// The system gives no random numbers.
    #[error("the system gives no random numbers")]
    NoRandom,
}
