//! `[audit.values]`: how the audit stores the values that calls contain.

#[cfg(feature = "proxy")]
use std::path::PathBuf;

#[cfg(feature = "proxy")]
use tokenward_audit::{Exposed, PrivateFileError, read_private_text};

#[cfg(feature = "proxy")]
use zeroize::Zeroizing;

use super::fields::Fields;
use super::password::PasswordSource;
use super::value;
use crate::request::Keep;
#[cfg(feature = "proxy")]
use crate::request::Kept;

/// How the audit stores the values that calls contain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Values {
    /// Storage of query parameters that are not in `names`.
    pub query: Keep,
    /// Storage of nodes of JSON bodies that constraints read and that are not in `names`.
    pub body: Keep,
    /// Names of parameters and paths of nodes with a storage of their own.
    pub names: Vec<(String, Keep)>,
    /// Source of the key for hashes.
    pub key: Option<PasswordSource>,
}

impl Default for Values {
    fn default() -> Self {
        Self {
            query: Keep::Text,
            body: Keep::Nothing,
            names: Vec::new(),
            key: None,
        }
    }
}

/// Reason why the key of the audit's hashes cannot be used.
#[cfg(feature = "proxy")]
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
#[cfg(feature = "proxy")]
const LEAST: usize = 32;

#[cfg(feature = "proxy")]
impl Values {
    /// Reads the key and prepares the rules.
    ///
    /// # Errors
    /// The key cannot be read, or is too short.
    pub fn load(&self) -> Result<Kept, ValuesError> {
        let key = self.key.as_ref().map(key).transpose()?;
        let names = self.names.iter().cloned();
        Ok(Kept::new(
            self.query,
            self.body,
            names,
            key.as_ref().map(|key| key.as_bytes()),
        ))
    }
}

#[cfg(feature = "proxy")]
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

pub(super) fn values(it: &mut Fields<'_>) -> Values {
    const KEEPS: [(&str, Keep); 3] = [
        ("keep", Keep::Text),
        ("hash", Keep::Hash),
        ("drop", Keep::Nothing),
    ];
    let default = Values::default();
    let mut names: Vec<(String, Keep)> = Vec::new();
    // Each name may occur in only one of the lists.
    for (key, keep) in KEEPS {
        for name in it.or(key, Vec::new(), value::texts) {
            if names.iter().any(|(other, _)| other.eq_ignore_ascii_case(&name)) {
                it.complain(
                    &[key],
                    format!(
                        "`{name}` is listed twice in [audit.values]; list it once, to keep, hash or drop it"
                    ),
                );
            }
            names.push((name, keep));
        }
    }
    // The key comes from a file or the environment, not from both.
    let values = Values {
        query: it.or("query", default.query, |value| value::choice(value, &KEEPS)),
        body: it.or("body", default.body, |value| value::choice(value, &KEEPS)),
        names,
        key: match (
            it.optional("key_file", value::path),
            it.optional("key_env", value::text),
        ) {
            (Some(file), None) => Some(PasswordSource::File(file)),
            (None, Some(name)) => Some(PasswordSource::Environment(name)),
            (None, None) => None,
            (Some(_), Some(_)) => {
                it.complain(
                    &["key_env"],
                    "`key_env` cannot be used with `key_file`".to_owned(),
                );
                None
            }
        },
    };
    // Hashes without a key could be reversed by trying values.
    let mut kept = values
        .names
        .iter()
        .map(|(_, keep)| *keep)
        .chain([values.query, values.body]);
    if values.key.is_none()
        && kept.any(|keep| keep == Keep::Hash)
        && !it.has("key_file")
        && !it.has("key_env")
    {
        let message = "`key_file` or `key_env` is required when `hash` is set; a hash without a key can be reversed by trying values";
        it.complain(&["hash", "query", "body"], message.to_owned());
    }
    values
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
            match values.load() {
                Ok(_) => assert!(works, "{mode:o}"),
                Err(error) => {
                    assert!(!works, "{error}");
                    assert!(error.to_string().contains("chmod 600"), "{error}");
                }
            }
        }
    }
}
