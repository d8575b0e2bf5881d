//! Writes files that must not exist yet: all of them, or none.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::Failure;

/// A file to be written.
pub(super) struct File {
    /// Path below the directory, with `/` between the parts.
    pub(super) name: &'static str,
    /// Whether the file, and its folder, are readable only by their owner.
    pub(super) is_secret: bool,
    /// Content of the file.
    pub(super) text: String,
}

/// Folders that must not exist: what another policy left in them would become part of this one.
const FOLDERS: [&str; 2] = ["policies", ".tokenward"];

/// Writes the files into `directory`, which is created if it is missing.
///
/// # Errors
/// A file exists, or cannot be written. The files that were written before are removed.
pub(super) fn all(directory: &Path, files: &[File]) -> Result<(), Failure> {
    refuse_existing(directory, files)?;
    let mut written = Vec::new();
    for file in files {
        let path = directory.join(file.name);
        if let Err(error) = write(&path, file) {
            remove(&written);
            return Err(Failure::Trouble(format!(
                "cannot write `{}`: {error}; nothing was written",
                path.display()
            )));
        }
        written.push(path);
    }
    Ok(())
}

fn refuse_existing(directory: &Path, files: &[File]) -> Result<(), Failure> {
    let names = files.iter().map(|file| file.name).chain(FOLDERS);
    // A link that leads nowhere exists too.
    let existing: Vec<String> = names
        .filter(|name| directory.join(name).symlink_metadata().is_ok())
        .map(|name| format!("`{name}`"))
        .collect();
    if existing.is_empty() {
        return Ok(());
    }
    Err(Failure::Usage(format!(
        "{} already contains {}; choose another directory, or move these files; nothing was written",
        directory.display(),
        existing.join(", ")
    )))
}

fn write(path: &Path, file: &File) -> io::Result<()> {
    let (folder_mode, file_mode) = if file.is_secret {
        (0o700, 0o600)
    } else {
        (0o777, 0o666)
    };
    if let Some(folder) = path.parent() {
        DirBuilder::new()
            .recursive(true)
            .mode(folder_mode)
            .create(folder)?;
    }
    // `create_new` refuses a file that another program has made since the check, and a link.
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(file_mode)
        .open(path)?
        .write_all(file.text.as_bytes())
}

fn remove(written: &[PathBuf]) {
    for path in written {
        // The first failure is reported; this one would only hide it.
        let _ = fs::remove_file(path);
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt as _, symlink};

    use super::*;

    fn file(name: &'static str, is_secret: bool) -> File {
        File {
            name,
            is_secret,
            text: "text\n".to_owned(),
        }
    }

    #[test]
    fn secrets_are_readable_only_by_their_owner() {
        let directory = tempfile::tempdir().unwrap();
        all(directory.path(), &[file(".tokenward/credentials.toml", true)]).unwrap();
        let mode = |name: &str| directory.path().join(name).metadata().unwrap().mode() & 0o7777;
        assert_eq!(
            (mode(".tokenward"), mode(".tokenward/credentials.toml")),
            (0o700, 0o600)
        );
    }

    #[test]
    fn a_link_that_leads_nowhere_is_not_followed() {
        let directory = tempfile::tempdir().unwrap();
        let elsewhere = directory.path().join("elsewhere");
        symlink(&elsewhere, directory.path().join("a")).unwrap();
        let error = all(directory.path(), &[file("b", false), file("a", false)]).unwrap_err();
        assert!(error.message().contains("already contains `a`;"), "{error:?}");
        assert!(!elsewhere.exists() && !directory.path().join("b").exists());
    }

    /// A failure in the middle leaves nothing behind.
    #[test]
    fn all_files_are_written_or_none() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("folder"), "a file").unwrap();
        let error = all(directory.path(), &[file("a", false), file("folder/b", false)]).unwrap_err();
        assert!(matches!(error, Failure::Trouble(_)), "{error:?}");
        assert!(!directory.path().join("a").exists());
    }
}
