//! The files of a proxy in a fleet, in the directory `<store>.fleet`: the mark, and the last manifest with its compiled policy.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::process::geteuid;
use sha2::{Digest, Sha256};
use tokenward_audit::{PrivateFileError, is_own_group, read_private_file};
use tokenward_fleet::manifest::{MOST_ARTIFACT_BYTES, MOST_BYTES, Verified};
use tokenward_fleet::mark::Mark;
use tokenward_fleet::signature::VerifyingKey;

use super::clocks::clocks;
use super::error::FleetError;
use super::published::read_at_most;
use crate::ownership::adopt;

const MARK: &str = "mark";
const MANIFEST: &str = "manifest";
const POLICY: &str = "policy.twp";
/// The same for a version that is about to take effect.
const NEXT_MANIFEST: &str = "manifest.next";
const NEXT_POLICY: &str = "policy.next.twp";
/// What the names of compiled policies begin with that a start has taken from the source, and not put in their place yet.
const STARTING: &str = "start-";

/// Longest file that can be a mark.
const MOST_MARK_BYTES: usize = 4096;

/// The directory of a proxy in a fleet.
pub(crate) struct Files(PathBuf);

impl Files {
    /// The directory beside an audit store.
    pub(crate) fn beside(store: &Path) -> Self {
        let mut path = OsString::from(store);
        path.push(".fleet");
        Self(PathBuf::from(path))
    }

    /// Path of the compiled policy in force.
    pub(crate) fn policy(&self) -> PathBuf {
        self.0.join(POLICY)
    }

    /// Path of the compiled policy that is about to take effect.
    pub(super) fn staged_policy(&self) -> PathBuf {
        self.0.join(NEXT_POLICY)
    }

    /// Reads the mark; `None` if there is no such file.
    ///
    /// # Errors
    /// The file cannot be read, can be changed by others, or is not a mark.
    pub(crate) fn mark(&self) -> Result<Option<Mark>, FleetError> {
        let path = self.0.join(MARK);
        let bytes = match read_private_file(&path, MOST_MARK_BYTES) {
            Ok(bytes) => bytes,
            Err(PrivateFileError::Io(error)) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(PrivateFileError::Io(source)) => {
                return Err(FleetError::file("read the fleet mark", path)(source));
            }
            Err(PrivateFileError::Exposed(exposed)) => return Err(FleetError::Exposed { path, exposed }),
        };
        match Mark::read(&bytes) {
            Ok(mark) => Ok(Some(mark)),
            Err(source) => Err(FleetError::Mark { path, source }),
        }
    }

