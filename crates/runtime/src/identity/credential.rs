//! Credentials as header values, and why there may be none.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::HeaderValue;
use tokenward_audit::{Exposed, PrivateFileError, read_private_text};
use zeroize::Zeroizing;

/// The configured identity cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// A file cannot be read.
    #[error("cannot read the upstream credentials in {}: {source}; make the file readable for this user", path.display())]
    Unreadable {
        /// Path of the file.
        path: PathBuf,
        /// Error of the operating system.
        source: std::io::Error,
    },
    /// Other users can read or change a file.
    #[error("cannot use the upstream credentials in {}: {exposed}", path.display())]
    Open {
        /// Path of the file.
        path: PathBuf,
        /// Permissions of the file.
        exposed: Exposed,
    },
    /// A file has the wrong content. Its text is not quoted because it contains secrets.
    #[error("{} must contain one line per user, such as alice = {{ basic = \"alice:password\" }} or bob = {{ token = \"…\" }}", path.display())]
    Malformed {
        /// Path of the file.
        path: PathBuf,
    },
    /// An environment variable is not set.
    #[error("the environment variable {0} is not set; it must contain the password of the service account")]
    Unset(String),
    /// A name or a secret is not a valid header value.
    #[error("`{0}` cannot be used in an HTTP header; change it in [upstream.identity]")]
    Unsendable(String),
}

pub(super) fn basic(pair: &str, shown: &str) -> Result<HeaderValue, IdentityError> {
    secret_value("Basic ", Zeroizing::new(STANDARD.encode(pair)).as_str(), shown)
}

/// Makes a header value of a scheme and a secret.
///
/// Calls clone it, which copies no bytes. When the last clone is dropped, the memory is overwritten: so replaced credentials do
/// not stay, and a call costs nothing more.
pub(super) fn secret_value(scheme: &str, secret: &str, shown: &str) -> Result<HeaderValue, IdentityError> {
    let bytes = Zeroizing::new([scheme.as_bytes(), secret.as_bytes()].concat());
    let mut value = HeaderValue::from_maybe_shared(Bytes::from_owner(bytes))
        .map_err(|_| IdentityError::Unsendable(shown.to_owned()))?;
    value.set_sensitive(true);
    Ok(value)
}

pub(super) fn read(path: &Path) -> Result<Zeroizing<String>, IdentityError> {
    let path_of = || path.to_owned();
    read_private_text(path).map_err(|error| match error {
        PrivateFileError::Io(source) => IdentityError::Unreadable {
            path: path_of(),
            source,
        },
        PrivateFileError::Exposed(exposed) => IdentityError::Open {
            path: path_of(),
            exposed,
        },
    })
}
