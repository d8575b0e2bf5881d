//! Signed heads: where the chain ended at a time, under a key that whoever writes to the disk lacks.
//!
//! They stand in the file `HEADS` of the store, a line each, synced. The chain alone shows what was
//! changed within it; a head that lies beyond its end shows that the end was cut off. Whoever can write
//! both the store and `HEADS` may roll both back to an earlier head: copy the file elsewhere, or note its
//! last line, to see that too.
//!
//! Ed25519 (RFC 8032) over `tokenward audit head 1`, a line feed, and the line up to the signature.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::{Duration, Instant};

use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};

use crate::chain::{Chain, Hash};
use crate::error::KeyError;
use crate::faults;
use crate::private::OTHERS;

const CONTEXT: &str = "tokenward audit head 1\n";
const SECRET_WORD: &str = "tokenward-audit-signing-key";
const PUBLIC_WORD: &str = "tokenward-audit-public-key";
const HEAD_WORD: &str = "head";
/// Its name, in the store.
pub(crate) const FILE: &str = "HEADS";

/// A key that signs heads. Made by [`SigningKey::generate`], kept in a file of its own.
pub struct SigningKey(Ed25519KeyPair);

/// The key that a signature is checked with. Shown, and read, as a line `tokenward-audit-public-key HEX`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PublicKey([u8; 32]);

impl SigningKey {
    /// Makes a key: the secret in `path`, readable by its owner alone, the public key in `path` with
    /// `.pub` appended. Neither may exist; their directory is made if absent.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn generate(path: &Path) -> Result<Self, KeyError> {
        let mut seed = [0; 32];
        SystemRandom::new()
            .fill(&mut seed)
            .map_err(|_| KeyError::NoRandom)?;
        let key = Self::of(&seed).ok_or(KeyError::NoRandom)?;
        let make = |path: &Path, text: String, mode| {
            let made = File::options()
                .write(true)
                .create_new(true)
                .mode(mode)
                .open(path)
                .and_then(|mut file| {
                    file.write_all(text.as_bytes())?;
                    file.sync_all()
                });
            made.map_err(|source| KeyError::Io {
                doing: "make",
                path: path.to_owned(),
                source,
            })
        };
        if let Some(directory) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            fs::create_dir_all(directory).map_err(|source| KeyError::Io {
                doing: "make the directory of",
                path: path.to_owned(),
                source,
            })?;
        }
        make(path, format!("{SECRET_WORD} {}\n", hex::encode(seed)), 0o600)?;
        make(&public_path(path), format!("{}\n", key.public()), 0o644)?;
        Ok(key)
    }

    /// Reads the secret in `path`.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        let unreadable = |source| KeyError::Io {
            doing: "read",
            path: path.to_owned(),
            source,
        };
        let mut file = File::open(path).map_err(unreadable)?;
        // Of the file that was opened, not of the name.
        let mode = file.metadata().map_err(unreadable)?.permissions().mode() & 0o777;
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(unreadable)?;
        let path = path.to_owned();
        let seed = text.trim().strip_prefix(SECRET_WORD).and_then(hex32);
        match seed.and_then(|seed| Self::of(&seed)) {
            None => Err(KeyError::NotAKey {
                path,
                wanted: "signing key",
            }),
            Some(_) if mode & OTHERS != 0 => Err(KeyError::Open { path, mode }),
            Some(key) => Ok(key),
        }
    }

    fn of(seed: &[u8; 32]) -> Option<Self> {
        Ed25519KeyPair::from_seed_unchecked(seed).ok().map(Self)
    }

    /// What its signatures are checked with.
    pub fn public(&self) -> PublicKey {
        let mut bytes = [0; 32];
        // An Ed25519 public key has 32 bytes.
        for (to, from) in bytes.iter_mut().zip(self.0.public_key().as_ref()) {
            *to = *from;
        }
        PublicKey(bytes)
    }

    pub(crate) fn sign(&self, chain: &Chain, time_ms: i64) -> SignedHead {
        let mut head = SignedHead {
            key: self.public().id(),
            last: chain.next.saturating_sub(1),
            time_ms,
            hash: chain.hash,
            signature: [0; 64],
        };
        let signature = self.0.sign(head.signed_text().as_bytes());
        for (to, from) in head.signature.iter_mut().zip(signature.as_ref()) {
            *to = *from;
        }
        head
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SigningKey").field(&self.public()).finish()
    }
}

