//! Checks who may have written a repository.

use std::env;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::GitError;
use super::run::safe_directories;

/// Refuses a repository that another user owns, as git does (git-config(1), `safe.directory`), since that user controls
/// its configuration and objects. git itself does not check this if it is given the git directory.
///
/// # Errors
/// One of the paths belongs to another user, and the user's own configuration does not declare `top` safe.
pub(super) fn check(top: &Path, paths: &[&Path]) -> Result<(), GitError> {
    for path in paths {
        let metadata = fs::symlink_metadata(path).map_err(|source| GitError::Io {
            path: (*path).to_owned(),
            source,
        })?;
        if is_ours(metadata.uid()) {
            continue;
        }
        if is_declared_safe(top)? {
            return Ok(());
        }
        return Err(GitError::Foreign {
            path: (*path).to_owned(),
            top: top.to_owned(),
            owner: metadata.uid(),
        });
    }
    Ok(())
}

/// Whether the id is that of this user, or of the user who became root by `sudo`.
fn is_ours(owner: u32) -> bool {
    let user = rustix::process::geteuid();
    let sudo = || {
        let id = env::var("SUDO_UID").ok()?;
        id.parse::<u32>().ok()
    };
    owner == user.as_raw() || user.is_root() && sudo() == Some(owner)
}

/// Whether the user's or the system's configuration lists the work tree, a directory above it with `/*`, or `*`.
fn is_declared_safe(top: &Path) -> Result<bool, GitError> {
    let is = |entry: &String| match entry.strip_suffix("/*") {
        Some(above) => top.starts_with(above) && top != Path::new(above),
        None => entry == "*" || Path::new(entry) == top,
    };
    Ok(safe_directories(top)?.iter().any(is))
}
