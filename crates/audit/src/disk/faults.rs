//! The hook by which tests make the disk fail. Outside tests it does nothing.

use std::io;
use std::path::Path;

/// An action on a file.
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

    struct Fault {
        below: PathBuf,
        act: Act,
        code: i32,
        once: bool,
    }

    static FAULTS: Mutex<Vec<Fault>> = Mutex::new(Vec::new());

    /// Lets an act fail, for all files below a path, until it is dropped.
    pub(crate) struct Injected(PathBuf, Act);

    impl Injected {
        /// `code` is the system's, such as 5 for EIO.
        pub(crate) fn new(below: &Path, act: Act, code: i32) -> Self {
            Self::of(below, act, code, false)
        }

        /// Makes only the next action fail.
        pub(crate) fn once(below: &Path, act: Act, code: i32) -> Self {
            Self::of(below, act, code, true)
        }

        fn of(below: &Path, act: Act, code: i32, once: bool) -> Self {
            let below = below.to_owned();
            let mut faults = FAULTS.lock().unwrap_or_else(PoisonError::into_inner);
            faults.push(Fault {
                below: below.clone(),
                act,
                code,
                once,
            });
            Self(below, act)
        }
    }

    impl Drop for Injected {
        fn drop(&mut self) {
            let mut faults = FAULTS.lock().unwrap_or_else(PoisonError::into_inner);
            faults.retain(|fault| (&fault.below, fault.act) != (&self.0, self.1));
        }
    }

    pub(crate) fn check(path: &Path, act: Act) -> io::Result<()> {
        let mut faults = FAULTS.lock().unwrap_or_else(PoisonError::into_inner);
        let found = faults
            .iter()
            .position(|fault| fault.act == act && path.starts_with(&fault.below));
        let Some(at) = found else { return Ok(()) };
        let code = faults[at].code;
        if faults[at].once {
            faults.remove(at);
        }
        Err(io::Error::from_raw_os_error(code))
    }
}
