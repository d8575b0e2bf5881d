//! Errors of a configuration file, all reported at once.

use std::fmt;
use std::path::{Path, PathBuf};

use tokenward_compiler::visible;

/// Why there is no [`super::Config`].
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file does not exist.
    #[error(
        "no configuration file at `{}`; specify one with --config FILE, or start from the commented tokenward.toml of the distribution",
        .path.display()
    )]
    Absent {
        /// Path of the file.
        path: PathBuf,
    },
    /// The file exists but cannot be read.
    #[error("cannot read the configuration `{}`: {source}", .path.display())]
    Unreadable {
        /// Path of the file.
        path: PathBuf,
        /// Error of the operating system.
        source: std::io::Error,
    },
    /// The file's text is not a valid configuration. Shown as one problem per line, each with its position.
    #[error("{}", Lines(.0))]
    Invalid(Vec<Problem>),
}

/// A problem in the file, with its position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file as the user named it.
    pub file: PathBuf,
    /// Line number, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// Description of the problem and of the expected value.
    pub message: String,
}

impl Problem {
    /// Creates a problem at byte `offset` of `text`.
    pub(super) fn at(file: &Path, text: &str, offset: usize, message: String) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Self {
            file: file.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before.get(line_start..).unwrap_or_default().chars().count() + 1,
            message,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            file,
            line,
            column,
            message,
        } = self;
        let (file, message) = (visible(&file.to_string_lossy()), visible(message));
        write!(out, "{file}:{line}:{column}: {message}")
    }
}

struct Lines<'a>(&'a [Problem]);

impl fmt::Display for Lines<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                out.write_str("\n")?;
            }
            problem.fmt(out)?;
        }
        Ok(())
    }
}
