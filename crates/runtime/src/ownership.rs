//! Owner, group, mode, ACL and extended attributes of the files that commands write. A file that is replaced keeps them, and
//! files that root creates belong to the owner of their neighbour: the proxy runs as another user and must be able to read
//! them.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use rustix::fs::{Gid, Uid, XattrFlags, fchown, fgetxattr, flistxattr, fremovexattr, fsetxattr};
use rustix::io::Errno;
use rustix::process::geteuid;

/// Maximum size of a list of extended attributes, and of one value, that Linux has.
const LARGEST: usize = 64 << 10;

/// Digests of the content, which the kernel computes for each file.
const OF_CONTENT: [&str; 2] = ["security.ima", "security.evm"];

/// Owner, group, mode and extended attributes of a file. An ACL is one of the extended attributes.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Attributes {
    owner: u32,
    group: u32,
    mode: u32,
    extended: BTreeMap<String, Vec<u8>>,
}

/// Reason why a new version of a file was not prepared.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The system does not allow the process to give the new file an attribute of the old one.
    #[error("cannot keep {kept}: {source}; run the command as {user} or as root")]
    NotKept {
        /// The attribute, with its value if it is short.
        kept: String,
        /// The user that can keep it.
        user: String,
        /// Error of the operating system.
        source: io::Error,
    },
    /// The file cannot be read or written.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Writes the new version of `model` to the new file `temporary`, and waits until it is on disk. The new file has owner, group,
/// mode, ACL and extended attributes of `model`. If there is no `model`, and the process runs as root, the file belongs to the
/// owner of its directory, and the directory's group can read it if it can read the directory.
///
/// # Errors
/// The file cannot be written, or cannot get one of the attributes. The temporary file may exist.
pub(crate) fn write_version(temporary: &Path, bytes: &[u8], model: &Path) -> Result<(), WriteError> {
    let kept = match File::open(model) {
        Ok(file) if file.metadata()?.is_file() => Some(Attributes::of(&file)?),
        Ok(_) => None,
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error.into()),
    };
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    if kept.is_some() {
        // Until it has the right owner and ACL, nobody else can open it.
        options.mode(0o600);
    }
    let mut file = options.open(temporary)?;
    match kept {
        Some(kept) => kept.give_to(&file)?,
        None => {
            if let Some(directory) = neighbour_of(temporary) {
                adopt(&file, directory)?;
                share_with_group(&file, directory)?;
            }
        }
    }
    file.write_all(bytes)?;
    Ok(file.sync_all()?)
}

/// Gives a file that root has just created to the owner and the group of `neighbour`. A process of another user changes nothing.
///
/// # Errors
/// The system refuses it; the error names the command that an operator can run.
pub(crate) fn adopt(file: &File, neighbour: &Path) -> io::Result<()> {
    if !geteuid().is_root() {
        return Ok(());
    }
    let (wanted, is) = (fs::metadata(neighbour)?, file.metadata()?);
    if (wanted.uid(), wanted.gid()) == (is.uid(), is.gid()) {
        return Ok(());
    }
    give(file, wanted.uid(), wanted.gid()).map_err(|error| {
        io::Error::new(
            error.kind(),
            format!(
                "the new file belongs to root and not to the owner of `{}` ({error}); run `chown {}:{}` on it",
                neighbour.display(),
                wanted.uid(),
                wanted.gid()
            ),
        )
    })
}

/// The same for a file at `path`, with its directory as the neighbour.
///
/// # Errors
/// See [`adopt`].
pub(crate) fn adopt_at(path: &Path) -> io::Result<()> {
    match neighbour_of(path) {
        Some(directory) if geteuid().is_root() => adopt(&File::open(path)?, directory),
        _ => Ok(()),
    }
}

/// The directory of a file.
fn neighbour_of(path: &Path) -> Option<&Path> {
    let directory = path.parent()?;
    Some(if directory.as_os_str().is_empty() {
        Path::new(".")
    } else {
        directory
    })
}

/// Lets the group of root's new file read it if the group can read the directory.
fn share_with_group(file: &File, directory: &Path) -> io::Result<()> {
    let (around, is) = (fs::metadata(directory)?, file.metadata()?);
    if geteuid().is_root() && around.gid() != 0 && around.mode() & 0o040 != 0 {
        file.set_permissions(Permissions::from_mode(is.mode() & 0o7777 | 0o040))?;
    }
    Ok(())
}

fn give(file: &File, owner: u32, group: u32) -> io::Result<()> {
    Ok(fchown(
        file,
        Some(Uid::from_raw(owner)),
        Some(Gid::from_raw(group)),
    )?)
}

impl Attributes {
    fn of(file: &File) -> io::Result<Self> {
        let metadata = file.metadata()?;
        Ok(Self {
            owner: metadata.uid(),
            group: metadata.gid(),
            mode: metadata.mode() & 0o7777,
            extended: extended(file)?,
        })
    }

    /// Gives these attributes to a new file, and checks that it has them.
    fn give_to(&self, file: &File) -> Result<(), WriteError> {
        let not_kept = |kept: &dyn fmt::Display| {
            let kept = kept.to_string();
            let user = format!("the file's owner (uid {})", self.owner);
            |source| WriteError::NotKept { kept, user, source }
        };
        let new = Self::of(file)?;
        if new.owner != self.owner || new.group != self.group {
            let kept = format!("the owner and group {}:{}", self.owner, self.group);
            give(file, self.owner, self.group).map_err(not_kept(&kept))?;
        }
        // A default ACL of the directory gives new files one that the old file need not have.
        for name in new
            .extended
            .keys()
            .filter(|name| !self.extended.contains_key(*name))
        {
            fremovexattr(file, name.as_str())
                .map_err(|error| not_kept(&format!("that there is no `{name}`"))(error.into()))?;
        }
        let mode = Permissions::from_mode(self.mode);
        file.set_permissions(mode)
            .map_err(not_kept(&format!("the mode {:03o}", self.mode)))?;
        for (name, value) in &self.extended {
            if new.extended.get(name) != Some(value) {
                fsetxattr(file, name.as_str(), value, XattrFlags::empty())
                    .map_err(|error| not_kept(&format!("the attribute `{name}`"))(error.into()))?;
            }
        }
        // Some file systems accept a change and ignore it.
        if Self::of(file)? == *self {
            return Ok(());
        }
        let ignored = io::Error::other("the file system ignores it");
        Err(not_kept(&"owner, mode, ACL and extended attributes")(ignored))
    }
}

