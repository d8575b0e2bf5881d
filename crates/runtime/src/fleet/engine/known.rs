//! The revocations that this proxy knows, as signed entries in the order of the stream: in memory, and in the file
//! `<store>.fleet/revocations`. They are what the proxy writes back if the engine loses them, and they tell whether the
//! revocations that a manifest names are known.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokenward_audit::{PrivateFileError, read_private_file};
use tokenward_fleet::Digest;
use tokenward_fleet::name::Name;
use tokenward_fleet::revocation::{Revocation, Revocations};
use tokenward_fleet::signature::VerifyingKey;

use crate::fleet::error::FleetError;
use crate::fleet::files::Files;

/// Name of the file in `<store>.fleet`.
const FILE: &str = "revocations";
/// Maximum size of the file: some 200,000 revocations.
pub(super) const MOST_BYTES: usize = 64 << 20;
/// What the last line of each entry begins with.
const SIGNATURE: &[u8] = b"\nsignature ";

/// The revocations that this proxy knows.
pub(crate) struct Known {
    files: Files,
    path: PathBuf,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    revocations: Revocations,
    /// The same in the order of the stream as it is now.
    stream: Revocations,
    entries: Vec<(Digest, Vec<u8>)>,
    /// Entries from this one on are not in the file.
    saved: usize,
    bytes: usize,
    /// Whether the file has to be written as a whole, since its end is torn or unknown.
    is_torn: bool,
}

impl Known {
    /// Reads the file; without it nothing is known. Entries that no accepted key signed count for nothing. Changes nothing.
    ///
    /// # Errors
    /// The file cannot be read, or others can change it.
    pub(crate) fn open(files: Files, fleet: &Name, keys: &[VerifyingKey]) -> Result<Self, FleetError> {
        let path = files.place(FILE);
        let bytes = match read_private_file(&path, MOST_BYTES) {
            Ok(bytes) => bytes.to_vec(),
            Err(PrivateFileError::Io(error)) if error.kind() == ErrorKind::NotFound => Vec::new(),
            Err(PrivateFileError::Io(source)) => {
                return Err(FleetError::file("read the fleet's revocations", path)(source));
            }
            Err(PrivateFileError::Exposed(exposed)) => {
                return Err(FleetError::Exposed { path, exposed });
            }
        };
        let (inner, ignored) = Inner::read(&bytes, fleet, keys);
        if ignored > 0 {
            tracing::warn!(
                ignored,
                "`{}` has entries that no key of [fleet] revoking_keys signed; they are not written back to NATS",
                path.display()
            );
        }
        Ok(Self {
            files,
            path,
            inner: Mutex::new(inner),
        })
    }

    /// Notes that the stream is read from its beginning. A new stream, to which the entries were written back, may have another
    /// order, and publishers name its heads.
    pub(crate) fn begin_stream(&self) {
        self.lock().stream = Revocations::default();
    }

    /// Adds the next entry of the stream, in memory. Returns whether it is new.
    pub(crate) fn apply(&self, entry: &Revocation, bytes: &[u8]) -> bool {
        let mut inner = self.lock();
        inner.stream.apply(entry);
        inner.apply(entry, bytes)
    }

    /// Writes what is not in the file. It is on disk when this returns. Only for the owner of the store's lock.
    ///
    /// # Errors
    /// The file cannot be written, or would become too large.
    pub(crate) fn save(&self) -> Result<(), FleetError> {
        let mut inner = self.lock();
        if inner.saved == inner.entries.len() && !inner.is_torn {
            return Ok(());
        }
        let failed = |source| FleetError::file("write the fleet's revocations", &self.path)(source);
        if inner.bytes > MOST_BYTES {
            return Err(failed(std::io::Error::other(format!(
                "it would have more than {MOST_BYTES} bytes; revoke by the policy, and begin a new fleet"
            ))));
        }
        let from = if inner.is_torn { 0 } else { inner.saved };
        let new = inner
            .entries
            .iter()
            .skip(from)
            .flat_map(|(_, bytes)| bytes.iter().copied());
        let new: Vec<u8> = new.collect();
        if from == 0 {
            self.files.write(FILE, &new)?;
        } else {
            inner.is_torn = true;
            append(&self.path, &new).map_err(failed)?;
        }
        inner.is_torn = false;
        inner.saved = inner.entries.len();
        Ok(())
    }

    /// Whether all revocations up to this head are known.
    pub(crate) fn knows(&self, head: &Digest) -> bool {
        let inner = self.lock();
        inner.revocations.knows(head) || inner.stream.knows(head)
    }

    /// Whether this secret is revoked by an entry.
    pub(crate) fn has(&self, hash: &Digest) -> bool {
        self.lock().revocations.has(hash)
    }

    /// The head of what is known.
    pub(crate) fn head(&self) -> Digest {
        self.lock().revocations.head()
    }

    /// The number of revocations.
    pub(crate) fn count(&self) -> usize {
        self.lock().entries.len()
    }

    /// The revoked hashes.
    pub(crate) fn hashes(&self) -> Vec<Digest> {
        self.lock().entries.iter().map(|(hash, _)| *hash).collect()
    }

