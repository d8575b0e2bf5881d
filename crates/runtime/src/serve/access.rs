//! Whether the process can read and write the audit store. Files that root has left there are the usual reason why it cannot.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, AtFlags, CWD, accessat};
use rustix::process::{getegid, geteuid};

/// Maximum depth of directories in a store.
const MAX_DEPTH: usize = 4;

/// The process cannot read and write a file or directory.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot {doing} `{}`, which belongs to uid {owner}: {source}; run `chown -R {user} {}`, or run the proxy as that user",
    .path.display(), .top.display()
)]
pub struct AccessError {
    doing: &'static str,
    path: PathBuf,
    owner: u32,
    /// User and group of the process.
    user: String,
    /// The path whose owner is to be changed.
    top: PathBuf,
    source: io::Error,
}

/// Checks an audit store and the file of revocations next to it. If there is no store, checks that one can be created.
///
/// # Errors
/// The process cannot use a part of it.
pub(crate) fn store_access(store: &Path, revocations: &Path) -> Result<(), AccessError> {
    if revocations.exists() {
        check(revocations, revocations)?;
    }
    if store.exists() {
        return walk(store, store, 0);
    }
    creatable(store)
}

/// Checks that a path that is missing can be created, with the directories that it needs.
///
/// # Errors
/// The process cannot write the first directory that exists.
pub(crate) fn creatable(path: &Path) -> Result<(), AccessError> {
    let existing = path.ancestors().skip(1).find_map(|place| {
        let place = if place.as_os_str().is_empty() {
            Path::new(".")
        } else {
            place
        };
        place.exists().then_some(place)
    });
    existing.map_or(Ok(()), |directory| check(directory, directory))
}

/// The owner of the store, or of the directory that has it; `None` if neither exists.
pub(crate) fn owner_of(store: &Path) -> Option<u32> {
    let metadata = fs::metadata(store).or_else(|_| fs::metadata(store.parent().unwrap_or(store)));
    metadata.ok().map(|metadata| metadata.uid())
}

fn walk(path: &Path, top: &Path, depth: usize) -> Result<(), AccessError> {
    check(path, top)?;
    if !path.is_dir() || depth == MAX_DEPTH {
        return Ok(());
    }
    // A file that is deleted meanwhile, by retention, is not an error.
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    for entry in entries {
        walk(&entry.path(), top, depth + 1)?;
    }
    Ok(())
}

fn check(path: &Path, top: &Path) -> Result<(), AccessError> {
    let Ok(metadata) = fs::symlink_metadata(path) else {
        return Ok(());
    };
    let wanted = if path.is_dir() {
        Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK
    } else {
        Access::READ_OK | Access::WRITE_OK
    };
    accessat(CWD, path, wanted, AtFlags::EACCESS).map_err(|error| AccessError {
        doing: "read and write",
        path: path.to_owned(),
        owner: metadata.uid(),
        user: format!("{}:{}", geteuid().as_raw(), getegid().as_raw()),
        top: top.to_owned(),
        source: error.into(),
    })
}
