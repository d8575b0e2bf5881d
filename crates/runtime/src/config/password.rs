//! Where a password is kept.

use std::path::PathBuf;

/// Where a password stands; it is never in the configuration itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PasswordSource {
    /// A file with the password in its first line.
    File(PathBuf),
    /// An environment variable.
    Environment(String),
}
