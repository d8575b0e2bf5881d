//! Revocations (SEMANTICS section 2): secrets that never work again. They are stored on disk, no reload undoes them,
//! and calls in progress that depend on them are notified.

use std::collections::{BTreeSet, HashSet};
use std::ffi::OsString;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use tokenward_pdp::secret::{SecretHash, parse_hash, shown_hash};
use tokio::sync::watch;

use super::fingerprint::{Look, is_settled, look};
use crate::ownership::adopt;
use crate::secret_table::SecretSet;

/// Reason why the file of revocations cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RevocationError {
    /// The file cannot be read.
    #[error("cannot read the revocations in {}: {source}; without them, revoked tokens would work again", path.display())]
    Unreadable {
        /// Path of the file.
        path: PathBuf,
        /// Error of the operating system.
        source: io::Error,
    },
    /// A line is not a hash.
    #[error(
        "{}:{line}: invalid revocation, expected `sha256:` and 64 hexadecimal digits; repair the line, or the token that it revoked would work again",
        path.display()
    )]
    Malformed {
        /// Path of the file.
        path: PathBuf,
        /// Line number, from 1.
        line: usize,
    },
}

/// All revocations that were ever seen. A revocation is never removed.
pub(crate) struct Revocations {
    hashes: ArcSwap<SecretSet>,
    /// Secrets that do not work for the time being. They are in no file.
    suspended: ArcSwap<SecretSet>,
    book: Mutex<Book>,
    news: watch::Sender<()>,
    /// Whether revocations may be unknown, so that calls in progress end.
    stale: AtomicBool,
}

/// The file: lines of `sha256:` and 64 hexadecimal digits, appended and synced.
struct Book {
    path: PathBuf,
    unsaved: Vec<SecretHash>,
    /// The file's metadata when it was last seen to have all that was written; `None`: it is to be read.
    seen: Option<Look>,
}

