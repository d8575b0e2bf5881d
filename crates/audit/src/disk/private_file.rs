//! Files with secrets: only their owner may change them, and only their owner and the process's own groups may read them.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use zeroize::Zeroizing;

/// Room that is reserved for a file at most, in bytes; files with secrets are far smaller.
const LARGEST: usize = 1 << 20;

/// The bits of a mode by which others than the owner and the group can do anything, and by which the group can do more
/// than read.
const NEVER: u32 = 0o037;
/// The bit by which the group can read.
const GROUP_READS: u32 = 0o040;

/// Reason why a file with a secret is not read.
#[derive(Debug)]
pub enum PrivateFileError {
    /// The file cannot be read.
    Io(io::Error),
    /// Other users can read or change the file.
    Exposed(Exposed),
}

impl From<io::Error> for PrivateFileError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// The permissions of a file that other users can read or change, in octal. Shown with what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exposed(pub u32);

impl fmt::Display for Exposed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "other users can read or change it (mode {:03o}); run `chmod 600` on it (Kubernetes: `defaultMode: 0400` in the \
             volume), and check who may have read it",
            self.0
        )
    }
}

/// Reads a file with a secret, as bytes. Their memory is overwritten when they are dropped.
///
/// # Errors
/// The file cannot be read, or other users can read or change it. A group may read it if the process belongs to the
/// group, so that the file can be root's, and Kubernetes' `fsGroup` works.
pub fn read_private(path: &Path) -> Result<Zeroizing<Vec<u8>>, PrivateFileError> {
    let (mut file, exposed) = open(path)?;
    if let Some(exposed) = exposed {
        return Err(PrivateFileError::Exposed(exposed));
    }
    // Room for the whole file: a vector that grows leaves copies behind.
    let length = usize::try_from(file.metadata()?.len()).unwrap_or_default();
    let mut bytes = Zeroizing::new(Vec::with_capacity(length.min(LARGEST) + 1));
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Reads a file with a secret, as text. Its memory is overwritten when it is dropped.
///
/// # Errors
/// As [`read_private`]; the file is not UTF-8.
pub fn read_private_text(path: &Path) -> Result<Zeroizing<String>, PrivateFileError> {
    let mut bytes = read_private(path)?;
    match String::from_utf8(std::mem::take(&mut bytes)) {
        Ok(text) => Ok(Zeroizing::new(text)),
        Err(error) => {
            // The error contains the bytes, which are a secret.
            *bytes = error.into_bytes();
            let error = io::Error::new(io::ErrorKind::InvalidData, "the file is not UTF-8");
            Err(PrivateFileError::Io(error))
        }
    }
}

/// Opens a file, and returns its permissions if other users can read or change it.
pub(crate) fn open(path: &Path) -> io::Result<(File, Option<Exposed>)> {
    let file = File::open(path)?;
    // Check the opened file, not the name, which may change.
    let of_file = file.metadata()?;
    let mode = of_file.mode() & 0o777;
    let exposed = is_exposed(mode, || is_own_group(of_file.gid()));
    Ok((file, exposed.then_some(Exposed(mode))))
}

fn is_exposed(mode: u32, is_own_group: impl FnOnce() -> bool) -> bool {
    mode & NEVER != 0 || mode & GROUP_READS != 0 && !is_own_group()
}

/// Whether the process belongs to the group, directly or as a supplementary one.
fn is_own_group(group: u32) -> bool {
    let is = |own: rustix::process::Gid| own.as_raw() == group;
    is(rustix::process::getegid()) || rustix::process::getgroups().is_ok_and(|own| own.into_iter().any(is))
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn only_the_owner_and_an_own_group_may_read() {
        for (mode, with_own_group, with_other_group) in [
            (0o600, true, true),
            (0o400, true, true),
            (0o700, true, true),
            (0o640, true, false),
            (0o440, true, false),
            (0o660, false, false),
            (0o620, false, false),
            (0o644, false, false),
            (0o604, false, false),
            (0o602, false, false),
            (0o601, false, false),
            (0o444, false, false),
        ] {
            assert_eq!(!is_exposed(mode, || true), with_own_group, "{mode:o}");
            assert_eq!(!is_exposed(mode, || false), with_other_group, "{mode:o}");
        }
    }

    #[test]
    fn the_opened_file_is_what_is_checked() {
        let directory = tempfile::tempdir().unwrap();
        let (file, link) = (directory.path().join("secret"), directory.path().join("link"));
        fs::write(&file, "s3cret").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
        assert_eq!(read_private_text(&link).unwrap().as_str(), "s3cret");
        fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
        let refused = read_private_text(&link).unwrap_err();
        let PrivateFileError::Exposed(exposed) = refused else {
            panic!("{refused:?}");
        };
        let shown = exposed.to_string();
        assert!(shown.contains("(mode 644)"), "{shown}");
        assert!(
            shown.contains("`chmod 600`") && shown.contains("`defaultMode: 0400`"),
            "{shown}"
        );
    }

    #[test]
    fn the_text_of_a_secret_is_in_no_error() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("secret");
        fs::write(&file, b"s3cret\xff").unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
        let error = format!("{:?}", read_private_text(&file).unwrap_err());
        assert!(!error.contains("s3cret") && !error.contains("115"), "{error}");
    }

    #[test]
    fn groups_are_those_of_the_process() {
        let own = rustix::process::getegid().as_raw();
        assert!(is_own_group(own));
        let others = (1..).filter(|&group| group != own);
        let own: Vec<u32> = rustix::process::getgroups()
            .unwrap()
            .into_iter()
            .map(rustix::process::Gid::as_raw)
            .collect();
        let other = others.into_iter().find(|group| !own.contains(group)).unwrap();
        assert!(!is_own_group(other));
    }
}