impl PublicKey {
    /// Reads the key in `path`.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        read(path)?.parse().map_err(|NotPublic| KeyError::NotAKey {
            path: path.to_owned(),
            wanted: "public key",
        })
    }

    fn id(self) -> [u8; 4] {
        self.0.first_chunk().copied().unwrap_or_default()
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PUBLIC_WORD} {}", hex::encode(self.0))
    }
}

/// The text is no public key.
#[derive(Debug, thiserror::Error)]
#[error("not `{PUBLIC_WORD}` and 64 hexadecimal digits")]
pub struct NotPublic;

impl FromStr for PublicKey {
    type Err = NotPublic;

    fn from_str(text: &str) -> Result<Self, NotPublic> {
        let bytes = text.trim().strip_prefix(PUBLIC_WORD).and_then(hex32);
        bytes.map(Self).ok_or(NotPublic)
    }
}

fn hex32(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(text.trim(), &mut bytes).ok()?;
    Some(bytes)
}

/// Where the public key of the secret in `path` stands.
fn public_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".pub");
    name.into()
}

fn read(path: &Path) -> Result<String, KeyError> {
    fs::read_to_string(path).map_err(|source| KeyError::Io {
        doing: "read",
        path: path.to_owned(),
        source,
    })
}

/// One signed head: `head KEY-ID LAST TIME HASH SIGNATURE`, time in milliseconds since 1970 UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SignedHead {
    key: [u8; 4],
    /// The last entry.
    pub(crate) last: u64,
    /// When it was signed.
    pub(crate) time_ms: i64,
    /// The hash of the block that ends with it.
    pub(crate) hash: Hash,
    signature: [u8; 64],
}

/// Whose a head is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signer {
    /// One of the keys'.
    Known,
    /// A key's that was not given.
    Unknown,
    /// Nobody's: the signature does not hold.
    Nobody,
}

impl SignedHead {
    fn text(&self) -> String {
        format!(
            "{HEAD_WORD} {} {} {} {}",
            hex::encode(self.key),
            self.last,
            self.time_ms,
            hex::encode(self.hash)
        )
    }

    fn signed_text(&self) -> String {
        format!("{CONTEXT}{}", self.text())
    }

    /// Whose it is.
    pub(crate) fn signer(&self, keys: &[PublicKey]) -> Signer {
        let mut named = keys.iter().filter(|key| key.id() == self.key).peekable();
        if named.peek().is_none() {
            return Signer::Unknown;
        }
        let text = self.signed_text();
        let holds = named.any(|key| {
            UnparsedPublicKey::new(&ED25519, key.0)
                .verify(text.as_bytes(), &self.signature)
                .is_ok()
        });
        if holds { Signer::Known } else { Signer::Nobody }
    }
}

impl fmt::Display for SignedHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.text(), hex::encode(self.signature))
    }
}

fn parse_line(line: &str) -> Option<SignedHead> {
    let mut words = line.split_ascii_whitespace();
    if words.next() != Some(HEAD_WORD) {
        return None;
    }
    let mut head = SignedHead {
        key: [0; 4],
        last: 0,
        time_ms: 0,
        hash: [0; 32],
        signature: [0; 64],
    };
    hex::decode_to_slice(words.next()?, &mut head.key).ok()?;
    head.last = words.next()?.parse().ok()?;
    head.time_ms = words.next()?.parse().ok()?;
    hex::decode_to_slice(words.next()?, &mut head.hash).ok()?;
    hex::decode_to_slice(words.next()?, &mut head.signature).ok()?;
    words.next().is_none().then_some(head)
}

/// The heads in `text`; lines that are none, such as one that a crash cut short, are left out.
pub(crate) fn parse(text: &str) -> Vec<SignedHead> {
    text.lines().filter_map(parse_line).collect()
}

