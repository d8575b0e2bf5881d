//! The source of a password.

use std::path::PathBuf;

/// The source of a password; the configuration itself never contains one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PasswordSource {
    /// A file with the password in its first line.
    File(PathBuf),
    /// The name of an environment variable.
    Environment(String),
}
