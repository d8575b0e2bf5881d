//! The published directory: a file `manifest`, and compiled policies named by their SHA-256.

use std::fs::OpenOptions;
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use sha2::{Digest, Sha256};
use tokenward_fleet::manifest::{MOST_BYTES, Manifest};

use super::error::FleetError;

/// Name of the file with the manifest.
pub(crate) const MANIFEST: &str = "manifest";

/// A directory that `tokenward publish` writes.
pub(crate) struct Published(PathBuf);

impl Published {
    pub(crate) fn at(directory: &Path) -> Self {
        Self(directory.to_owned())
    }

    /// Path of the manifest.
    pub(crate) fn manifest_path(&self) -> PathBuf {
        self.0.join(MANIFEST)
    }

    /// Path of a compiled policy.
    pub(crate) fn artifact_path(&self, digest: &[u8; 32]) -> PathBuf {
        self.0.join(artifact_name(digest))
    }

    /// Reads the manifest, as bytes of which nothing was checked but their number.
    ///
    /// # Errors
    /// The file cannot be read, or is too long.
    pub(crate) fn manifest(&self) -> Result<Vec<u8>, FleetError> {
        let path = self.manifest_path();
        read_at_most(&path, MOST_BYTES).map_err(FleetError::file("read the fleet's manifest", path))
    }

    /// Reads the compiled policy that a manifest names.
    ///
    /// # Errors
    /// The file cannot be read, or is another one.
    pub(crate) fn artifact(&self, manifest: &Manifest) -> Result<Vec<u8>, FleetError> {
        let path = self.artifact_path(&manifest.digest);
        let most = usize::try_from(manifest.length).unwrap_or(usize::MAX);
        let found = std::fs::metadata(&path).map(|metadata| metadata.len());
        if let Ok(found) = found
            && found != manifest.length
        {
            return Err(other_length(found, manifest, &path));
        }
        let bytes = read_at_most(&path, most).map_err(FleetError::file("read the compiled policy", &path))?;
        checked(bytes, manifest, &path)
    }
}

/// Name of the file with a compiled policy.
pub(super) fn artifact_name(digest: &[u8; 32]) -> String {
    format!("{}.twp", hex::encode(digest))
}

/// Checks that bytes from a place are the compiled policy that a manifest names.
///
/// # Errors
/// They are another one.
pub(super) fn checked(bytes: Vec<u8>, manifest: &Manifest, place: &Path) -> Result<Vec<u8>, FleetError> {
    let found = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    if found != manifest.length {
        return Err(other_length(found, manifest, place));
    }
    let digest: [u8; 32] = Sha256::digest(&bytes).into();
    if digest != manifest.digest {
        return Err(FleetError::Artifact {
            path: place.to_owned(),
            why: format!("its SHA-256 is {}", hex::encode(digest)),
        });
    }
    Ok(bytes)
}

fn other_length(found: u64, manifest: &Manifest, place: &Path) -> FleetError {
    FleetError::Artifact {
        path: place.to_owned(),
        why: format!("it has {found} bytes, and not {}", manifest.length),
    }
}

/// Reads a regular file of at most so many bytes.
pub(super) fn read_at_most(path: &Path, most: usize) -> io::Result<Vec<u8>> {
    // A pipe would block, and a name can be exchanged: the opened file is checked.
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(i32::try_from(flags.bits()).unwrap_or(0))
        .open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let limit = u64::try_from(most).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() > most {
        return Err(io::Error::other(format!("it has more than {most} bytes")));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn pipes_devices_directories_and_long_files_are_refused_without_waiting() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(made.success());
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&pipe, &link).unwrap();
        let zero = folder.path().join("zero");
        std::os::unix::fs::symlink("/dev/zero", &zero).unwrap();
        for path in [&pipe, &link, &zero, &folder.path().to_owned()] {
            let error = read_at_most(path, 10).unwrap_err();
            assert_eq!(
                error.to_string(),
                "it is not a regular file",
                "{}",
                path.display()
            );
        }
        let file = folder.path().join("file");
        fs::write(&file, [0; 10]).unwrap();
        assert_eq!(read_at_most(&file, 10).unwrap().len(), 10);
        let sparse = fs::File::create(&file).unwrap();
        sparse.set_len(1 << 40).unwrap();
        let error = read_at_most(&file, 10).unwrap_err();
        assert_eq!(error.to_string(), "it has more than 10 bytes");
    }
}
