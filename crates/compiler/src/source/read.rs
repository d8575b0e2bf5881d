//! Reading a policy directory: the one place of this crate that touches the file system.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::{SourceSet, kind_of};

/// Files below this many directories are a mistake or a loop of links.
const MAX_DEPTH: usize = 16;
/// No hand-written policy comes near; a stray dump or a device file does.
const MAX_FILE_BYTES: u64 = 64 << 20;
/// A directory that changes under every reading is given up after this many.
const ATTEMPTS: usize = 5;

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
    #[error("`{}` lies more than {MAX_DEPTH} directories deep; is there a loop of links?", .0.display())]
    TooDeep(PathBuf),
    /// Every reading saw another state.
    #[error("`{}` kept changing while it was read", .0.display())]
    Unsteady(PathBuf),
}

impl SourceSet {
    /// Reads every `*.toml` and `*.limits` file below `directory`, links followed, names with a leading dot left out.
    ///
    /// A directory that changes while it is read is read again, so that a policy is never half of one state and half of
    /// another.
    ///
    /// # Errors
    /// See [`ReadDirError`].
    pub fn read_dir(directory: &Path) -> Result<Self, ReadDirError> {
        if !directory.is_dir() {
            return match fs::metadata(directory) {
                Err(source) => Err(ReadDirError::Io {
                    path: directory.to_owned(),
                    source,
                }),
                Ok(_) => Err(ReadDirError::NotADirectory(directory.to_owned())),
            };
        }
        steady(directory, || read_once(directory)).map(Self::from_files)
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

fn read_once(directory: &Path) -> Result<Files, ReadDirError> {
    let mut files = Vec::new();
    walk(directory, "", 0, &mut files)?;
    files.sort();
    Ok(files)
}

fn walk(directory: &Path, prefix: &str, depth: usize, files: &mut Files) -> Result<(), ReadDirError> {
    if depth > MAX_DEPTH {
        return Err(ReadDirError::TooDeep(directory.to_owned()));
    }
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| ReadDirError::Io { path, source }
    };
    for entry in fs::read_dir(directory).map_err(io(directory))? {
        let entry = entry.map_err(io(directory))?;
        let path = entry.path();
        let Some(name) = entry.file_name().to_str().map(str::to_owned) else {
            continue;
        };
        if name.starts_with('.') {
            continue;
        }
        let relative = format!("{prefix}{name}");
        let metadata = match fs::metadata(&path) {
            Ok(metadata) => metadata,
            // A link that leads nowhere matters only if it claims to be a policy file.
            Err(_) if kind_of(&relative).is_none() => continue,
            Err(source) => return Err(ReadDirError::Io { path, source }),
        };
        if metadata.is_dir() {
            walk(&path, &format!("{relative}/"), depth + 1, files)?;
        } else if kind_of(&relative).is_some() {
            files.push((relative, read_file(&path, &metadata)?));
        }
    }
    Ok(())
}

fn read_file(path: &Path, metadata: &fs::Metadata) -> Result<String, ReadDirError> {
    if !metadata.is_file() {
        let source = io::Error::new(io::ErrorKind::InvalidInput, "not a regular file");
        return Err(ReadDirError::Io {
            path: path.to_owned(),
            source,
        });
    }
    if metadata.len() > MAX_FILE_BYTES {
        return Err(ReadDirError::TooLarge {
            path: path.to_owned(),
            given: metadata.len(),
            limit: MAX_FILE_BYTES,
        });
    }
    let bytes = fs::read(path).map_err(|source| ReadDirError::Io {
        path: path.to_owned(),
        source,
    })?;
    String::from_utf8(bytes).map_err(|error| ReadDirError::NotUtf8 {
        path: path.to_owned(),
        offset: error.utf8_error().valid_up_to(),
    })
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
            let files = read_once(path);
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
