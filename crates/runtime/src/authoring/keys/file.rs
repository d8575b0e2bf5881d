//! Key files: one word and 32 bytes in hexadecimal, readable only by their owner.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use ring::rand::{SecureRandom, SystemRandom};
use tokenward_audit::{Exposed, PrivateFileError, read_private_text};
use tokenward_compiler::seal::PublicKey;
use zeroize::Zeroizing;

use crate::ownership::adopt_at;

/// Reason why a key cannot be used or made.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read or made.
    #[error("cannot {doing} the key `{}`: {source}", .path.display())]
    Io {
        /// The operation that failed.
        doing: &'static str,
        /// Path of the key file.
        path: PathBuf,
        /// Error of the operating system.
        source: io::Error,
    },
    /// Other users can read or change the file.
    #[error("cannot use the key `{}`: {exposed}", .path.display())]
    Open {
        /// Path of the key file.
        path: PathBuf,
        /// Permissions of the file.
        exposed: Exposed,
    },
    /// The file contains something else.
    #[error("`{}` is not {wanted}; create one with `tokenward keys new`", .path.display())]
    NotAKey {
        /// Path of the key file.
        path: PathBuf,
        /// The expected kind of key, with its article.
        wanted: &'static str,
    },
    /// The system gives no random numbers.
    #[error("the operating system provides no random numbers")]
    NoRandomness,
}

/// Writes the public key next to the private one.
pub(super) fn publish(path: &Path, key: &PublicKey) -> Result<(), KeyError> {
    let mut public = path.as_os_str().to_owned();
    public.push(".pub");
    write_new(Path::new(&public), &format!("{key}\n"), 0o644)
}

pub(super) fn fill(bytes: &mut [u8]) -> Result<(), KeyError> {
    SystemRandom::new()
        .fill(bytes)
        .map_err(|_| KeyError::NoRandomness)
}

pub(super) fn generate(path: &Path, word: &str) -> Result<Zeroizing<[u8; 32]>, KeyError> {
    let mut bytes = Zeroizing::new([0; 32]);
    fill(bytes.as_mut_slice())?;
    if let Some(directory) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        fs::create_dir_all(directory).map_err(io("make the directory of", path))?;
    }
    let digits = Zeroizing::new(hex::encode(bytes.as_slice()));
    let text = Zeroizing::new(format!("{word} {}\n", *digits));
    write_new(path, &text, 0o600)?;
    Ok(bytes)
}

/// Writes a new file. An existing key is never overwritten: everything that it sealed would be lost.
pub(super) fn write_new(path: &Path, text: &str, mode: u32) -> Result<(), KeyError> {
    let made = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path);
    let mut file = made.map_err(io("make", path))?;
    adopt_at(path).map_err(io("give away", path))?;
    file.write_all(text.as_bytes())
        .and_then(|()| file.sync_all())
        .map_err(io("write", path))
}

pub(super) fn read(path: &Path, word: &str, wanted: &'static str) -> Result<Zeroizing<[u8; 32]>, KeyError> {
    let text = read_private_text(path).map_err(|error| match error {
        PrivateFileError::Io(source) => io("read", path)(source),
        PrivateFileError::Exposed(exposed) => KeyError::Open {
            path: path.to_owned(),
            exposed,
        },
    })?;
    let mut bytes = Zeroizing::new([0; 32]);
    let digits = text.trim().strip_prefix(word).map(str::trim);
    if digits.is_some_and(|digits| hex::decode_to_slice(digits, bytes.as_mut_slice()).is_ok()) {
        return Ok(bytes);
    }
    Err(KeyError::NotAKey {
        path: path.to_owned(),
        wanted,
    })
}

pub(super) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> KeyError {
    let path = path.to_owned();
    move |source| KeyError::Io { doing, path, source }
}
