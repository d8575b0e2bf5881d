//! Reading a policy directory: the one place of this crate that touches the file system.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::{SourceSet, limits};

mod walk;

pub use walk::is_module_directory;

/// A directory that changes under every reading is given up after this many.
const ATTEMPTS: usize = 5;

/// Which symbolic links of a policy directory are followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Links {
    /// None, nor one on the way to the directory: a review of the files would not show what a link leads to, and git reads
    /// it as a text.
    Refuse,
    /// Those that lead to a file or directory below the policy directory, such as the `..data` of a Kubernetes ConfigMap.
    /// The directory itself can be a link.
    WithinDirectory,
}

/// Why a policy directory could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadDirError {
    /// The path does not lead to a directory.
    #[error("the policy directory `{}` is not a directory; name the folder that holds the `*.toml` files", .0.display())]
    NotADirectory(PathBuf),
    /// The file system refused.
    #[error("`{}` cannot be read: {source}", .path.display())]
    Io {
        /// What was being read.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// A link where none is followed.
    #[error(
        "`{}` is a symbolic link, which a policy directory cannot contain or be; replace it by a copy of the file or \
         directory that it leads to", .0.display()
    )]
    Link(PathBuf),
    /// A link that leads to another place.
    #[error("`{}` is a symbolic link that leads out of the policy directory; move the file or directory into it", .0.display())]
    LinkOutside(PathBuf),
    /// A submodule, or another repository.
    #[error("`{}` is a git repository of its own, such as a submodule; replace it by the files that it contains", .0.display())]
    Repository(PathBuf),
    /// Not text.
    #[error("`{}` is not UTF-8 (byte {offset}); save it as UTF-8", .path.display())]
    NotUtf8 {
        /// The file.
        path: PathBuf,
        /// First byte that is not UTF-8.
        offset: usize,
    },
    /// Larger than any policy.
    #[error("`{}` has {given} bytes, more than the {limit} that a policy file may have", .path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size in bytes.
        given: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// Directories nested without end, usually a loop of symbolic links.
    #[error("`{}` lies more than {} directories deep; is there a loop of links?", .0.display(), limits::DEPTH)]
    TooDeep(PathBuf),
    /// More entries or bytes than any policy.
    #[error("`{}` has more than {limit}; move what is not part of the policy elsewhere", .path.display())]
    TooMuch {
        /// The directory.
        path: PathBuf,
        /// Number and noun.
        limit: String,
    },
    /// Every reading saw another state.
    #[error("`{}` kept changing while it was read", .0.display())]
    Unsteady(PathBuf),
}

impl SourceSet {
    /// Reads every `*.toml` and `*.limits` file below `directory`, names with a leading dot left out, links as `links` says.
    ///
    /// A directory that changes while it is read is read again, so that a policy is never half of one state and half of
    /// another. Each file is opened without following a link and then checked, so that a change between the two opens
    /// nothing else.
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

/// Names and texts, in order.
type Files = Vec<(String, String)>;

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
