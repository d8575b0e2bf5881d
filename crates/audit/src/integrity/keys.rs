//! The keys of signed heads, and their files.

#[cfg(test)]
mod tests;

use std::fmt;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{Ed25519KeyPair, KeyPair};
use zeroize::Zeroizing;

use crate::disk::private_file;
use crate::error::KeyError;

const SECRET_WORD: &str = "tokenward-audit-signing-key";
const PUBLIC_WORD: &str = "tokenward-audit-public-key";

/// A key that signs heads. Made by [`SigningKey::generate`], kept in a file of its own.
pub struct SigningKey(pub(crate) Ed25519KeyPair);

/// The key that a signature is checked with. Shown, and read, as a line `tokenward-audit-public-key HEX`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PublicKey(pub(crate) [u8; 32]);

impl SigningKey {
    /// Makes a key: writes the secret to `path`, readable only by its owner, and the public key to `path` with `.pub` appended.
    /// Neither file may exist. Their directory is made if absent.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn generate(path: &Path) -> Result<Self, KeyError> {
        let mut seed = Zeroizing::new([0; 32]);
        SystemRandom::new()
            .fill(seed.as_mut_slice())
            .map_err(|_| KeyError::NoRandom)?;
        let key = Self::of(&seed).ok_or(KeyError::NoRandom)?;
        let make = |path: &Path, text: &str, mode| {
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
        let digits = Zeroizing::new(hex::encode(seed.as_slice()));
        let text = Zeroizing::new(format!("{SECRET_WORD} {}\n", *digits));
        make(path, &text, 0o600)?;
        make(&public_path(path), &format!("{}\n", key.public()), 0o644)?;
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
        let (mut file, exposed) = private_file::open(path).map_err(unreadable)?;
        let mut text = Zeroizing::new(String::new());
        file.read_to_string(&mut text).map_err(unreadable)?;
        let path = path.to_owned();
        let seed = text
            .trim()
            .strip_prefix(SECRET_WORD)
            .and_then(hex32)
            .map(Zeroizing::new);
        // Another kind of file is reported first: a public key may be readable by everyone.
        match (seed.and_then(|seed| Self::of(&seed)), exposed) {
            (None, _) => Err(KeyError::NotAKey {
                path,
                wanted: "signing key",
            }),
            (Some(_), Some(exposed)) => Err(KeyError::Open { path, exposed }),
            (Some(key), None) => Ok(key),
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

    /// First bytes of the key, by which a signed head names it.
    pub(crate) fn id(self) -> [u8; 4] {
        self.0.first_chunk().copied().unwrap_or_default()
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PUBLIC_WORD} {}", hex::encode(self.0))
    }
}

/// The text is not a public key.
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

/// Path of the public key that belongs to the secret in `path`.
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
