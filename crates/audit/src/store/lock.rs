//! The lock of a store: one process at a time may write to it.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use crate::disk::faults;
use crate::error::OpenError;

/// How long opening waits for the lock.
const LOCK_PATIENCE: Duration = Duration::from_millis(200);

/// Takes the store's lock, which the system gives back when the process ends, however it does.
pub(crate) fn lock(root: &Path) -> Result<File, OpenError> {
    let path = root.join("LOCK");
    let failed = |source| OpenError::Io {
        doing: "write",
        path: path.clone(),
        source,
    };
    let written = faults::check(&path, faults::Act::Write).and_then(|()| {
        let mut options = File::options();
        options.create(true).write(true).truncate(false).open(&path)
    });
    // A store that nothing can be written to is opened all the same: what then becomes of calls is a setting.
    let file = match written {
        Err(error) => File::open(&path).map_err(|_| failed(error))?,
        Ok(file) => file,
    };
    let begun = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            // Perhaps only [`in_use`], which holds it for a moment.
            Err(TryLockError::WouldBlock) if begun.elapsed() < LOCK_PATIENCE => {
                thread::sleep(Duration::from_millis(10));
            }
            Err(TryLockError::WouldBlock) => {
                return Err(OpenError::Locked {
                    path: root.to_owned(),
                });
            }
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
    }
}

/// Whether a process has the store at `path` open. It may open or close it just after.
pub fn in_use(path: &Path) -> bool {
    let lock = File::open(path.join("LOCK")).map(|file| file.try_lock_shared());
    matches!(lock, Ok(Err(TryLockError::WouldBlock)))
}
