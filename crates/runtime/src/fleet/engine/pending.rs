//! Revocations that could not be sent to the engine yet: signed entries in `<store>.fleet/pending`, one file for each. The running
//! proxy and the next `tokenward token revoke` send them.

use std::fs;
use std::path::{Path, PathBuf};

use tokenward_audit::read_private_file;
use tokenward_fleet::Digest;
use tokenward_fleet::revocation::MOST_BYTES;

use crate::fleet::error::FleetError;
use crate::fleet::files::Files;

/// What the names of the files begin with.
const BEGIN: &str = "pending-";
/// Maximum number of files that are read at once.
const MOST: usize = 1_000;

/// The revocations that wait.
pub(crate) struct Pending(Files);

impl Pending {
    /// Those beside an audit store.
    pub(crate) fn beside(store: &Path) -> Self {
        Self(Files::beside(store))
    }

    /// Keeps an entry. It is on disk when this returns.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(crate) fn keep(&self, hash: &Digest, entry: &[u8]) -> Result<(), FleetError> {
        // Where only commands run, there is no store yet.
        if let Some(parent) = self.directory().parent() {
            fs::create_dir_all(parent).map_err(FleetError::file("create", parent))?;
        }
        self.0.write(&name(hash), entry)
    }

    /// The entries that wait.
    pub(crate) fn all(&self) -> Vec<Vec<u8>> {
        let entries = fs::read_dir(self.directory()).into_iter().flatten().flatten();
        let named = entries.filter(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            name.starts_with(BEGIN) && !name.ends_with(".new")
        });
        let read = named
            .take(MOST)
            .filter_map(|entry| read_private_file(&entry.path(), MOST_BYTES).ok());
        read.map(|bytes| bytes.to_vec()).collect()
    }

    /// Forgets an entry that the engine has.
    pub(crate) fn done(&self, hash: &Digest) {
        let _ = fs::remove_file(self.0.place(&name(hash)));
    }

    fn directory(&self) -> PathBuf {
        self.0.place(".").components().as_path().to_owned()
    }
}

fn name(hash: &Digest) -> String {
    format!("{BEGIN}{}", hex::encode(hash))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_wait_until_they_are_done() {
        let folder = tempfile::tempdir().unwrap();
        let pending = Pending::beside(&folder.path().join("no/store/audit"));
        assert!(pending.all().is_empty());
        pending.keep(&[1; 32], b"one").unwrap();
        pending.keep(&[2; 32], b"two").unwrap();
        pending.keep(&[1; 32], b"one").unwrap();
        let mut all = pending.all();
        all.sort();
        assert_eq!(all, [b"one", b"two"]);
        pending.done(&[1; 32]);
        assert_eq!(pending.all(), [b"two"]);
    }
}
