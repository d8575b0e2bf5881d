//! Files with secrets: only their owner may change them, and only their owner and the process's own groups may read them.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;
use zeroize::Zeroizing;

/// Longest file that is read, in bytes; files with secrets are far smaller.
const LARGEST: usize = 1 << 20;

/// The user who can read every file.
const ROOT: u32 = 0;
/// Bytes of an access control list that is read; each entry has eight.
const LONGEST_LIST: usize = 4096;
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

/// Why other users can read or change a file. Shown with what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exposed {
    /// By these permissions, in octal.
    Mode(u32),
    /// The file belongs to the user of this number.
    Owner(u32),
    /// An access control list names another user or group.
    AccessList,
}

impl fmt::Display for Exposed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("other users can read or change it ")?;
        match self {
            Self::Mode(mode) => write!(
                f,
                "(mode {mode:03o}); run `chmod 600` on it (Kubernetes: `defaultMode: 0400` in the volume)"
            ),
            Self::Owner(owner) => write!(
                f,
                "(it belongs to uid {owner}); run `chown` so that it belongs to the proxy's user or to root"
            ),
            Self::AccessList => f.write_str("(its access control list names others); run `setfacl -b` on it"),
        }?;
        f.write_str(", and check who may have read it")
    }
}

/// Reads a file with a secret, as bytes. Their memory is overwritten when they are dropped.
///
/// # Errors
/// The file cannot be read, or other users can read or change it. It must belong to the process's user or to root; if root
/// reads it, also to the owner of its directory, who can replace it anyway. A group may read it if the process belongs to the
/// group, so that the file can be root's, and Kubernetes' `fsGroup` works.
pub fn read_private(path: &Path) -> Result<Zeroizing<Vec<u8>>, PrivateFileError> {
    let (file, exposed) = open(path)?;
    bytes_of(&file, exposed, LARGEST)
}

/// Reads a private file that is never a pipe: one at its place is refused, and not waited for.
///
/// # Errors
/// As [`read_private`]; the file is not a regular file, or has more than `most` bytes.
pub fn read_private_file(path: &Path, most: usize) -> Result<Zeroizing<Vec<u8>>, PrivateFileError> {
    // A pipe would block, and a name can be exchanged: the opened file is checked.
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(i32::try_from(flags.bits()).unwrap_or_default())
        .open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is not a regular file").into());
    }
    let exposed = exposure(path, &file)?;
    bytes_of(&file, exposed, most)
}