/// The heads of the store in the directory `root`, or of the proof in that file. A store without them has none; one whose
/// heads cannot be read is an error.
pub(crate) fn read_all(root: &Path) -> io::Result<Vec<SignedHead>> {
    if !root.is_dir() {
        return Ok(crate::proof::heads(root));
    }
    match fs::read(root.join(FILE)) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        bytes => bytes.map(|bytes| parse(&String::from_utf8_lossy(&bytes))),
    }
}

/// Signs the end of a store's chain now and then.
#[derive(Debug)]
pub(crate) struct Heads {
    key: SigningKey,
    path: PathBuf,
    // Absent until it could be opened.
    file: Option<File>,
    interval: Duration,
    // The last entry that was signed, and when.
    signed: Option<(u64, Instant)>,
}

impl Heads {
    /// Opens the file below `root`, made if absent.
    pub(crate) fn open(root: &Path, key: SigningKey, interval: Duration) -> io::Result<Self> {
        let mut heads = Self {
            key,
            path: root.join(FILE),
            file: None,
            interval,
            signed: None,
        };
        match heads.append("") {
            // A disk that takes nothing at present may do so later.
            Err(error) if !heads.path.exists() && error.kind() != io::ErrorKind::ReadOnlyFilesystem => {
                Err(error)
            }
            _ => Ok(heads),
        }
    }

    /// Appends to the file, opened if it is not.
    fn append(&mut self, text: &str) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            none => {
                let whole =
                    fs::read(&self.path).map_or(true, |bytes| bytes.last().is_none_or(|b| *b == b'\n'));
                faults::check(&self.path, faults::Act::Write)?;
                let mut file = File::options().create(true).append(true).open(&self.path)?;
                if !whole {
                    // A crash left half a line.
                    file.write_all(b"\n")?;
                }
                none.insert(file)
            }
        };
        if !text.is_empty() {
            file.write_all(text.as_bytes())?;
            file.sync_data()?;
        }
        Ok(())
    }

    /// Signs the end of `chain` if it has moved on and the last head is older than the interval, or
    /// none may follow (`finally`).
    pub(crate) fn sign(&mut self, chain: &Chain, now_ms: i64, finally: bool) -> io::Result<()> {
        let last = chain.next.saturating_sub(1);
        let due = self
            .signed
            .is_none_or(|(signed, when)| signed < last && (finally || when.elapsed() >= self.interval));
        if !due || last == 0 {
            return Ok(());
        }
        let head = self.key.sign(chain, now_ms);
        self.append(&format!("{head}\n"))?;
        self.signed = Some((last, Instant::now()));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain() -> Chain {
        Chain {
            next: 8,
            hash: [9; 32],
        }
    }

    #[test]
    fn keys_are_made_once_and_read_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("audit.key");
        let key = SigningKey::generate(&path).unwrap();
        let public = PublicKey::read(&dir.path().join("audit.key.pub")).unwrap();
        assert_eq!(key.public(), public);
        assert_eq!(SigningKey::read(&path).unwrap().public(), public);
        let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&path).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600);
        assert!(matches!(SigningKey::generate(&path), Err(KeyError::Io { .. })));
        let wrong = SigningKey::read(&dir.path().join("audit.key.pub")).unwrap_err();
        assert!(wrong.to_string().contains("is no signing key"), "{wrong}");
        let secret = fs::read_to_string(&path).unwrap();
        assert!(!format!("{key:?}").contains(secret.split_whitespace().last().unwrap()));
    }

    #[test]
    fn a_head_is_read_back_and_no_other_is_taken_for_it() {
        let dir = tempfile::tempdir().unwrap();
        let key = SigningKey::generate(&dir.path().join("a")).unwrap();
        let other = SigningKey::generate(&dir.path().join("b")).unwrap();
        let line = key.sign(&chain(), 5).to_string();
        let [head] = parse(&format!("half a li\n{line}\n")).try_into().unwrap();
        assert_eq!((head.last, head.time_ms, head.hash), (7, 5, [9; 32]));
        assert_eq!(head.signer(&[other.public(), key.public()]), Signer::Known);
        assert_eq!(head.signer(&[other.public()]), Signer::Unknown);
        let later = SignedHead { time_ms: 6, ..head };
        assert_eq!(later.signer(&[key.public()]), Signer::Nobody);
    }
}
