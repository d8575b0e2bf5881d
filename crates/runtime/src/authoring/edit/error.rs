//! Reasons why a policy file was not changed: one sentence each, with the remedy.

use std::io;
use std::path::{Path, PathBuf};

use tokenward_compiler::source::ReadDirError;

use crate::ownership::WriteError;

/// Reason why a policy file was not changed.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// A file or directory cannot be read or written.
    #[error("cannot {doing} `{}`: {source}", .path.display())]
    Io {
        /// The operation that failed.
        doing: &'static str,
        /// Path of the file or directory.
        path: PathBuf,
        /// Error of the operating system.
        source: io::Error,
    },
    /// The new version of a file cannot have its owner, mode, ACL or extended attributes.
    #[error("cannot replace `{}`: {source}; nothing was written", .path.display())]
    NotKept {
        /// Path of the file.
        path: PathBuf,
        /// The attribute, and the reason.
        source: WriteError,
    },
    /// The policy directory does not exist.
    #[error("no policy directory `{}`; create it, or specify another configuration with --config", .0.display())]
    NoDirectory(PathBuf),
    /// The policy directory cannot be read.
    #[error(transparent)]
    ReadDir(#[from] ReadDirError),
    /// The file is not below the policy directory.
    #[error("`{}` is not below the policy directory `{}`; choose a file there, or specify another configuration with --config", .file.display(), .directory.display())]
    Elsewhere {
        /// Path of the file.
        file: PathBuf,
        /// Path of the policy directory.
        directory: PathBuf,
    },
    /// Policies are not read from a file of this name.
    #[error("policies are not read from `{}`; choose a name that ends in .toml and does not begin with a dot", .0.display())]
    NotAPolicyFile(PathBuf),
    /// Files of this name have another purpose.
    #[error("`{}` has invariants or reviews, not tokens; with a token in it the policy would not compile; choose another file", .0.display())]
    NotForTokens(PathBuf),
    /// The file's text is not TOML.
    #[error("`{}` is not valid TOML, so nothing was written; run `tokenward compile` to find the error", .0.display())]
    NotToml(PathBuf),
    /// The file has `token` in a form that cannot be added to.
    #[error("`token` in `{}` is not a list of [[token]] sections; rewrite it so, or choose another file", .0.display())]
    NotSections(PathBuf),
    /// A token of that name exists.
    #[error("the name `{name}` is taken in `{file}`; choose another")]
    NameTaken {
        /// Name of the token.
        name: String,
        /// Path of the file, relative to the policy directory.
        file: String,
    },
    /// No token has that name.
    #[error("no token `{name}` in `{}`{}", .directory.display(), advice(.near.as_deref()))]
    NoSuchToken {
        /// Name of the token.
        name: String,
        /// Path of the policy directory.
        directory: PathBuf,
        /// The most similar name of a token.
        near: Option<String>,
    },
    /// Two tokens have that name.
    #[error("two tokens are named `{0}`; rename one in the file first")]
    Ambiguous(String),
    /// The policies are one compiled file.
    #[error("`{}` is a compiled policy, which cannot be edited; specify the configuration of its sources with --config", .0.display())]
    Compiled(PathBuf),
    /// The git repository has an operation in progress.
    #[error("the repository `{}` is in the middle of a {what}, so nothing was written; finish it (git {command} --continue, or --abort) and run the command again", .repository.display())]
    HalfDone {
        /// Top directory of the repository.
        repository: PathBuf,
        /// The operation: `merge`, `rebase`, …
        what: &'static str,
        /// The git command that is half done.
        command: &'static str,
    },
    /// The file has marks of a merge conflict.
    #[error("`{}` has conflict markers (<<<<<<<), so nothing was written; resolve the conflict and run the command again", .0.display())]
    Conflict(PathBuf),
    /// A text cannot be written in a `'''` block.
    #[error(
        "the line `{0}` cannot be written to a policy file, since it has ''' or a line break; give one --limit-to for each line"
    )]
    NotALine(String),
    /// Another program wrote the file at the same time.
    #[error("another program changed `{}` meanwhile, so nothing was written; run the command again", .0.display())]
    Changed(PathBuf),
}

impl Unfit {
    pub(super) fn at(self, path: &Path) -> EditError {
        match self {
            Self::NotToml => EditError::NotToml(path.to_owned()),
            Self::NotSections => EditError::NotSections(path.to_owned()),
        }
    }
}

fn advice(name: Option<&str>) -> String {
    name.map_or_else(
        || "; `tokenward token list` shows them".to_owned(),
        |name| format!("; did you mean `{name}`?"),
    )
}

/// Reason why a text has no sections to change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// The file is not TOML.
    NotToml,
    /// `token` is not a list of sections.
    NotSections,
}
