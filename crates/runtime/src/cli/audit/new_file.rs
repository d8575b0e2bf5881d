//! A file that appears under its name only when it is complete.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::Failure;

/// A file that is being written, under its name with `.partial` after it. If it is dropped unfinished, it is deleted.
pub(super) struct NewFile {
    path: PathBuf,
    partial: PathBuf,
    file: BufWriter<File>,
    named: bool,
}

impl NewFile {
    /// Begins the file `path`, which must not exist: an existing file is never overwritten.
    pub(super) fn begin(path: &Path) -> Result<Self, Failure> {
        if path.symlink_metadata().is_ok() {
            return Err(exists(path));
        }
        let partial = partial_of(path);
        // Only the owner may share the record of calls, so the file is private.
        let file = File::options()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&partial);
        let file = file.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => Failure::Trouble(format!(
                "cannot write `{}`: `{}` already exists; another command is writing it, or was killed; in the second case delete it",
                path.display(),
                partial.display()
            )),
            _ => unwritten(path, &error),
        })?;
        Ok(Self {
            path: path.to_owned(),
            partial,
            file: BufWriter::new(file),
            named: false,
        })
    }

    /// Writes the remaining data, and syncs it against a power cut.
    pub(super) fn complete(&mut self) -> Result<(), Failure> {
        let synced = self.file.flush().and_then(|()| self.file.get_ref().sync_all());
        synced.map_err(|error| self.failed(&error))
    }

    /// Completes the file, and renames it to its final name.
    pub(super) fn finish(mut self) -> Result<(), Failure> {
        self.complete()?;
        // Create the name first: this fails if it exists, while a rename would overwrite another user's file.
        let taken = File::options().write(true).create_new(true).open(&self.path);
        taken.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => exists(&self.path),
            _ => self.failed(&error),
        })?;
        if let Err(error) = fs::rename(&self.partial, &self.path) {
            let _ = fs::remove_file(&self.path);
            return Err(self.failed(&error));
        }
        self.named = true;
        Ok(())
    }

    /// Gives the final path.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Describes an error of writing to the user.
    pub(super) fn failed(&self, error: &io::Error) -> Failure {
        unwritten(&self.path, error)
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.named {
            let _ = fs::remove_file(&self.partial);
        }
    }
}

/// Gives the path with `.partial` after it.
pub(super) fn partial_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".partial");
    name.into()
}

fn exists(path: &Path) -> Failure {
    Failure::Trouble(format!(
        "cannot write `{}`: it already exists; specify another file, or delete it first",
        path.display()
    ))
}

fn unwritten(path: &Path, error: &io::Error) -> Failure {
    Failure::Trouble(format!("cannot write `{}`: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_file_is_whole_or_is_not_there() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x");
        let names = || fs::read_dir(directory.path()).unwrap().count();
        let mut given_up = NewFile::begin(&path).unwrap();
        given_up.write_all(b"half").unwrap();
        assert!(partial_of(&path).exists() && !path.exists());
        assert!(NewFile::begin(&path).is_err(), "somebody writes it");
        drop(given_up);
        assert_eq!(names(), 0);
        let mut late = NewFile::begin(&path).unwrap();
        late.write_all(b"late").unwrap();
        fs::write(&path, "mine").unwrap();
        assert!(late.finish().is_err());
        assert_eq!(
            (names(), fs::read_to_string(&path).unwrap().as_str()),
            (1, "mine")
        );
        assert!(NewFile::begin(&path).is_err());
        fs::remove_file(&path).unwrap();
        let mut whole = NewFile::begin(&path).unwrap();
        whole.write_all(b"whole").unwrap();
        whole.finish().unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(
            (names(), fs::read_to_string(&path).unwrap().as_str()),
            (1, "whole")
        );
    }
}
