//! The lock of a published directory: one publisher at a time reads the version and writes the next.

use std::fs::{File, OpenOptions};
use std::path::Path;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::super::failure::Failure;

/// Name of the file that is locked. It stays, since removing it would let two publishers lock two files.
const NAME: &str = ".publish.lock";

/// Held while a version is published; the system releases it when the process ends.
pub(super) struct Lock(#[expect(dead_code, reason = "locked until it is closed")] File);

impl Lock {
    /// Locks a directory.
    ///
    /// # Errors
    /// Another publisher holds the lock, or the file cannot be created.
    pub(super) fn take(directory: &Path) -> Result<Self, Failure> {
        let path = directory.join(NAME);
        let failed = |why: &dyn std::fmt::Display| {
            Failure::Trouble(format!("cannot lock `{}`: {why}", path.display()))
        };
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|error| failed(&error))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self(file)),
            Err(Errno::WOULDBLOCK) => Err(failed(
                &"another publisher is at work; run the command again when it has finished",
            )),
            Err(error) => Err(failed(&error)),
        }
    }
}
