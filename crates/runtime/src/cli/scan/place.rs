//! Where to look: the files below a directory, and the repositories among them.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use crate::git::looks_like_one;

/// Bytes of a file that are searched: more than any script, log or dump that a person commits.
pub(super) const MAX_BYTES: u64 = 256 << 20;

/// Files at or below a path, except those that were searched already.
#[derive(Default)]
pub(super) struct Rest {
    /// Files that could not be searched, each with the reason.
    pub(super) skipped: Vec<(String, String)>,
    /// Directories with a `.git`, or that are bare repositories.
    pub(super) repositories: Vec<PathBuf>,
}

/// Gives each file at or below `path` to `each`, in order of names. Links below `path` are not followed. git's own
/// directories are not searched: they hold the history in compressed form.
pub(super) fn files(path: &Path, rest: &mut Rest, each: &mut impl FnMut(&Path, &[u8])) {
    let mut left = vec![path.to_owned()];
    while let Some(at) = left.pop() {
        let metadata = if at == path {
            fs::metadata(&at)
        } else {
            fs::symlink_metadata(&at)
        };
        let result = match metadata {
            Ok(metadata) if metadata.is_dir() => {
                if looks_like_one(&at) || fs::symlink_metadata(at.join(".git")).is_ok() {
                    rest.repositories.push(at.clone());
                }
                entries(&at).map(|entries| left.extend(entries))
            }
            Ok(metadata) if metadata.is_file() => content(&at, metadata.len()).map(|bytes| each(&at, &bytes)),
            // The target of a link is searched elsewhere or is not part of this search. Sockets and devices have no
            // content.
            Ok(_) => Ok(()),
            Err(error) => Err(error),
        };
        match result {
            // The file was listed and then deleted, so it contains nothing.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => rest.skipped.push((at.display().to_string(), error.to_string())),
            Ok(()) => {}
        }
    }
}

/// Lists a directory in reverse order, since the last entry is taken next.
fn entries(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(directory)?.map(|entry| entry.map(|entry| entry.path()));
    let mut paths: Vec<PathBuf> = entries.collect::<Result<_, _>>()?;
    paths.retain(|path| path.file_name().is_none_or(|name| name != ".git"));
    paths.sort_by(|one, other| other.cmp(one));
    Ok(paths)
}

fn content(path: &Path, length: u64) -> io::Result<Vec<u8>> {
    if length > MAX_BYTES {
        return Err(io::Error::other(format!("it has more than {MAX_BYTES} bytes")));
    }
    // A pipe that has taken the file's place since would hold up the opening.
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    let file: File = OpenOptions::new()
        .read(true)
        .custom_flags(i32::try_from(flags.bits()).unwrap_or(0))
        .open(path)?;
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(io::Error::other(format!("it has more than {MAX_BYTES} bytes")));
    }
    Ok(bytes)
}
