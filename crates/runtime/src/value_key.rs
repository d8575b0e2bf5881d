//! The key of `[audit.values]`, by which the audit stores hashes of values.

use std::path::PathBuf;
use std::sync::Arc;

use ring::hmac;
use tokenward_audit::{Exposed, PrivateFileError, read_private_text};
use tokenward_pdp::config::{PasswordSource, Values};
use tokenward_pdp::request::{Kept, KeyedHash};
use zeroize::Zeroizing;

/// Reason why the key of the audit's hashes cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ValuesError {
    /// The key cannot be read.
    #[error("cannot read the key `{place}` of [audit.values]: {why}")]
    Unreadable {
        /// The file or the environment variable.
        place: String,
        /// Reason for the failure.
        why: String,
    },
    /// Other users can read or change the file.
    #[error("cannot use the key `{}` of [audit.values]: {exposed}", .path.display())]
    Open {
        /// Path of the file.
        path: PathBuf,
        /// Permissions of the file.
        exposed: Exposed,
    },
    /// The key is short enough to be guessed.
    #[error(
        "the key `{place}` of [audit.values] is shorter than {LEAST} characters; create one with `openssl rand -hex 32`"
    )]
    Short {
        /// The file or the environment variable.
        place: String,
    },
}

/// Minimum number of characters of a key.
const LEAST: usize = 32;

/// Number of bytes of a hash that are stored: enough to avoid collisions by chance.
const HASH_BYTES: usize = 12;

/// Reads the key of the hashes, and prepares the rules for values.
///
/// # Errors
/// The key cannot be read, or is too short.
pub fn load(values: &Values) -> Result<Kept, ValuesError> {
    let key = values.key.as_ref().map(key).transpose()?;
    let key = key.map(|key| Arc::new(Hmac::new(key.as_bytes())) as Arc<dyn KeyedHash>);
    Ok(Kept::new(
        values.query,
        values.body,
        values.names.iter().cloned(),
        key,
    ))
}

/// Hashes by HMAC-SHA-256.
struct Hmac(hmac::Key);

impl Hmac {
    fn new(key: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }
}

impl KeyedHash for Hmac {
    /// Computes the HMAC of name, a zero byte and value, and returns its first 24 hexadecimal digits.
    fn hash(&self, name: &str, value: &str) -> String {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(name.as_bytes());
        context.update(&[0]);
        context.update(value.as_bytes());
        let tag = context.sign();
        hex::encode(tag.as_ref().get(..HASH_BYTES).unwrap_or_default())
    }
}

fn key(source: &PasswordSource) -> Result<Zeroizing<String>, ValuesError> {
    let (place, text) = match source {
        PasswordSource::File(path) => (
            path.display().to_string(),
            match read_private_text(path) {
                Ok(text) => Ok(text),
                Err(PrivateFileError::Exposed(exposed)) => {
                    let path = path.clone();
                    return Err(ValuesError::Open { path, exposed });
                }
                Err(PrivateFileError::Io(error)) => Err(error.to_string()),
            },
        ),
        PasswordSource::Environment(name) => (
            name.clone(),
            std::env::var(name)
                .map(Zeroizing::new)
                .map_err(|_| "it is not set".to_owned()),
        ),
    };
    let text = text.map_err(|why| ValuesError::Unreadable {
        place: place.clone(),
        why,
    })?;
    let key = text.lines().next().unwrap_or_default().trim();
    if key.len() < LEAST {
        return Err(ValuesError::Short { place });
    }
    Ok(key.to_owned().into())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_key_that_others_read_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key");
        std::fs::write(&path, "0123456789abcdef0123456789abcdef\n").unwrap();
        let values = Values {
            key: Some(PasswordSource::File(path.clone())),
            ..Values::default()
        };
        for (mode, works) in [
            (0o600, true),
            (0o400, true),
            (0o640, true),
            (0o660, false),
            (0o604, false),
        ] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            match load(&values) {
                Ok(_) => assert!(works, "{mode:o}"),
                Err(error) => {
                    assert!(!works, "{error}");
                    assert!(error.to_string().contains("chmod 600"), "{error}");
                }
            }
        }
    }
    #[test]
    fn the_key_is_long_enough() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("key");
        let values = Values {
            key: Some(PasswordSource::File(file.clone())),
            ..Values::default()
        };
        assert!(matches!(load(&values), Err(ValuesError::Unreadable { .. })));
        std::fs::write(&file, "hunter2\n").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        assert!(matches!(load(&values), Err(ValuesError::Short { .. })));
        std::fs::write(&file, "0123456789abcdef0123456789abcdef\nmore").unwrap();
        assert!(load(&values).is_ok());
    }

    #[test]
    fn a_hash_depends_on_key_name_and_value() {
        let hash = |key: &str, name, value| Hmac::new(key.as_bytes()).hash(name, value);
        // The expected hash is that of `printf 'a\0b' | openssl dgst -sha256 -hmac k`.
        assert_eq!(hash("k", "a", "b"), "982872ff8422d2d84de2d26d");
        for (key, name, value) in [("l", "a", "b"), ("k", "b", "b"), ("k", "a", "c"), ("k", "ab", "")] {
            assert_ne!(hash(key, name, value), hash("k", "a", "b"));
        }
    }
}
