//! Finds every version of every file in a repository's history.

use std::collections::HashSet;
use std::path::Path;

use super::objects::{Object, ObjectId, ObjectKind};
use super::{GitError, Repository};

/// Maximum size of a list of objects; one of ten million objects is smaller.
const MAX_LIST: u64 = 2 << 30;
/// Maximum size of a log, of which the first line is read.
const MAX_LOG: u64 = 64 << 20;

/// A file content that a commit has, or had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Past {
    /// Object id of the content.
    pub(crate) id: ObjectId,
    /// A path of the content, relative to the repository's top.
    pub(crate) path: String,
}

impl Repository {
    /// Passes each content at or below `path` to `each` once, if it is reachable from a branch, a tag, the stash or a
    /// work tree's HEAD. A content of more than `limit` bytes is passed as `None`.
    ///
    /// # Errors
    /// The clone is shallow or partial, so that a part of the history is missing; an object is damaged; git fails.
    pub(crate) fn history(
        &self,
        path: &Path,
        limit: u64,
        mut each: impl FnMut(&Past, Option<&[u8]>),
    ) -> Result<(), GitError> {
        if self.is_shallow() {
            return Err(GitError::Shallow {
                what: "the history before its first commits cannot be searched".to_owned(),
            });
        }
        let below = self.relative(path)?;
        // Without `--full-history`, git skips a branch that added a content and removed it before its merge.
        let mut arguments = vec!["--all", "--objects", "--full-history", "--end-of-options", "--"];
        if !below.is_empty() {
            arguments.push(&below);
        }
        let listed = self.runner.output("rev-list", &arguments, MAX_LIST)?;
        let mut seen = HashSet::new();
        let mut past = Vec::new();
        // Lines of commits have no path. Those of trees do; the kind of the object distinguishes them.
        for line in listed.split(|byte| *byte == b'\n') {
            let line = String::from_utf8_lossy(line);
            if let Some((id, path)) = line.split_once(' ')
                && let Some(id) = ObjectId::parse(id)
                && seen.insert(id.clone())
            {
                past.push(Past {
                    id,
                    path: path.to_owned(),
                });
            }
        }
        // Read the contents in the order of the list, and pass on those of files.
        let ids: Vec<ObjectId> = past.iter().map(|past| past.id.clone()).collect();
        let mut past = past.iter();
        self.objects(&ids, limit, |_, Object { kind, content }| {
            if let Some(past) = past.next()
                && kind == ObjectKind::Blob
            {
                each(past, content.as_deref());
            }
            Ok(())
        })
    }

    /// Finds the first commit that has a content: its short id, day and subject.
    ///
    /// # Errors
    /// The git command fails.
    pub(crate) fn first_commit_of(&self, id: &ObjectId) -> Result<Option<String>, GitError> {
        let arguments = [
            "--all",
            "--reverse",
            "--no-ext-diff",
            "--no-textconv",
            "--no-show-signature",
            "--no-notes",
            "--no-mailmap",
            "--no-patch",
            "--format=%h %as %s",
            &format!("--find-object={id}"),
        ];
        let listed = self.runner.output("log", &arguments, MAX_LOG)?;
        let text = String::from_utf8_lossy(&listed);
        Ok(text.lines().next().map(str::to_owned))
    }
}