/// Reads the extended attributes; none if the file system has none.
fn extended(file: &File) -> io::Result<BTreeMap<String, Vec<u8>>> {
    let mut names = vec![0; LARGEST];
    let length = match flistxattr(file, names.as_mut_slice()) {
        Ok(length) => length,
        Err(Errno::OPNOTSUPP | Errno::NOSYS) => return Ok(BTreeMap::new()),
        Err(error) => return Err(error.into()),
    };
    names.truncate(length);
    let names = names.split(|&byte| byte == 0).filter(|name| !name.is_empty());
    let mut extended = BTreeMap::new();
    for name in names {
        let name = str::from_utf8(name).map_err(io::Error::other)?;
        if OF_CONTENT.contains(&name) {
            continue;
        }
        let mut value = vec![0; LARGEST];
        match fgetxattr(file, name, value.as_mut_slice()) {
            Ok(length) => value.truncate(length),
            // Removed since it was listed.
            Err(Errno::NODATA) => continue,
            Err(error) => return Err(error.into()),
        }
        extended.insert(name.to_owned(), value);
    }
    Ok(extended)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `user::rw-, user:12345:r--, group::r--, mask::r--, other::---` in the form of the kernel.
    fn acl() -> Vec<u8> {
        let entry = |tag: u16, permissions: u16, id: u32| {
            [
                &tag.to_le_bytes()[..],
                &permissions.to_le_bytes(),
                &id.to_le_bytes(),
            ]
            .concat()
        };
        let none = u32::MAX;
        [
            2u32.to_le_bytes().to_vec(),
            entry(0x01, 6, none),
            entry(0x02, 4, 12345),
            entry(0x04, 4, none),
            entry(0x10, 4, none),
            entry(0x20, 0, none),
        ]
        .concat()
    }

    const ACL: &str = "system.posix_acl_access";

    fn replaced(path: &Path) -> Result<Attributes, WriteError> {
        let temporary = path.with_extension("new");
        write_version(&temporary, b"after", path)?;
        fs::rename(&temporary, path)?;
        Ok(Attributes::of(&File::open(path)?)?)
    }

    /// Whether the test is run by root; otherwise it says that it does not look.
    fn is_root() -> bool {
        let root = geteuid().is_root();
        if !root {
            eprintln!("not run by root: owners cannot be changed, so they are not tested");
        }
        root
    }

    #[test]
    fn mode_acl_and_extended_attributes_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.toml");
        fs::write(&path, "before").unwrap();
        let file = File::open(&path).unwrap();
        file.set_permissions(Permissions::from_mode(0o644)).unwrap();
        if let Err(error) = fsetxattr(&file, "user.origin", b"git", XattrFlags::empty()) {
            eprintln!("no extended attributes here ({error}), so they are not tested");
            return;
        }
        match fsetxattr(&file, ACL, &acl(), XattrFlags::empty()) {
            Ok(()) => {}
            Err(error) => eprintln!("no ACLs here ({error}), so they are not tested"),
        }
        let before = Attributes::of(&file).unwrap();
        assert_eq!(before.extended["user.origin"], b"git");
        assert_eq!(replaced(&path).unwrap(), before);
        assert_eq!(fs::read(&path).unwrap(), b"after");
    }

    #[test]
    fn a_default_acl_of_the_directory_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.toml");
        fs::write(&path, "before").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        let directory = File::open(folder.path()).unwrap();
        if let Err(error) = fsetxattr(
            &directory,
            "system.posix_acl_default",
            &acl(),
            XattrFlags::empty(),
        ) {
            eprintln!("no ACLs here ({error}), so they are not tested");
            return;
        }
        let new = File::create(folder.path().join("b.toml")).unwrap();
        assert!(extended(&new).unwrap().contains_key(ACL), "new files get one");
        let after = replaced(&path).unwrap();
        assert_eq!((after.mode, after.extended), (0o640, BTreeMap::new()));
    }

    #[test]
    fn owner_and_group_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.toml");
        fs::write(&path, "before").unwrap();
        if !is_root() {
            return;
        }
        let file = File::open(&path).unwrap();
        give(&file, 12345, 23456).unwrap();
        file.set_permissions(Permissions::from_mode(0o4640)).unwrap();
        let before = Attributes::of(&file).unwrap();
        assert_eq!((before.owner, before.group, before.mode), (12345, 23456, 0o4640));
        assert_eq!(replaced(&path).unwrap(), before);
    }

    #[test]
    fn new_files_of_root_belong_to_the_owner_of_their_directory() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new.toml");
        if !is_root() {
            return;
        }
        let directory = File::open(folder.path()).unwrap();
        give(&directory, 12345, 23456).unwrap();
        directory.set_permissions(Permissions::from_mode(0o750)).unwrap();
        let new = replaced(&path).unwrap();
        assert_eq!((new.owner, new.group), (12345, 23456));
        assert_eq!(new.mode & 0o040, 0o040);
    }
}
