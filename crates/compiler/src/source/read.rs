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
mod tests;
