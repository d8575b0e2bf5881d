//! The keys of tokens and of policies, each in a file that only its owner can read: the *sealing key* encrypts secrets so that
//! they can be shown again (standard mode), the *signing key* makes seals (secure mode), the *artifact key* signs compiled
//! policies.

mod artifact;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{Ed25519KeyPair, KeyPair};
use sha2::{Digest, Sha256};
use tokenward_compiler::seal::{KeyId, PublicKey, Seal, Version};

pub use artifact::ArtifactKey;

const SEALING: &str = "tokenward-sealing-key";
const SIGNING: &str = "tokenward-signing-key";
/// What the encryption of a secret is bound to, before its hash.
const CONTEXT: &str = "tokenward sealed secret 1\n";
const VERSION: &str = "v1";

/// Why a key cannot be used or made.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read or made.
    #[error("cannot {doing} the key `{}`: {source}", .path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// Others than its owner can read it.
    #[error("others than its owner can read the key `{}` (mode {mode:03o}); chmod 600 it, and ask yourself who has read it", .path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// It holds something else.
    #[error("`{}` is no {wanted}; `tokenward keys new` makes one", .path.display())]
    NotAKey {
        /// The file.
        path: PathBuf,
        /// What it should be.
        wanted: &'static str,
    },
    /// The system gives no random numbers.
    #[error("the system gives no random numbers")]
    NoRandomness,
}

/// Why a sealed secret cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It was sealed with a key that is not at hand.
    #[error("it was sealed with the key {0}, which [keys] sealing_keys does not name")]
    OtherKey(String),
    /// The text, or the token's hash beside it, was changed.
    #[error("`secret_sealed` is not of this token, or was changed")]
    Damaged,
}

/// Encrypts secrets: ChaCha20-Poly1305 (RFC 8439), a random nonce each, bound to the secret's hash.
pub struct SealingKey {
    key: LessSafeKey,
    id: KeyId,
}

/// Makes seals: Ed25519 (RFC 8032).
pub struct SigningKey(Ed25519KeyPair);

/// The keys of these files, in order.
///
/// # Errors
/// See [`KeyError`].
pub fn sealing_keys(files: &[PathBuf]) -> Result<Vec<SealingKey>, KeyError> {
    files.iter().map(|file| SealingKey::read(file)).collect()
}

impl SealingKey {
    /// Makes a key in a new file.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn generate(path: &Path) -> Result<Self, KeyError> {
        Self::of(&generate(path, SEALING)?).ok_or(KeyError::NoRandomness)
    }

    /// Reads a key.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        Self::of(&read(path, SEALING, "sealing key")?).ok_or(KeyError::NoRandomness)
    }

    fn of(bytes: &[u8; 32]) -> Option<Self> {
        let digest = Sha256::new_with_prefix("tokenward sealing key\n")
            .chain_update(bytes)
            .finalize();
        Some(Self {
            key: LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, bytes).ok()?),
            id: digest.first_chunk().copied()?,
        })
    }

    /// Its name: eight hexadecimal digits, which tell nothing of the key.
    #[must_use]
    pub fn id(&self) -> String {
        hex::encode(self.id)
    }

    /// The secret as a policy file may hold it: `v1:KEY-ID:`, then nonce and ciphertext in hexadecimal.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub fn seal(&self, secret: &str, hash: &[u8; 32]) -> Result<String, KeyError> {
        let mut nonce = [0; NONCE_LEN];
        fill(&mut nonce)?;
        let mut bytes = secret.as_bytes().to_vec();
        self.key
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(bound_to(hash)),
                &mut bytes,
            )
            .map_err(|_| KeyError::NoRandomness)?;
        let (id, nonce, bytes) = (self.id(), hex::encode(nonce), hex::encode(bytes));
        Ok(format!("{VERSION}:{id}:{nonce}{bytes}"))
    }

    /// The secret of a token with this hash, sealed with one of these keys.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(keys: &[Self], sealed: &str, hash: &[u8; 32]) -> Result<String, OpenError> {
        let parts: Vec<&str> = sealed.split(':').collect();
        let [VERSION, id, digits] = parts.as_slice() else {
            return Err(OpenError::Damaged);
        };
        let key = keys.iter().find(|key| key.id() == *id);
        let key = key.ok_or_else(|| OpenError::OtherKey((*id).to_owned()))?;
        let bytes = hex::decode(digits).map_err(|_| OpenError::Damaged)?;
        let (nonce, rest) = bytes.split_first_chunk::<NONCE_LEN>().ok_or(OpenError::Damaged)?;
        let mut rest = rest.to_vec();
        let opened = key
            .key
            .open_in_place(
                Nonce::assume_unique_for_key(*nonce),
                Aad::from(bound_to(hash)),
                &mut rest,
            )
            .map_err(|_| OpenError::Damaged)?;
        let secret = std::str::from_utf8(opened).map_err(|_| OpenError::Damaged)?;
        if crate::secret::hash(secret) == *hash {
            Ok(secret.to_owned())
        } else {
            Err(OpenError::Damaged)
        }
    }
}

