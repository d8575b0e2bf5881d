//! The seam at which tests let the disk fail. In what is shipped it is nothing.

use std::io;
use std::path::Path;

/// What is done to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    /// Reading.
    Read,
    /// Writing, and making it.
    Write,
    /// Syncing.
    Sync,
}

/// Asked before each act on a file that is ours to do: the database does its own.
#[cfg(not(test))]
#[expect(clippy::unnecessary_wraps, reason = "in tests it fails")]
pub(crate) fn check(_: &Path, _: Act) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
pub(crate) use injected::{Injected, check};

#[cfg(test)]
mod injected {
    use std::path::PathBuf;
    use std::sync::{Mutex, PoisonError};

    use super::{Act, Path, io};

    static FAULTS: Mutex<Vec<(PathBuf, Act, i32)>> = Mutex::new(Vec::new());

    /// Lets an act fail, for all files below a path, until it is dropped.
    pub(crate) struct Injected(PathBuf, Act);

    impl Injected {
        /// `code` is the system's, such as 5 for EIO.
        pub(crate) fn new(below: &Path, act: Act, code: i32) -> Self {
            let mut faults = FAULTS.lock().unwrap_or_else(PoisonError::into_inner);
            faults.push((below.to_owned(), act, code));
            Self(below.to_owned(), act)
        }
    }

    impl Drop for Injected {
        fn drop(&mut self) {
            let mut faults = FAULTS.lock().unwrap_or_else(PoisonError::into_inner);
            faults.retain(|(below, act, _)| (below, act) != (&self.0, &self.1));
        }
    }

    pub(crate) fn check(path: &Path, act: Act) -> io::Result<()> {
        let faults = FAULTS.lock().unwrap_or_else(PoisonError::into_inner);
        match faults
            .iter()
            .find(|(below, failing, _)| *failing == act && path.starts_with(below))
        {
            Some((.., code)) => Err(io::Error::from_raw_os_error(*code)),
            None => Ok(()),
        }
    }
}
