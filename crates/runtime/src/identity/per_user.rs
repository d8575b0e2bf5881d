//! Each user's own credentials at the upstream, from a file that is read again when it changes.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use arc_swap::ArcSwap;
use http::HeaderValue;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use zeroize::ZeroizeOnDrop;

use crate::hardening;

use super::credential::{IdentityError, basic, read, secret_value};

/// How often the file is looked at. It is small, and its text says more than its times.
const PERIOD: Duration = Duration::from_secs(1);

/// Map from user name to `Authorization` value.
type Users = HashMap<String, HeaderValue>;

/// The users' credentials. Stops looking at the file when it is dropped.
pub(crate) struct PerUser {
    users: Arc<ArcSwap<Users>>,
    stop: Sender<()>,
    watch: Option<JoinHandle<()>>,
}

/// A state of the file. Its text is not kept, since it contains the secrets.
type Seen = [u8; 32];

#[derive(Deserialize, ZeroizeOnDrop)]
#[serde(deny_unknown_fields)]
enum Credentials {
    #[serde(rename = "basic")]
    Basic(String),
    #[serde(rename = "token")]
    Token(String),
}

impl PerUser {
    /// Reads the file, and watches it on a thread of its own.
    ///
    /// # Errors
    /// The file cannot be read, or does not contain one line for each user.
    pub(super) fn load(path: &Path) -> Result<Self, IdentityError> {
        let text = read(path)?;
        let users = Arc::new(ArcSwap::from_pointee(parse(&text, path)?));
        let (stop, stopped) = mpsc::channel();
        let (current, path) = (Arc::clone(&users), PathBuf::from(path));
        let watch = thread::Builder::new()
            .name("credentials-watch".to_owned())
            .spawn(move || {
                let mut seen = Some(digest(&text));
                drop(text);
                while stopped.recv_timeout(PERIOD) == Err(RecvTimeoutError::Timeout) {
                    seen = look(&current, &path, seen);
                }
            })
            .ok();
        if watch.is_none() {
            tracing::error!("cannot start a thread: changed credentials are loaded only at a restart");
        }
        Ok(Self { users, stop, watch })
    }

    /// The `Authorization` of a user.
    pub(super) fn of(&self, user: &str) -> Option<HeaderValue> {
        self.users.load().get(user).cloned()
    }
}

impl Drop for PerUser {
    fn drop(&mut self) {
        let _ = self.stop.send(());
        if let Some(watch) = self.watch.take() {
            let _ = watch.join();
        }
    }
}

/// Loads the file if its text has changed since the last look. Each state of the file is reported once.
fn look(current: &ArcSwap<Users>, path: &Path, seen: Option<Seen>) -> Option<Seen> {
    let kept = |error: &IdentityError| {
        tracing::error!(
            error = format!("{error}{}", hardening::advice(error)),
            "cannot load the changed upstream credentials, keeping the current ones"
        );
    };
    let text = match read(path) {
        Ok(text) if seen == Some(digest(&text)) => return seen,
        Ok(text) => text,
        Err(error) => {
            if seen.is_some() {
                kept(&error);
            }
            return None;
        }
    };
    match parse(&text, path) {
        Ok(users) => {
            tracing::info!(users = users.len(), "upstream credentials replaced");
            current.store(Arc::new(users));
        }
        Err(error) => kept(&error),
    }
    Some(digest(&text))
}

fn digest(text: &str) -> Seen {
    Sha256::digest(text).into()
}

fn parse(text: &str, path: &Path) -> Result<Users, IdentityError> {
    let users: HashMap<String, Credentials> = toml::from_str(text).map_err(|_| IdentityError::Malformed {
        path: path.to_owned(),
    })?;
    users
        .into_iter()
        .map(|(user, credentials)| {
            let value = match &credentials {
                Credentials::Basic(pair) => basic(pair, &user)?,
                Credentials::Token(token) => secret_value("Bearer ", token, &user)?,
            };
            Ok((user, value))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// Writes a file that only its owner can read.
    fn write_private(path: &Path, text: &str) {
        fs::write(path, text).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    }

    #[test]
    fn a_changed_file_is_taken_up_and_a_broken_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users.toml");
        let write = |text: &str| write_private(&path, text);
        let one = "alice = { token = \"one\" }\n";
        write(one);
        let users = ArcSwap::from_pointee(parse(one, &path).unwrap());
        let alice = || users.load().get("alice").cloned();
        let mut seen = look(&users, &path, Some(digest(one)));
        assert_eq!(seen, Some(digest(one)));

        write("alice = { token = \"two\" }\n");
        seen = look(&users, &path, seen);
        assert_eq!(alice().unwrap(), "Bearer two");
        write("alice = { token = ");
        seen = look(&users, &path, seen);
        assert_eq!(alice().unwrap(), "Bearer two");
        fs::remove_file(&path).unwrap();
        seen = look(&users, &path, seen);
        assert_eq!(
            (alice().unwrap(), &seen),
            (HeaderValue::from_static("Bearer two"), &None)
        );
        write("bob = { token = \"three\" }\n");
        seen = look(&users, &path, seen);
        assert_eq!(alice(), None);
        // A file that other users can read is not used, whatever it contains.
        write("alice = { token = \"four\" }\n");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        seen = look(&users, &path, seen);
        assert_eq!((alice(), &seen), (None, &None));
        write("alice = { token = \"four\" }\n");
        look(&users, &path, seen);
        assert_eq!(alice().unwrap(), "Bearer four");
    }

    #[test]
    fn the_file_is_watched() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users.toml");
        write_private(&path, "alice = { token = \"one\" }\n");
        let users = PerUser::load(&path).unwrap();
        assert_eq!(users.of("alice").unwrap(), "Bearer one");
        fs::write(&path, "alice = { token = \"two\" }\n").unwrap();
        tokenward_testbed::eventually("the change is taken up", || {
            (users.of("alice").unwrap() == "Bearer two").then_some(())
        });
    }
}
