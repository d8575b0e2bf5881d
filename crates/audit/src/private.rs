//! Directories that their owner alone reads: who called what is nobody else's business.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;

/// The bits of a mode that others than the owner have.
pub(crate) const OTHERS: u32 = 0o077;

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

/// What to tell the operator of a directory into which others can look.
pub(crate) fn warning(directory: &Path) -> Option<String> {
    let mode = fs::metadata(directory).ok()?.permissions().mode() & 0o777;
    (mode & OTHERS != 0).then(|| {
        format!(
            "others than its owner can look into the audit {} (mode {mode:03o}); chmod 700 it",
            directory.display()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Config, KeyError, Reader, SigningKey, Store};

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_store_and_its_copy_are_their_owners() {
        let dir = tempfile::tempdir().unwrap();
        let (root, copy) = (dir.path().join("above/audit"), dir.path().join("copy"));
        let store = Store::open(Config::at(&root)).unwrap();
        assert_eq!(store.opened().warnings, [""; 0]);
        store.close().unwrap();
        Reader::open(&root).unwrap().copy(&copy).unwrap();
        assert_eq!((mode(&root), mode(&copy)), (0o700, 0o700));
        // One that the operator opened to others stays so, and is told.
        fs::set_permissions(&root, fs::Permissions::from_mode(0o750)).unwrap();
        let store = Store::open(Config::at(&root)).unwrap();
        let warnings = store.opened().warnings.join("");
        assert!(warnings.contains("(mode 750); chmod 700"), "{warnings}");
        assert_eq!(mode(&root), 0o750);
    }

    #[test]
    fn a_signing_key_that_others_read_is_none() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("new/audit.key");
        SigningKey::generate(&path).unwrap();
        assert!(SigningKey::read(&path).is_ok());
        for open in [0o640, 0o604, 0o644] {
            fs::set_permissions(&path, fs::Permissions::from_mode(open)).unwrap();
            let read = SigningKey::read(&path);
            assert!(
                matches!(read, Err(KeyError::Open { mode, .. }) if mode == open),
                "{read:?}"
            );
        }
    }
}