impl SigningKey {
    /// Makes a key in a new file, and its public key in a file beside it that ends in `.pub`.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn generate(path: &Path) -> Result<Self, KeyError> {
        let key = Self(key_pair(&generate(path, SIGNING)?)?);
        publish(path, &key.public())?;
        Ok(key)
    }

    /// Reads a key.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        Ok(Self(key_pair(&read(path, SIGNING, "signing key")?)?))
    }

    /// What its seals are checked with.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        public(&self.0)
    }

    /// The seal of a statement of the current version (`tokenward_compiler::seal::statement`).
    #[must_use]
    pub fn sign(&self, statement: &[u8]) -> Seal {
        Seal {
            version: Version::CURRENT,
            key: self.public().id(),
            signature: signature(&self.0, statement),
        }
    }
}

fn key_pair(seed: &[u8; 32]) -> Result<Ed25519KeyPair, KeyError> {
    Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| KeyError::NoRandomness)
}

fn public(pair: &Ed25519KeyPair) -> PublicKey {
    // INVARIANT: an Ed25519 public key has 32 bytes.
    PublicKey::from_bytes(pair.public_key().as_ref().try_into().unwrap_or_default())
}

fn signature(pair: &Ed25519KeyPair, message: &[u8]) -> [u8; 64] {
    let mut bytes = [0; 64];
    // INVARIANT: an Ed25519 signature has 64 bytes.
    for (to, from) in bytes.iter_mut().zip(pair.sign(message).as_ref()) {
        *to = *from;
    }
    bytes
}

/// Writes the public key next to the private one.
fn publish(path: &Path, key: &PublicKey) -> Result<(), KeyError> {
    let mut public = path.as_os_str().to_owned();
    public.push(".pub");
    write_new(Path::new(&public), &format!("{key}\n"), 0o644)
}

fn bound_to(hash: &[u8; 32]) -> Vec<u8> {
    [CONTEXT.as_bytes(), hash].concat()
}

fn fill(bytes: &mut [u8]) -> Result<(), KeyError> {
    SystemRandom::new()
        .fill(bytes)
        .map_err(|_| KeyError::NoRandomness)
}

fn generate(path: &Path, word: &str) -> Result<[u8; 32], KeyError> {
    let mut bytes = [0; 32];
    fill(&mut bytes)?;
    if let Some(directory) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        fs::create_dir_all(directory).map_err(io("make the directory of", path))?;
    }
    write_new(path, &format!("{word} {}\n", hex::encode(bytes)), 0o600)?;
    Ok(bytes)
}

/// A key that is there is never written over: whatever it sealed would be lost.
fn write_new(path: &Path, text: &str, mode: u32) -> Result<(), KeyError> {
    let made = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path);
    let mut file = made.map_err(io("make", path))?;
    file.write_all(text.as_bytes())
        .and_then(|()| file.sync_all())
        .map_err(io("write", path))
}

fn read(path: &Path, word: &str, wanted: &'static str) -> Result<[u8; 32], KeyError> {
    let mut file = File::open(path).map_err(io("read", path))?;
    // Of the file that was opened, not of the name.
    let mode = file.metadata().map_err(io("read", path))?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(KeyError::Open {
            path: path.to_owned(),
            mode: mode & 0o777,
        });
    }
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(io("read", path))?;
    let mut bytes = [0; 32];
    let digits = text.trim().strip_prefix(word).map(str::trim);
    if digits.is_some_and(|digits| hex::decode_to_slice(digits, &mut bytes).is_ok()) {
        return Ok(bytes);
    }
    Err(KeyError::NotAKey {
        path: path.to_owned(),
        wanted,
    })
}

fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> KeyError {
    let path = path.to_owned();
    move |source| KeyError::Io { doing, path, source }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokenward_compiler::policy::{Attributes, Users};
    use tokenward_compiler::seal::{Fault, fault, statement};

    fn token() -> Attributes {
        Attributes {
            name: "a".to_owned(),
            users: Users::Named(vec!["u".to_owned()]),
            secret_hash: [1; 32],
            previous: None,
            expires: Some(5),
            allowed_ips: Vec::new(),
            on_behalf_of: Vec::new(),
            revoked: false,
            owner: None,
            description: None,
            mint: false,
            unrestricted: false,
            lint_allow: Vec::new(),
            secret_sealed: false,
            seal: None,
        }
    }

    #[test]
    fn a_sealed_secret_opens_with_its_key_and_hash_alone() {
        let folder = tempfile::tempdir().unwrap();
        let key = SealingKey::generate(&folder.path().join("new/one.key")).unwrap();
        let other = SealingKey::generate(&folder.path().join("two.key")).unwrap();
        let secret = "twd_abcdefghijklmnopqrstuvwxyz012345z592xh";
        let hash = crate::secret::hash(secret);
        let sealed = key.seal(secret, &hash).unwrap();
        assert_ne!(sealed, key.seal(secret, &hash).unwrap(), "a nonce each");
        assert!(!sealed.contains(secret));
        let again = SealingKey::read(&folder.path().join("new/one.key")).unwrap();
        let keys = [other, again];
        assert_eq!(SealingKey::open(&keys, &sealed, &hash).unwrap(), secret);
        let damaged = |text: &str, hash: &[u8; 32]| {
            matches!(SealingKey::open(&keys, text, hash), Err(OpenError::Damaged))
        };
        assert!(damaged(&sealed, &[7; 32]), "of another token");
        for at in (12..sealed.len()).step_by(7) {
            let mut text = sealed.clone().into_bytes();
            text[at] = if text[at] == b'0' { b'1' } else { b'0' };
            assert!(
                damaged(std::str::from_utf8(&text).unwrap(), &hash),
                "changed at {at}"
            );
        }
        assert!(matches!(
            SealingKey::open(&keys[..1], &sealed, &hash),
            Err(OpenError::OtherKey(id)) if id == key.id()
        ));
    }

    #[test]
    fn keys_that_others_can_read_are_refused_and_none_is_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.key");
        let key = SigningKey::generate(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let public = fs::read_to_string(folder.path().join("s.key.pub")).unwrap();
        assert_eq!(public.trim().parse::<PublicKey>().unwrap(), key.public());
        assert!(matches!(
            SigningKey::generate(&path),
            Err(KeyError::Io { doing: "make", .. })
        ));
        assert!(matches!(SealingKey::read(&path), Err(KeyError::NotAKey { .. })));
        for mode in [0o640, 0o604, 0o610] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert!(
                matches!(SigningKey::read(&path), Err(KeyError::Open { mode: told, .. }) if told == mode)
            );
        }
    }

    #[test]
    fn a_seal_is_of_everything_but_revoked() {
        let folder = tempfile::tempdir().unwrap();
        let key = SigningKey::generate(&folder.path().join("s.key")).unwrap();
        let other = SigningKey::generate(&folder.path().join("t.key")).unwrap();
        let keys = [other.public(), key.public()];
        let lines = ["!/rest/b", "/rest/a"];
        let mut sealed = token();
        assert_eq!(fault(&sealed, lines, &keys), Some(Fault::Missing));
        sealed.seal = Some(key.sign(&statement(Version::CURRENT, &sealed, lines).unwrap()));
        assert_eq!(fault(&sealed, lines, &keys), None);
        assert_eq!(
            fault(&sealed, lines, &keys[..1]),
            Some(Fault::Stranger(key.public().id()))
        );
        type Change = fn(&mut Attributes);
        let changes: [Change; 11] = [
            |it| it.name.push('b'),
            |it| it.users = Users::Any,
            |it| it.secret_hash = [2; 32],
            |it| it.previous = Some(([3; 32], 9)),
            |it| it.expires = None,
            |it| it.allowed_ips.push("10.0.0.0/8".parse().unwrap()),
            |it| it.on_behalf_of.push("x".to_owned()),
            |it| it.owner = Some("o".to_owned()),
            |it| it.description = Some("d".to_owned()),
            |it| it.mint = true,
            |it| it.unrestricted = true,
        ];
        for (number, change) in changes.iter().enumerate() {
            let mut changed = sealed.clone();
            change(&mut changed);
            assert_eq!(
                fault(&changed, lines, &keys),
                Some(Fault::Wrong),
                "change {number}"
            );
        }
        for other in [
            vec!["/rest/a"],
            vec!["/rest/a", "!/rest/b"],
            vec!["!/rest/b", "/rest/a", "/rest/a"],
        ] {
            assert_eq!(
                fault(&sealed, other.iter().copied(), &keys),
                Some(Fault::Wrong),
                "{other:?}"
            );
        }
        let mut readable = sealed.clone();
        readable.secret_sealed = true;
        assert_eq!(fault(&readable, lines, &keys), Some(Fault::Readable));
        readable.revoked = true;
        assert_eq!(fault(&readable, lines, &keys), None);
        sealed.revoked = true;
        assert_eq!(fault(&sealed, lines, &keys), None);
    }
}
