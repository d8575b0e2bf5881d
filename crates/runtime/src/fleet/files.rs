//! The files of a proxy in a fleet, in the directory `<store>.fleet`: the mark, and the last manifest with its compiled policy.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use tokenward_audit::{PrivateFileError, read_private};
use tokenward_fleet::manifest::{MOST_ARTIFACT_BYTES, MOST_BYTES, Verified};
use tokenward_fleet::mark::Mark;
use tokenward_fleet::signature::VerifyingKey;

use super::error::FleetError;
use super::published::read_at_most;
use crate::ownership::adopt;

const MARK: &str = "mark";
const MANIFEST: &str = "manifest";
const POLICY: &str = "policy.twp";
/// The same for a version that is about to take effect.
const NEXT_MANIFEST: &str = "manifest.next";
const NEXT_POLICY: &str = "policy.next.twp";

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
        let bytes = match read_private(&path) {
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

    /// Gives the local manifest that made this mark, if its compiled policy is there too. A crash may have left either of
    /// them as the next one; they become the current ones.
    pub(crate) fn local(&self, mark: &Mark, keys: &[VerifyingKey]) -> Option<Verified> {
        let (name, verified) = [MANIFEST, NEXT_MANIFEST].into_iter().find_map(|name| {
            let bytes = read_at_most(&self.0.join(name), MOST_BYTES).ok()?;
            let verified = Verified::read(&bytes, keys).ok()?;
            mark.is_of(verified.manifest()).then_some((name, verified))
        })?;
        let digest = verified.manifest().digest;
        let policy = [POLICY, NEXT_POLICY]
            .into_iter()
            .find(|name| self.has_digest(name, &digest))?;
        for (from, to) in [(policy, POLICY), (name, MANIFEST)] {
            if from != to {
                fs::rename(self.0.join(from), self.0.join(to)).ok()?;
            }
        }
        self.sync().ok()?;
        Some(verified)
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

    /// Writes a file whole or not at all. It is on disk when this returns.
    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), FleetError> {
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
        let mut temporary = OsString::from(path);
        temporary.push(".new");
        let mut file = OpenOptions::new()
            .write(true)
            .truncate(true)
            .create(true)
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

fn parent(path: &Path) -> &Path {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    parent.unwrap_or(Path::new("."))
}