fn bytes_of(
    file: &File,
    exposed: Option<Exposed>,
    most: usize,
) -> Result<Zeroizing<Vec<u8>>, PrivateFileError> {
    if let Some(exposed) = exposed {
        return Err(PrivateFileError::Exposed(exposed));
    }
    // Room for the whole file: a vector that grows leaves copies behind.
    let length = usize::try_from(file.metadata()?.len()).unwrap_or_default();
    let mut bytes = Zeroizing::new(Vec::with_capacity(length.min(most) + 1));
    let limit = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    file.take(limit).read_to_end(&mut bytes)?;
    if bytes.len() > most {
        return Err(io::Error::other(format!("it has more than {most} bytes")).into());
    }
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

/// Opens a file, and returns why other users can read or change it, if they can.
pub(crate) fn open(path: &Path) -> io::Result<(File, Option<Exposed>)> {
    let file = File::open(path)?;
    // Check the opened file, not the name, which may change.
    let exposed = exposure(path, &file)?;
    Ok((file, exposed))
}

/// Why other users can read or change an opened file, if they can.
fn exposure(path: &Path, file: &File) -> io::Result<Option<Exposed>> {
    let of_file = file.metadata()?;
    let mode = of_file.mode() & 0o777;
    let me = rustix::process::geteuid().as_raw();
    Ok(if is_exposed(mode, || is_own_group(of_file.gid())) {
        Some(Exposed::Mode(mode))
    } else if !is_own(of_file.uid(), me, || owner_of_directory(path)) {
        Some(Exposed::Owner(of_file.uid()))
    } else {
        admits_others(file, me).then_some(Exposed::AccessList)
    })
}

/// Whether a file of this owner is the process's own.
fn is_own(owner: u32, me: u32, directory: impl FnOnce() -> Option<u32>) -> bool {
    owner == me || owner == ROOT || me == ROOT && directory() == Some(owner)
}

fn owner_of_directory(path: &Path) -> Option<u32> {
    let path = path.canonicalize().ok()?;
    path.parent()?.metadata().ok().map(|directory| directory.uid())
}

/// Whether the POSIX access control list of a file names another user, or a group that the process does not belong to.
fn admits_others(file: &File, me: u32) -> bool {
    let mut list = [0; LONGEST_LIST];
    match rustix::fs::fgetxattr(file, "system.posix_acl_access", &mut list[..]) {
        Ok(length) => names_others(list.get(..length).unwrap_or_default(), me, is_own_group),
        // Without a list, or on a file system without lists, the mode is complete.
        Err(error) => error == rustix::io::Errno::RANGE,
    }
}

/// The same for the list's bytes: a version, then entries of a tag, permissions and an id (Linux,
/// `include/uapi/linux/posix_acl_xattr.h`, little-endian).
fn names_others(list: &[u8], me: u32, is_own_group: impl Fn(u32) -> bool) -> bool {
    const USER: u16 = 0x02;
    const GROUP: u16 = 0x08;
    let entries = list.get(4..).unwrap_or_default().chunks_exact(8);
    let mut named = entries.filter_map(|entry| {
        let (tag, rest) = entry.split_first_chunk::<2>()?;
        let (permissions, id) = rest.split_first_chunk::<2>()?;
        let id = u32::from_le_bytes(*id.first_chunk()?);
        (*permissions != [0, 0]).then_some((u16::from_le_bytes(*tag), id))
    });
    named.any(|(tag, id)| match tag {
        USER => id != me && id != ROOT,
        GROUP => !is_own_group(id),
        _ => false,
    })
}

fn is_exposed(mode: u32, is_own_group: impl FnOnce() -> bool) -> bool {
    mode & NEVER != 0 || mode & GROUP_READS != 0 && !is_own_group()
}

/// Whether the process belongs to the group, directly or as a supplementary one.
pub fn is_own_group(group: u32) -> bool {
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
    fn a_private_file_is_a_regular_file_of_a_bounded_length() {
        let directory = tempfile::tempdir().unwrap();
        let (file, pipe) = (directory.path().join("file"), directory.path().join("pipe"));
        fs::write(&file, "0123456789").unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
        assert_eq!(read_private_file(&file, 10).unwrap().as_slice(), b"0123456789");
        let told = |path: &Path, most| match read_private_file(path, most).unwrap_err() {
            PrivateFileError::Io(error) => error.to_string(),
            PrivateFileError::Exposed(exposed) => exposed.to_string(),
        };
        assert_eq!(told(&file, 9), "it has more than 9 bytes");
        // Nobody writes to the pipe.
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(made.success());
        assert_eq!(told(&pipe, 10), "it is not a regular file");
        fs::set_permissions(&file, Permissions::from_mode(0o602)).unwrap();
        assert!(told(&file, 10).contains("(mode 602)"));
        // No file with a secret fills the memory.
        fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
        fs::OpenOptions::new()
            .write(true)
            .open(&file)
            .unwrap()
            .set_len(1 << 40)
            .unwrap();
        let PrivateFileError::Io(error) = read_private(&file).unwrap_err() else {
            panic!("it is private");
        };
        assert_eq!(error.to_string(), "it has more than 1048576 bytes");
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
    fn a_file_of_another_user_is_refused() {
        for (owner, me, directory, expected) in [
            (1000, 1000, 0, true),
            (0, 1000, 1000, true),
            (1001, 1000, 1001, false),
            // Root reads the files of a service in the service's directory.
            (1000, 0, 1000, true),
            (1000, 0, 0, false),
        ] {
            assert_eq!(
                is_own(owner, me, || Some(directory)),
                expected,
                "{owner} {me} {directory}"
            );
        }
    }

    #[test]
    fn entries_of_an_access_control_list_are_read() {
        let entry = |tag: u16, permissions: u16, id: u32| {
            [
                &tag.to_le_bytes()[..],
                &permissions.to_le_bytes(),
                &id.to_le_bytes(),
            ]
            .concat()
        };
        // The owner, the group, a mask and others, as each list has them.
        let usual = [
            entry(1, 6, u32::MAX),
            entry(4, 0, u32::MAX),
            entry(16, 4, u32::MAX),
            entry(32, 0, u32::MAX),
        ];
        for (named, expected) in [
            (None, false),
            (Some(entry(2, 4, 65534)), true),
            (Some(entry(2, 0, 65534)), false),
            (Some(entry(2, 4, 1000)), false),
            (Some(entry(2, 4, 0)), false),
            (Some(entry(8, 4, 7)), false),
            (Some(entry(8, 4, 8)), true),
        ] {
            let list: Vec<u8> = 2_u32
                .to_le_bytes()
                .into_iter()
                .chain(usual.concat())
                .chain(named.into_iter().flatten())
                .collect();
            assert_eq!(
                names_others(&list, 1000, |group| group == 7),
                expected,
                "{list:?}"
            );
        }
        assert!(!names_others(&[], 1000, |_| false));
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
