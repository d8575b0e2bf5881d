//! Directories that only their owner can read: who made which call is confidential.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;

/// The bits of a mode that others than the owner have.
const OTHERS: u32 = 0o077;

/// Makes the directory, and those above it as any others; one that is there is left as it is.
pub(crate) fn make(directory: &Path) -> io::Result<()> {
    if directory.is_dir() {
        return Ok(());
    }
    if let Some(parent) = directory.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        fs::create_dir_all(parent)?;
    }
    match make_new(directory) {
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists && directory.is_dir() => Ok(()),
        made => made,
    }
}

/// Makes the directory, which must not exist.
pub(crate) fn make_new(directory: &Path) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(directory)
}

/// A warning for the operator if other users can look into the directory.
pub(crate) fn warning(directory: &Path) -> Option<String> {
    let mode = fs::metadata(directory).ok()?.permissions().mode() & 0o777;
    (mode & OTHERS != 0).then(|| {
        format!(
            "other users can read the audit {} (mode {mode:03o}); run `chmod 700` on it",
            directory.display()
        )
    })
}

#[cfg(test)]
mod tests;
