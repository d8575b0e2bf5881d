//! Calls into sled, which may panic or never return, and conversion of its errors.

use std::cell::Cell;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::error::DiskError;

/// Name of the threads on which sled may panic.
const THREAD: &str = "audit-guarded";

thread_local! {
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// Whether the database panics on this thread. Such a panic is caught, and reported as a disk error. For panic hooks, which run
/// before that.
#[must_use]
pub fn is_panic_caught() -> bool {
    INSIDE.get()
}

/// Skipped `work`; its panic becomes an error.
fn caught_all<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    let before = INSIDE.replace(true);
    let result = catch_unwind(AssertUnwindSafe(work));
    INSIDE.set(before);
    result.map_err(|panic| message(&*panic))
}

/// Runs `work` on this thread; a panic in sled becomes an error.
pub(super) fn caught<T>(work: impl FnOnce() -> sled::Result<T>) -> Result<T, DiskError> {
    // After a panic the period is not used again, so that no broken state is seen.
    match caught_all(work) {
        Ok(result) => result.map_err(disk),
        Err(panic) => Err(DiskError::Database(panic)),
    }
}

/// Skipped `work` on a thread of its own, and waits for it at most `limit`.
pub(super) fn guarded<T: Send + 'static>(
    work: impl FnOnce() -> sled::Result<T> + Send + 'static,
    limit: Duration,
) -> Result<T, DiskError> {
    let (send, receive) = mpsc::sync_channel(1);
    let spawned = thread::Builder::new().name(THREAD.into()).spawn(move || {
        let _ = send.send(caught_all(work));
    });
    spawned?;
    match receive.recv_timeout(limit) {
        Ok(Ok(result)) => result.map_err(open_failure),
        Ok(Err(panic)) => Err(DiskError::Database(panic)),
        Err(_) => Err(DiskError::Database(format!("it did not open within {limit:?}"))),
    }
}

fn message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("unknown");
    // The first line is enough, because sled prints whole structures.
    format!(
        "panic in the database: {}",
        text.lines().next().unwrap_or_default()
    )
}

fn disk(error: sled::Error) -> DiskError {
    match error {
        sled::Error::Io(e) => e.into(),
        other => DiskError::Database(other.to_string()),
    }
}

fn open_failure(error: sled::Error) -> DiskError {
    match error {
        // The errors of a file that is too short or incomplete.
        sled::Error::Io(e)
            if matches!(
                e.kind(),
                io::ErrorKind::UnexpectedEof
                    | io::ErrorKind::InvalidData
                    | io::ErrorKind::InvalidInput
                    | io::ErrorKind::NotFound
            ) =>
        {
            DiskError::Database(e.to_string())
        }
        other => disk(other),
    }
}
