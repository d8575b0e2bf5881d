//! The admin listener's secret: one line of a file that only its owner can read.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use tokenward_audit::{Exposed, PrivateFileError, read_private_text};
use zeroize::Zeroizing;

use crate::new_secret::{self, NoRandomness};
use crate::ownership::adopt_at;

/// Minimum number of characters of a secret.
const LEAST: usize = 16;

/// Reason why the admin secret is not available.
#[derive(Debug, thiserror::Error)]
pub enum AdminSecretError {
    /// The file cannot be read or created.
    #[error("cannot {doing} the admin secret `{}`: {source}; its path is set in [admin] secret_file", .path.display())]
    Io {
        /// The operation that failed.
        doing: &'static str,
        /// Path of the file.
        path: PathBuf,
        /// Error of the operating system.
        source: std::io::Error,
    },
    /// Other users can read or change the file.
    #[error("cannot use the admin secret `{}`: {exposed}", .path.display())]
    Open {
        /// Path of the file.
        path: PathBuf,
        /// Permissions of the file.
        exposed: Exposed,
    },
    /// The secret in the file is too short.
    #[error(
        "the admin secret `{}` is shorter than {LEAST} characters; delete the file, and `tokenward serve` creates a strong one",
        .path.display()
    )]
    Short {
        /// Path of the file.
        path: PathBuf,
    },
    /// The system provided no random bytes.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
}

/// Reads the secret of the running proxy.
///
/// # Errors
/// The file is absent, unreadable or too short, or other users can read or change it.
pub fn read(path: &Path) -> Result<Zeroizing<String>, AdminSecretError> {
    let text = read_private_text(path).map_err(|error| match error {
        PrivateFileError::Io(source) => io("read", path)(source),
        PrivateFileError::Exposed(exposed) => AdminSecretError::Open {
            path: path.to_owned(),
            exposed,
        },
    })?;
    let secret = text.lines().next().unwrap_or_default().trim();
    if secret.len() < LEAST {
        return Err(AdminSecretError::Short {
            path: path.to_owned(),
        });
    }
    Ok(secret.to_owned().into())
}

/// Reads the secret from the file. If the file is missing, it is created with a new secret, readable only by its owner.
///
/// # Errors
/// The file can neither be read nor created, other users can read or change it, or its secret is too short.
pub fn read_or_create(path: &Path) -> Result<Zeroizing<String>, AdminSecretError> {
    if let Some(directory) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        fs::create_dir_all(directory).map_err(io("make the directory of", path))?;
    }
    let secret = new_secret::generate()?;
    let made = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    match made {
        Ok(mut file) => {
            adopt_at(path).map_err(io("give away", path))?;
            writeln!(file, "{}", secret.expose()).map_err(io("write", path))?;
            Ok(secret.expose().to_owned().into())
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => read(path),
        Err(error) => Err(io("make", path)(error)),
    }
}

fn io(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> AdminSecretError {
    let path = path.to_owned();
    move |source| AdminSecretError::Io { doing, path, source }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn made_once_and_for_its_owner_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("new/admin.secret");
        let made = read_or_create(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(read_or_create(&path).unwrap(), made);
        assert_eq!(read(&path).unwrap(), made);
    }

    #[test]
    fn absent_and_short_ones_are_told() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("s");
        assert!(matches!(
            read(&path),
            Err(AdminSecretError::Io { doing: "read", .. })
        ));
        fs::write(&path, "hunter2\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        assert!(matches!(
            read_or_create(&path),
            Err(AdminSecretError::Short { .. })
        ));
    }

    #[test]
    fn a_secret_that_other_users_can_read_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("s");
        let made = read_or_create(&path).unwrap();
        for mode in [0o604, 0o644, 0o602, 0o660] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            for refused in [read(&path), read_or_create(&path)] {
                let refused = refused.unwrap_err().to_string();
                assert!(refused.contains("`chmod 600`"), "{refused}");
                assert!(!refused.contains(made.as_str()), "{refused}");
            }
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o440)).unwrap();
        assert_eq!(read(&path).unwrap(), made);
    }
}
