//! Names of sides on the command line.

use std::path::{Path, PathBuf};

use super::super::failure::Failure;
use super::within::Within;
use crate::git::{Commit, GitError};

/// A side as the command line names it.
pub(in super::super) enum Spec {
    /// A directory or a compiled policy.
    Here(PathBuf),
    /// A git revision.
    Revision(Commit),
}

impl Spec {
    /// Parses the name of a side. `./NAME` is always a path and `NAME..` always a revision; a bare name must be exactly
    /// one of the two.
    pub(in super::super) fn parse(text: &str, within: Option<&Within>) -> Result<Self, Failure> {
        let path = Path::new(text);
        if is_path(text) {
            return Ok(Self::Here(path.to_owned()));
        }
        if let Some(revision) = text.strip_suffix("..") {
            return Ok(Self::Revision(
                Within::required(within)?.repository.resolve(revision)?,
            ));
        }
        let exists = std::fs::symlink_metadata(path).is_ok();
        let found = match within {
            None => None,
            Some(within) => match within.repository.resolve(text) {
                Ok(commit) => Some(commit),
                Err(GitError::Unknown { .. } | GitError::NotARevision { .. }) if exists => None,
                Err(GitError::Unknown { hint, .. }) => return Err(neither(text, &hint)),
                Err(GitError::Ambiguous { .. }) if exists => return Err(both(text)),
                Err(error) => return Err(error.into()),
            },
        };
        match found {
            Some(_) if exists => Err(both(text)),
            Some(commit) => Ok(Self::Revision(commit)),
            None if exists => Ok(Self::Here(path.to_owned())),
            None => Err(neither(text, "this is not a git repository")),
        }
    }
}

/// Whether a text is a range of revisions rather than one of them.
pub(in super::super) fn is_range(text: &str) -> bool {
    let inner = text.strip_suffix("..").unwrap_or(text);
    !is_path(text) && (inner.contains("..") || inner.ends_with('.'))
}

/// Whether a name can only be a path.
pub(in super::super) fn is_path(text: &str) -> bool {
    let begins = ["/", "./", "../"].iter().any(|begin| text.starts_with(begin));
    begins || text.ends_with('/') || text == "." || text == ".."
}

fn both(text: &str) -> Failure {
    Failure::Trouble(format!(
        "`{text}` is both a path and a git revision; write `./{text}` for the path, or `{text}..` for the revision"
    ))
}

fn neither(text: &str, hint: &str) -> Failure {
    Failure::Trouble(format!(
        "`{text}` is neither a directory, a compiled policy nor a git revision: {hint}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_ranges_by_their_form() {
        for text in ["./main", "../base/policies", "/tmp/a", "main/", ".", ".."] {
            assert!(is_path(text) && !is_range(text), "{text}");
        }
        for text in ["main..HEAD", "main...HEAD", "main..."] {
            assert!(!is_path(text) && is_range(text), "{text}");
        }
        for text in ["main", "main..", "refs/heads/main", "v1.2"] {
            assert!(!is_path(text) && !is_range(text), "{text}");
        }
    }
}