impl Revocations {
    /// Reads the revocations of a file; a missing file is empty. An unfinished last line, left by a crash while
    /// writing, is ignored: that revocation was never confirmed.
    ///
    /// # Errors
    /// The file cannot be read, or has other content.
    pub(crate) fn open(path: &Path) -> Result<Self, RevocationError> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
            Err(source) => {
                return Err(RevocationError::Unreadable {
                    path: path.to_owned(),
                    source,
                });
            }
        };
        let whole = text
            .rfind('\n')
            .and_then(|end| text.get(..end))
            .unwrap_or_default();
        let mut hashes = SecretSet::default();
        for (index, line) in whole.lines().enumerate().filter(|(_, line)| !line.is_empty()) {
            hashes.insert(parse_hash(line).ok_or_else(|| RevocationError::Malformed {
                path: path.to_owned(),
                line: index + 1,
            })?);
        }
        Ok(Self {
            book: Mutex::new(Book {
                path: path.to_owned(),
                unsaved: Vec::new(),
                seen: None,
            }),
            hashes: ArcSwap::from_pointee(hashes),
            suspended: ArcSwap::default(),
            news: watch::Sender::new(()),
            stale: AtomicBool::new(false),
        })
    }

    /// Whether the secret is revoked, or suspended.
    pub(crate) fn has(&self, secret: &SecretHash) -> bool {
        self.is_permanent(secret) || self.is_suspended(secret)
    }

    /// Whether the secret is revoked, which nothing undoes.
    pub(crate) fn is_permanent(&self, secret: &SecretHash) -> bool {
        self.hashes.load().contains(secret)
    }

    /// Whether the secret is suspended.
    pub(crate) fn is_suspended(&self, secret: &SecretHash) -> bool {
        self.suspended.load().contains(secret)
    }

    /// Suspends these secrets and no others, until the next call; nothing is written to disk. Ends calls in progress like a revocation.
    /// Returns whether a suspension was lifted.
    pub(super) fn suspend(&self, secrets: SecretSet) -> bool {
        let before = self.suspended.load_full();
        if *before == secrets {
            return false;
        }
        let lifted = before.iter().any(|secret| !secrets.contains(secret));
        self.suspended.store(Arc::new(secrets));
        self.news.send_replace(());
        lifted
    }

    /// Notes whether revocations may be unknown. Then calls in progress end like those of revoked tokens.
    pub(crate) fn set_stale(&self, stale: bool) {
        if self.stale.swap(stale, Ordering::Relaxed) != stale {
            self.news.send_replace(());
        }
    }

    /// Whether revocations may be unknown.
    pub(crate) fn is_stale(&self) -> bool {
        self.stale.load(Ordering::Relaxed)
    }

    /// Returns the number of revoked secrets.
    pub(crate) fn count(&self) -> usize {
        self.hashes.load().len()
    }

    /// Returns the number of revocations that could not be written to disk yet.
    pub(crate) fn unsaved(&self) -> usize {
        self.lock().unsaved.len()
    }

    /// Revokes secrets, and then writes them to disk. They take effect immediately, including for calls in progress.
    /// Blocks for the disk if there is something to write.
    ///
    /// # Errors
    /// The revocations could not be written. They are in effect, and [`Self::save`] tries again.
    pub(crate) fn add(&self, secrets: impl IntoIterator<Item = SecretHash>) -> io::Result<()> {
        let mut book = self.lock();
        let known = self.hashes.load_full();
        let new: SecretSet = secrets
            .into_iter()
            .filter(|secret| !known.contains(secret))
            .collect();
        if !new.is_empty() {
            self.hashes
                .store(Arc::new(known.iter().chain(&new).copied().collect()));
            book.unsaved.extend(new);
            self.news.send_replace(());
        }
        book.save(&self.hashes.load())
    }

    /// Writes the revocations that could not be written before, and all of them if the file has vanished or lacks one: after
    /// a restart the tokens would work again.
    ///
    /// # Errors
    /// The revocations still cannot be written.
    pub(crate) fn save(&self) -> io::Result<()> {
        self.lock().save(&self.hashes.load())
    }

    /// Creates the validity of a call's token from the secret that the call presented and the token's current one.
    pub(crate) fn validity(self: &Arc<Self>, secrets: [SecretHash; 2]) -> TokenValidity {
        TokenValidity {
            revocations: Arc::clone(self),
            secrets,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Book {
    /// Writes what is not on disk. `all`: every revocation.
    fn save(&mut self, all: &SecretSet) -> io::Result<()> {
        let found = match fs::metadata(&self.path) {
            Ok(metadata) => Some(metadata),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        let looks = found.as_ref().map(look);
        if looks.is_none() || looks != self.seen {
            if self.lacks_one_of(all)? {
                self.write_again(all)?;
                tracing::warn!(
                    "{} was missing or lacked lines; the proxy has written it again",
                    self.path.display()
                );
            } else {
                self.seen = looks.filter(|_| found.as_ref().is_some_and(is_settled));
            }
        }
        if !self.unsaved.is_empty() {
            self.append(found.is_none_or(|found| found.len() == 0))?;
        }
        Ok(())
    }

    /// Whether the file lacks a revocation that was written to it.
    fn lacks_one_of(&self, all: &SecretSet) -> io::Result<bool> {
        let unsaved: HashSet<&SecretHash> = self.unsaved.iter().collect();
        let mut written = all.iter().filter(|secret| !unsaved.contains(secret)).peekable();
        if written.peek().is_none() {
            return Ok(false);
        }
        let bytes = match fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(true),
            Err(error) => return Err(error),
        };
        let there: SecretSet = String::from_utf8_lossy(&bytes)
            .lines()
            .filter_map(parse_hash)
            .collect();
        Ok(written.any(|secret| !there.contains(secret)))
    }

    fn directory(&self) -> &Path {
        let parent = self.path.parent().filter(|parent| !parent.as_os_str().is_empty());
        parent.unwrap_or(Path::new("."))
    }

    /// Replaces the file by one with all revocations, and with those that others wrote to it.
    fn write_again(&mut self, all: &SecretSet) -> io::Result<()> {
        let left = fs::read(&self.path).unwrap_or_default();
        let all: BTreeSet<SecretHash> = all
            .iter()
            .copied()
            .chain(String::from_utf8_lossy(&left).lines().filter_map(parse_hash))
            .collect();
        let lines = lines(&all);
        let mut new = OsString::from(&self.path);
        new.push(".new");
        let new = PathBuf::from(new);
        fs::create_dir_all(self.directory())?;
        let mut file = OpenOptions::new()
            .write(true)
            .truncate(true)
            .create(true)
            .mode(0o600)
            .open(&new)?;
        file.write_all(lines.as_bytes())?;
        file.sync_all()?;
        self.give_to_owner_of_store(&file)?;
        fs::rename(&new, &self.path)?;
        File::open(self.directory())?.sync_all()?;
        self.seen = None;
        self.unsaved.clear();
        Ok(())
    }

    fn append(&mut self, created: bool) -> io::Result<()> {
        let lines = lines(&self.unsaved);
        fs::create_dir_all(self.directory())?;
        let mut file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .mode(0o600)
            .open(&self.path)?;
        drop_unfinished(&mut file)?;
        file.write_all(lines.as_bytes())?;
        file.sync_all()?;
        if created {
            File::open(self.directory())?.sync_all()?;
        }
        self.seen = None;
        self.unsaved.clear();
        if created {
            self.give_to_owner_of_store(&file)?;
        }
        Ok(())
    }

    /// The proxy, which runs as the owner of the store, has to read what root's command wrote.
    fn give_to_owner_of_store(&self, file: &File) -> io::Result<()> {
        let store = self.path.with_extension("");
        adopt(file, if store.exists() { &store } else { self.directory() })
    }
}

/// The lines of the file.
fn lines<'s>(secrets: impl IntoIterator<Item = &'s SecretHash>) -> String {
    secrets
        .into_iter()
        .map(|secret| shown_hash(secret) + "\n")
        .collect()
}

/// Removes a last line that a crash left unfinished: a line that is not a hash keeps the proxy from starting.
fn drop_unfinished(file: &mut File) -> io::Result<()> {
    let mut text = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.read_to_end(&mut text)?;
    let whole = text
        .iter()
        .rposition(|&byte| byte == b'\n')
        .map_or(0, |end| end + 1);
    if whole < text.len() {
        file.set_len(whole as u64)?;
    }
    Ok(())
}

/// Returns the path of an audit store's revocations: next to the store, as `<store>.revoked`.
pub(crate) fn beside(store: &Path) -> PathBuf {
    let mut path = OsString::from(store);
    path.push(".revoked");
    PathBuf::from(path)
}

/// Validity of the token that a call depends on.
#[derive(Clone)]
pub(crate) struct TokenValidity {
    revocations: Arc<Revocations>,
    secrets: [SecretHash; 2],
}

impl TokenValidity {
    /// Whether the token was revoked, or nobody knows.
    pub(crate) fn is_lost(&self) -> bool {
        let [shown, current] = &self.secrets;
        self.revocations.is_stale()
            || self.revocations.has(shown)
            || shown != current && self.revocations.has(current)
    }

    /// Whether the call presented the secret from before a rotation.
    pub(crate) fn is_previous(&self) -> bool {
        let [shown, current] = &self.secrets;
        shown != current
    }

    /// Whether it is lost because revocations may be unknown.
    pub(crate) fn is_stale(&self) -> bool {
        self.revocations.is_stale()
    }

    /// Resolves when the token is revoked, or nobody knows; never before.
    pub(crate) async fn lost(self) {
        // Subscribe before the first check, so that no later revocation is missed.
        let mut news = self.revocations.news.subscribe();
        while !self.is_lost() {
            // The sender lives as long as `self`.
            let _ = news.changed().await;
        }
    }
}

impl fmt::Debug for TokenValidity {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("TokenValidity")
            .field("is_lost", &self.is_lost())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_revoked_once_is_revoked_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/audit.revoked");
        let revocations = Revocations::open(&path).unwrap();
        revocations.add([[1; 32], [2; 32]]).unwrap();
        revocations.add([[2; 32], [3; 32]]).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 3, "each once");
        let again = Revocations::open(&path).unwrap();
        assert!([1, 2, 3].iter().all(|&n| again.has(&[n; 32])));
        assert!(!again.has(&[4; 32]));
    }

    #[test]
    fn a_write_that_a_crash_cut_short_is_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("revoked");
        fs::write(&path, format!("{}\nsha256:0102", shown_hash(&[1; 32]))).unwrap();
        let revocations = Revocations::open(&path).unwrap();
        assert_eq!(revocations.count(), 1);
        revocations.add([[2; 32]]).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(
            text,
            format!("{}\n{}\n", shown_hash(&[1; 32]), shown_hash(&[2; 32]))
        );
    }

    #[test]
    fn what_is_no_hash_is_not_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("revoked");
        fs::write(&path, format!("{}\nsha256:01\n", shown_hash(&[1; 32]))).unwrap();
        let error = Revocations::open(&path).err().unwrap().to_string();
        assert!(error.contains("revoked:2"), "{error}");
    }

    #[test]
    fn what_cannot_be_written_is_in_force_and_written_later() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file/revoked");
        fs::write(folder.path().join("file"), "no directory").unwrap();
        let revocations = Revocations::open(&path);
        // A file in place of a directory is an error, not an absent store.
        assert!(revocations.is_err());
        fs::remove_file(folder.path().join("file")).unwrap();
        let revocations = Revocations::open(&path).unwrap();
        fs::write(folder.path().join("file"), "no directory").unwrap();
        assert!(revocations.add([[1; 32]]).is_err());
        assert!(revocations.has(&[1; 32]));
        assert_eq!(revocations.unsaved(), 1);
        fs::remove_file(folder.path().join("file")).unwrap();
        revocations.save().unwrap();
        assert_eq!(revocations.unsaved(), 0);
        assert!(Revocations::open(&path).unwrap().has(&[1; 32]));
    }

    #[test]
    fn a_file_that_vanished_or_lost_lines_is_written_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store/revoked");
        let revocations = Revocations::open(&path).unwrap();
        revocations.save().unwrap();
        assert!(!path.exists(), "nothing to write");
        revocations.add([[1; 32], [2; 32]]).unwrap();
        let all_are_there = |hashes: &[SecretHash]| {
            let again = Revocations::open(&path).unwrap();
            assert!(hashes.iter().all(|hash| again.is_permanent(hash)));
            assert_eq!(again.count(), hashes.len());
        };
        fs::remove_dir_all(folder.path().join("store")).unwrap();
        revocations.save().unwrap();
        all_are_there(&[[1; 32], [2; 32]]);
        // A new revocation does not make a file of its own.
        fs::remove_file(&path).unwrap();
        revocations.add([[3; 32]]).unwrap();
        all_are_there(&[[1; 32], [2; 32], [3; 32]]);
        // A line that was overwritten at the same length is missing, too, and one that is no text harms no other.
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.replace(&shown_hash(&[2; 32]), &shown_hash(&[9; 32]))).unwrap();
        revocations.save().unwrap();
        all_are_there(&[[1; 32], [2; 32], [3; 32], [9; 32]]);
        fs::write(&path, [b"\xff", shown_hash(&[1; 32]).as_bytes(), b"\n"].concat()).unwrap();
        revocations.save().unwrap();
        all_are_there(&[[1; 32], [2; 32], [3; 32]]);
        // What somebody else wrote stays.
        fs::write(&path, shown_hash(&[4; 32]) + "\n").unwrap();
        revocations.save().unwrap();
        all_are_there(&[[1; 32], [2; 32], [3; 32], [4; 32]]);
        // So it is for revocations that were read at the start.
        let revocations = Revocations::open(&path).unwrap();
        fs::write(&path, "").unwrap();
        revocations.save().unwrap();
        all_are_there(&[[1; 32], [2; 32], [3; 32], [4; 32]]);
    }

    #[tokio::test]
    async fn a_suspension_ends_calls_and_can_be_lifted() {
        let folder = tempfile::tempdir().unwrap();
        let revocations = Arc::new(Revocations::open(&folder.path().join("revoked")).unwrap());
        let ends = tokio::spawn(revocations.validity([[1; 32], [1; 32]]).lost());
        tokio::task::yield_now().await;
        assert!(!revocations.suspend(SecretSet::from_iter([[1; 32]])));
        ends.await.unwrap();
        assert!(revocations.has(&[1; 32]) && !revocations.is_permanent(&[1; 32]));
        assert!(revocations.suspend(SecretSet::default()));
        assert!(!revocations.has(&[1; 32]));
    }

    #[tokio::test]
    async fn calls_end_when_revocations_may_be_unknown() {
        let folder = tempfile::tempdir().unwrap();
        let revocations = Arc::new(Revocations::open(&folder.path().join("revoked")).unwrap());
        let validity = revocations.validity([[1; 32], [1; 32]]);
        let ends = tokio::spawn(validity.clone().lost());
        tokio::task::yield_now().await;
        assert!(!validity.is_lost() && !ends.is_finished());
        revocations.set_stale(true);
        ends.await.unwrap();
        assert!(validity.is_stale() && !revocations.has(&[1; 32]));
        revocations.set_stale(false);
        assert!(!validity.is_lost());
    }

    #[tokio::test]
    async fn calls_learn_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let revocations = Arc::new(Revocations::open(&folder.path().join("revoked")).unwrap());
        let ends = tokio::spawn(revocations.validity([[1; 32], [2; 32]]).lost());
        let stays = tokio::spawn(revocations.validity([[3; 32], [3; 32]]).lost());
        tokio::task::yield_now().await;
        revocations.add([[2; 32]]).unwrap();
        ends.await.unwrap();
        assert!(!stays.is_finished());
        stays.abort();
    }
}