    /// The signed entries that `is_missing` names, in their order.
    pub(crate) fn entries(&self, is_missing: impl Fn(&Digest) -> bool) -> Vec<(Digest, Vec<u8>)> {
        let inner = self.lock();
        let missing = inner.entries.iter().filter(|(hash, _)| is_missing(hash));
        missing.cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Reads entries one after the other. Returns how many count for nothing. A torn one at the end was never acknowledged.
    fn read(bytes: &[u8], fleet: &Name, keys: &[VerifyingKey]) -> (Self, usize) {
        let mut inner = Self::default();
        let mut ignored = 0;
        let mut rest = bytes;
        while let Some((entry, after)) = end(rest).and_then(|end| rest.split_at_checked(end)) {
            match Revocation::read(entry, fleet, keys) {
                Ok(read) => {
                    inner.apply(&read, entry);
                }
                Err(_) => ignored += 1,
            }
            rest = after;
        }
        inner.is_torn = !rest.is_empty();
        inner.saved = inner.entries.len();
        (inner, ignored)
    }

    fn apply(&mut self, entry: &Revocation, bytes: &[u8]) -> bool {
        let is_new = self.revocations.apply(entry);
        if is_new {
            self.bytes += bytes.len();
            self.entries.push((entry.hash, bytes.to_vec()));
        }
        is_new
    }
}

/// Where the first entry ends: after the line with its signature.
fn end(bytes: &[u8]) -> Option<usize> {
    let line = bytes
        .windows(SIGNATURE.len())
        .position(|window| window == SIGNATURE)?
        + SIGNATURE.len();
    let rest = bytes.get(line..)?;
    Some(line + rest.iter().position(|&byte| byte == b'\n')? + 1)
}

fn append(path: &PathBuf, bytes: &[u8]) -> std::io::Result<()> {
    let mut file: File = OpenOptions::new().append(true).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    // A file that was replaced meanwhile has lost what was before.
    if fs::metadata(path)?.len() < u64::try_from(bytes.len()).unwrap_or(u64::MAX) {
        return Err(std::io::Error::other("the file was replaced"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use ring::signature::{Ed25519KeyPair, KeyPair};

    use super::*;

    fn key(seed: u8) -> (Ed25519KeyPair, VerifyingKey) {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap();
        let public = VerifyingKey(pair.public_key().as_ref().try_into().unwrap());
        (pair, public)
    }

    fn entry(seed: u8, hash: u8) -> (Revocation, Vec<u8>) {
        let (pair, public) = key(seed);
        let entry = Revocation {
            fleet: "main".parse().unwrap(),
            hash: [hash; 32],
            revoked: 1_796_083_200,
            by: "test".parse().unwrap(),
        };
        let bytes = entry.signed(public.id(), |body| pair.sign(body).as_ref().try_into().unwrap());
        (entry, bytes)
    }

    #[test]
    fn what_was_saved_is_known_again_in_its_order_and_a_torn_end_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("audit");
        let (fleet, keys) = ("main".parse().unwrap(), [key(1).1]);
        let open = || Known::open(Files::beside(&store), &fleet, &keys).unwrap();
        let known = open();
        for hash in [7, 3, 5] {
            let (entry, bytes) = entry(1, hash);
            assert!(known.apply(&entry, &bytes));
            assert!(!known.apply(&entry, &bytes), "once");
            known.save().unwrap();
        }
        let again = open();
        assert_eq!(again.hashes(), [[7; 32], [3; 32], [5; 32]]);
        assert_eq!(again.head(), known.head());
        assert!(again.knows(&Revocations::first()) && !again.knows(&[0; 32]));
        assert_eq!(again.entries(|hash| *hash == [3; 32]), [([3; 32], entry(1, 3).1)]);
        // A crash while appending.
        let path = folder.path().join("audit.fleet/revocations");
        let whole = fs::read(&path).unwrap();
        for cut in [1, 50, 150, 200] {
            let torn = &entry(1, 9).1[..cut];
            fs::write(&path, [whole.as_slice(), torn].concat()).unwrap();
            let torn = open();
            assert_eq!(torn.count(), 3, "{cut}");
            let (next, bytes) = entry(1, 11);
            assert!(torn.apply(&next, &bytes));
            torn.save().unwrap();
            assert_eq!(open().hashes(), [[7; 32], [3; 32], [5; 32], [11; 32]], "{cut}");
        }
    }

    #[test]
    fn heads_of_a_stream_with_another_order_are_known_too() {
        let folder = tempfile::tempdir().unwrap();
        let fleet = "main".parse().unwrap();
        let known = Known::open(Files::beside(&folder.path().join("audit")), &fleet, &[key(1).1]).unwrap();
        let apply = |to: &mut Revocations, hash| {
            let (entry, bytes) = entry(1, hash);
            to.apply(&entry);
            known.apply(&entry, &bytes);
            to.head()
        };
        let (mut first, mut second) = (Revocations::default(), Revocations::default());
        let old = [apply(&mut first, 1), apply(&mut first, 2)];
        known.begin_stream();
        let new = [
            apply(&mut second, 3),
            apply(&mut second, 2),
            apply(&mut second, 1),
        ];
        assert!(old.iter().chain(&new).all(|head| known.knows(head)));
        assert_eq!(known.hashes(), [[1; 32], [2; 32], [3; 32]]);
    }

    #[test]
    fn entries_of_other_keys_count_for_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("audit");
        let fleet = "main".parse().unwrap();
        let known = Known::open(Files::beside(&store), &fleet, &[key(1).1, key(2).1]).unwrap();
        for (seed, hash) in [(1, 7), (2, 3), (1, 5)] {
            let (entry, bytes) = entry(seed, hash);
            known.apply(&entry, &bytes);
        }
        known.save().unwrap();
        let one = Known::open(Files::beside(&store), &fleet, &[key(1).1]).unwrap();
        assert_eq!(one.hashes(), [[7; 32], [5; 32]]);
        assert!(!one.has(&[3; 32]));
        let path = folder.path().join("audit.fleet/revocations");
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
        assert!(Known::open(Files::beside(&store), &fleet, &[key(1).1]).is_err());
    }
}