    /// Writes the mark. It is on disk when this returns.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(crate) fn write_mark(&self, mark: &Mark) -> Result<(), FleetError> {
        self.write(MARK, &mark.bytes())
    }

    /// Finds the local manifest that made this mark, if its compiled policy is there too. A crash may have left either of
    /// them as the next one. Changes nothing.
    pub(super) fn local(&self, mark: &Mark, keys: &[VerifyingKey]) -> Option<(Verified, First)> {
        let (bytes, verified) = [MANIFEST, NEXT_MANIFEST].into_iter().find_map(|name| {
            let bytes = read_at_most(&self.0.join(name), MOST_BYTES).ok()?;
            let verified = Verified::read(&bytes, keys).ok()?;
            mark.is_of(verified.manifest()).then_some((bytes, verified))
        })?;
        let digest = verified.manifest().digest;
        let policy = [POLICY, NEXT_POLICY]
            .into_iter()
            .find(|name| self.has_digest(name, &digest))?;
        let first = First {
            manifest: bytes,
            policy: self.0.join(policy),
            is_temporary: false,
        };
        Some((verified, first))
    }

    /// Writes the compiled policy that a start found in the source to a file of its own. Until the store is locked and the
    /// mark agrees, it replaces nothing: another proxy may run with these files, or the source may be older than they are.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(super) fn start_with(&self, manifest: Vec<u8>, policy: &[u8]) -> Result<First, FleetError> {
        let name = format!(
            "{STARTING}{}-{}.twp",
            std::process::id(),
            clocks().boot.as_nanos()
        );
        self.write(&name, policy)?;
        Ok(First {
            manifest,
            policy: self.0.join(name),
            is_temporary: true,
        })
    }

    /// Makes what a start found the next version, to be promoted when the mark is written. Only for the owner of the store's
    /// lock.
    ///
    /// # Errors
    /// A file cannot be written.
    pub(super) fn stage_first(&self, first: &First) -> Result<(), FleetError> {
        let next = self.0.join(NEXT_POLICY);
        if first.policy == self.policy() {
            // The policy is in place. Only a crash between two renames leaves its manifest behind.
            return self.write(MANIFEST, &first.manifest);
        }
        if first.policy != next {
            fs::rename(&first.policy, &next).map_err(FleetError::file("replace", next))?;
        }
        self.write(NEXT_MANIFEST, &first.manifest)
    }

    /// Makes what a start found the current version, and removes what interrupted starts left. Only after
    /// [`Files::stage_first`].
    ///
    /// # Errors
    /// A file cannot be renamed.
    pub(super) fn promote_first(&self, first: &First) -> Result<(), FleetError> {
        if first.policy != self.policy() {
            self.promote()?;
        }
        let left = fs::read_dir(&self.0).into_iter().flatten().flatten();
        for entry in left.filter(|entry| entry.file_name().to_string_lossy().starts_with(STARTING)) {
            let _ = fs::remove_file(entry.path());
        }
        Ok(())
    }

    fn has_digest(&self, name: &str, digest: &[u8; 32]) -> bool {
        let most = usize::try_from(MOST_ARTIFACT_BYTES).unwrap_or(usize::MAX);
        read_at_most(&self.0.join(name), most).is_ok_and(|bytes| {
            let found: [u8; 32] = Sha256::digest(&bytes).into();
            found == *digest
        })
    }

    /// Writes a manifest and its compiled policy as the next ones.
    ///
    /// # Errors
    /// A file cannot be written.
    pub(super) fn stage(&self, manifest: &[u8], policy: &[u8]) -> Result<(), FleetError> {
        self.write(NEXT_POLICY, policy)?;
        self.write(NEXT_MANIFEST, manifest)
    }

    /// Makes the next manifest and compiled policy the current ones.
    ///
    /// # Errors
    /// A file cannot be renamed.
    pub(super) fn promote(&self) -> Result<(), FleetError> {
        for (from, to) in [(NEXT_POLICY, POLICY), (NEXT_MANIFEST, MANIFEST)] {
            let to = self.0.join(to);
            fs::rename(self.0.join(from), &to).map_err(FleetError::file("replace", to))?;
        }
        self.sync().map_err(FleetError::file("write", &self.0))
    }

    /// Path of a file of another name.
    pub(super) fn place(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Writes a file whole or not at all. It is on disk when this returns.
    pub(super) fn write(&self, name: &str, bytes: &[u8]) -> Result<(), FleetError> {
        let path = self.0.join(name);
        self.replace(&path, bytes)
            .map_err(FleetError::file("write", &path))
    }

    fn replace(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        match DirBuilder::new().mode(0o700).create(&self.0) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
            made => {
                if made.is_ok() {
                    adopt(&File::open(&self.0)?, parent(&self.0))?;
                    File::open(parent(&self.0))?.sync_all()?;
                }
            }
        }
        refuse_shared(&self.0)?;
        let mut temporary = OsString::from(path);
        temporary.push(".new");
        // A crash may have left one. It is not written through: it could be a link.
        match fs::remove_file(&temporary) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        // The proxy, which runs as the owner of the directory, has to read what root's command wrote.
        adopt(&file, &self.0)?;
        fs::rename(&temporary, path)?;
        self.sync()
    }

    fn sync(&self) -> io::Result<()> {
        File::open(&self.0)?.sync_all()
    }
}

/// What a start found: the manifest to serve, and the file with its compiled policy.
pub(super) struct First {
    manifest: Vec<u8>,
    policy: PathBuf,
    is_temporary: bool,
}

impl First {
    /// Path of the compiled policy, until it is in its place.
    pub(super) fn policy(&self) -> &Path {
        &self.policy
    }
}

impl Drop for First {
    fn drop(&mut self) {
        // A start that failed leaves nothing. After `stage_first` the file has another name.
        if self.is_temporary {
            let _ = fs::remove_file(&self.policy);
        }
    }
}

/// Refuses a directory that other users can write to: they could delete the mark, or replace the files.
fn refuse_shared(directory: &Path) -> io::Result<()> {
    let metadata = fs::metadata(directory)?;
    let (mode, owner) = (metadata.mode() & 0o777, metadata.uid());
    let me = geteuid();
    if owner != me.as_raw() && owner != 0 && !me.is_root() {
        return Err(io::Error::other(format!(
            "`{}` belongs to uid {owner}; run `chown` so that it belongs to the proxy's user, and check its files",
            directory.display()
        )));
    }
    // Kubernetes' `fsGroup` lets the process's own group write.
    if mode & 0o002 == 0 && (mode & 0o020 == 0 || is_own_group(metadata.gid())) {
        return Ok(());
    }
    Err(io::Error::other(format!(
        "other users can write to `{}` (mode {mode:03o}); run `chmod 700` on it, and check its files",
        directory.display()
    )))
}

fn parent(path: &Path) -> &Path {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    parent.unwrap_or(Path::new("."))
}
