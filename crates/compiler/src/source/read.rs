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
mod tests {
    use super::*;

    /// A directory with two files of one state, and what `change` makes of it after each reading, counted from 1.
    fn read_while(change: impl Fn(&Path, usize)) -> (Result<Files, ReadDirError>, usize) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        put(path, "a.toml", "old");
        put(path, "b.limits", "old");
        let mut readings = 0;
        let read = steady(path, || {
            let files = read_once(path, Links::WithinDirectory);
            readings += 1;
            change(path, readings);
            files
        });
        (read, readings)
    }

    fn put(directory: &Path, name: &str, text: &str) {
        fs::write(directory.join(name), text).unwrap();
    }

    fn files(pairs: &[(&str, &str)]) -> Files {
        let pairs = pairs.iter();
        pairs
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
            .collect()
    }

    #[test]
    fn a_directory_that_changed_while_it_was_read_is_read_again() {
        let (read, readings) = read_while(|_, _| {});
        assert_eq!(read.unwrap(), files(&[("a.toml", "old"), ("b.limits", "old")]));
        assert_eq!(readings, 2);

        let (read, readings) = read_while(|path, reading| {
            if reading == 1 {
                put(path, "a.toml", "new");
                put(path, "b.limits", "new");
                put(path, "c.toml", "new");
            }
        });
        let expected = [("a.toml", "new"), ("b.limits", "new"), ("c.toml", "new")];
        assert_eq!(read.unwrap(), files(&expected));
        assert_eq!(readings, 3);

        // One state after the other, as an editor or a checkout writes them: none but the last is taken.
        let (read, readings) = read_while(|path, reading| match reading {
            1 => put(path, "a.toml", "new"),
            2 => put(path, "b.limits", "new"),
            3 => fs::remove_file(path.join("b.limits")).unwrap(),
            _ => {}
        });
        assert_eq!(read.unwrap(), files(&[("a.toml", "new")]));
        assert_eq!(readings, 5);
    }

    #[test]
    fn a_directory_that_cannot_be_read_for_a_moment_is_read_again() {
        let link = |path: &Path| path.join("z.toml");
        let (read, readings) = read_while(|path, reading| match reading {
            1 => std::os::unix::fs::symlink("nowhere", link(path)).unwrap(),
            2 => fs::remove_file(link(path)).unwrap(),
            _ => {}
        });
        assert_eq!(read.unwrap().len(), 2);
        assert_eq!(readings, 4);

        let (read, _) = read_while(|path, reading| {
            if reading == 1 {
                std::os::unix::fs::symlink("nowhere", link(path)).unwrap();
            }
        });
        assert!(matches!(read, Err(ReadDirError::Io { .. })));
    }

    #[test]
    fn a_directory_that_never_rests_is_given_up() {
        let (read, readings) = read_while(|path, reading| put(path, "a.toml", &reading.to_string()));
        assert!(matches!(read, Err(ReadDirError::Unsteady(_))));
        assert_eq!(readings, ATTEMPTS + 1);
    }
}
