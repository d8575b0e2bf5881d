//! Reading a policy directory: the one place of this crate that touches the file system.

use std::{fs, path::Path};

use super::SourceSet;

mod error;
mod walk;

use error::Files;
pub use error::{Links, ReadDirError};
pub use walk::is_module_directory;

/// A directory that changes under every reading is given up after this many.
const ATTEMPTS: usize = 5;

impl SourceSet {
    /// Reads every `*.toml` and `*.limits` file below `directory`, names with a leading dot left out, links as `links` says.
    ///
    /// A directory that changes while it is read is read again, so that a policy is never half of one state and half of
    /// another. Each file is opened without following a link and then checked, so that a change between the two opens
    /// happens to no other file.
    ///
    /// # Errors
    /// See [`ReadDirError`].
    pub fn read_dir(directory: &Path, links: Links) -> Result<Self, ReadDirError> {
        if !directory.is_dir() {
            return match fs::metadata(directory) {
                Err(source) => Err(ReadDirError::Io {
                    path: directory.to_owned(),
                    source,
                }),
                Ok(_) => Err(ReadDirError::NotADirectory(directory.to_owned())),
            };
        }
        steady(directory, || read_once(directory, links)).map(Self::from_files)
    }
}

/// What two readings in a row agree on. `read` is the seam at which tests have a directory change.
fn steady(
    directory: &Path,
    mut read: impl FnMut() -> Result<Files, ReadDirError>,
) -> Result<Files, ReadDirError> {
    let mut before = read();
    for _ in 0..ATTEMPTS {
        let after = read();
        match (before, after) {
            (Ok(before), Ok(after)) if before == after => return Ok(after),
            // A file that vanished between listing and reading: look again, report it only if it lasts.
            (Err(_), Err(after)) => return Err(after),
            (_, after) => before = after,
        }
    }
    Err(ReadDirError::Unsteady(directory.to_owned()))
}

fn read_once(directory: &Path, links: Links) -> Result<Files, ReadDirError> {
    let mut files = walk::files(directory, links)?;
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests;
