//! Reads the files of a commit without a checkout.

use tokenward_compiler::source::{SourceKind, SourceSet, is_hidden, is_nearly_read, limits};

use super::entry_kind::EntryKind;
use super::objects::{MAX_TREE_BYTES, ObjectId, ObjectKind};
use super::{Commit, GitError, Repository};

/// Maximum size of a file that is read by its name, such as the configuration.
const MAX_FILE_BYTES: u64 = limits::FILE_BYTES;

/// One entry of a commit's tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Path relative to the directory that was read, with `/`.
    pub(crate) path: String,
    /// Kind of the entry.
    pub(crate) kind: EntryKind,
    /// Object id of the entry's content, or the commit of a submodule.
    pub(crate) id: ObjectId,
}

impl Repository {
    /// Finds the entry at `path`, which is relative to the repository's top and has `/`; `None` if it does not exist.
    /// The empty path is the top.
    ///
    /// # Errors
    /// A link or a submodule is on the path, or an object is missing or damaged.
    pub(crate) fn entry(&self, commit: &Commit, path: &str) -> Result<Option<Entry>, GitError> {
        let mut at = Entry {
            path: path.to_owned(),
            kind: EntryKind::Directory,
            id: self.root(commit)?,
        };
        let mut walked = String::new();
        for part in path.split('/').filter(|part| !part.is_empty() && *part != ".") {
            match at.kind {
                EntryKind::Directory => {}
                EntryKind::File | EntryKind::Executable => return Ok(None),
                kind => return Err(unfit(&walked, commit, kind)),
            }
            let below = self.level(&at.id, commit, &walked)?;
            let Some((name, kind, id)) = below.into_iter().find(|(name, ..)| name == part) else {
                return Ok(None);
            };
            walked = joined(&walked, &name);
            at = Entry {
                path: path.to_owned(),
                kind,
                id,
            };
        }
        Ok(Some(at))
    }

    /// Reads the file at `path`, which is relative to the repository's top; `None` if it does not exist.
    ///
    /// # Errors
    /// The entry is not a regular file, is too large, or the path leads through a link or a submodule.
    pub(crate) fn file(&self, commit: &Commit, path: &str) -> Result<Option<Vec<u8>>, GitError> {
        let Some(entry) = self.entry(commit, path)? else {
            return Ok(None);
        };
        if !entry.kind.is_file() {
            return Err(unfit(path, commit, entry.kind));
        }
        self.read(commit, path, &entry.id).map(Some)
    }

    /// Reads the policy in `directory`, which is relative to the repository's top, as [`SourceSet::read_dir`] would
    /// read it from a checkout with [`Links::Refuse`](tokenward_compiler::source::Links::Refuse).
    ///
    /// # Errors
    /// The directory does not exist, it contains a link or a submodule, or a file is not text or too large.
    pub(crate) fn sources(&self, commit: &Commit, directory: &str) -> Result<SourceSet, GitError> {
        let entries = self.visible(commit, directory)?;
        let mut files = Vec::new();
        let mut left = limits::TOTAL_BYTES;
        for entry in entries {
            let whole = joined(directory, &entry.path);
            if !entry.kind.is_file() {
                return Err(unfit(&whole, commit, entry.kind));
            }
            if SourceKind::of(&entry.path).is_none() {
                // Its name is enough to report it.
                if is_nearly_read(&entry.path) {
                    files.push((entry.path, String::new()));
                }
                continue;
            }
            let bytes = self.read(commit, &whole, &entry.id)?;
            left = left
                .checked_sub(bytes.len() as u64)
                .ok_or_else(|| GitError::TooMany {
                    path: directory.to_owned(),
                    revision: commit.name.clone(),
                    limit: format!("{} bytes", limits::TOTAL_BYTES),
                })?;
            let text = String::from_utf8(bytes).map_err(|error| GitError::NotUtf8 {
                path: whole,
                revision: commit.name.clone(),
                offset: error.utf8_error().valid_up_to(),
            })?;
            files.push((entry.path, text));
        }
        Ok(SourceSet::from_files(files))
    }

    fn read(&self, commit: &Commit, path: &str, id: &ObjectId) -> Result<Vec<u8>, GitError> {
        self.blob(id, MAX_FILE_BYTES).map_err(|error| match error {
            GitError::TooMuch { limit, .. } => GitError::TooLarge {
                path: path.to_owned(),
                revision: commit.name.clone(),
                limit,
            },
            error => error,
        })
    }

    /// Lists everything below a directory in order of paths: files, links and submodules, but no directories, and
    /// nothing hidden.
    fn visible(&self, commit: &Commit, directory: &str) -> Result<Vec<Entry>, GitError> {
        // The root must be a directory: a link could lead out of the tree.
        let root = self
            .entry(commit, directory)?
            .ok_or_else(|| GitError::NoDirectory {
                path: directory.to_owned(),
                revision: commit.name.clone(),
            })?;
        match root.kind {
            EntryKind::Directory => {}
            EntryKind::File | EntryKind::Executable => {
                return Err(GitError::NoDirectory {
                    path: directory.to_owned(),
                    revision: commit.name.clone(),
                });
            }
            kind => return Err(unfit(directory, commit, kind)),
        }
        let too_many = |limit| GitError::TooMany {
            path: directory.to_owned(),
            revision: commit.name.clone(),
            limit,
        };
        // Walk without recursion, with limits on depth and number, since the tree may be hostile.
        let mut left = vec![(String::new(), root.id, 0)];
        let (mut entries, mut seen) = (Vec::new(), 0);
        while let Some((prefix, id, depth)) = left.pop() {
            if depth > limits::DEPTH {
                return Err(too_many(format!("{} levels", limits::DEPTH)));
            }
            let whole = joined(directory, &prefix);
            let (named, unnamed) = self.contents(&id, commit, &whole)?;
            seen += named.len() + unnamed.len();
            if seen > limits::ENTRIES {
                return Err(too_many(format!("{} entries", limits::ENTRIES)));
            }
            if let Some((name, _)) = unnamed.iter().find(|(name, kind)| could_be_policy(name, *kind)) {
                return Err(GitError::NameNotUtf8 {
                    path: joined(&whole, name),
                    revision: commit.name.clone(),
                });
            }
            for (name, kind, id) in named {
                if is_hidden(&name) {
                    continue;
                }
                let path = joined(&prefix, &name);
                match kind {
                    EntryKind::Directory => left.push((path, id, depth + 1)),
                    kind => entries.push(Entry { path, kind, id }),
                }
            }
        }
        // Sort by path, as when a directory is read.
        entries.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(entries)
    }

    /// Returns the id of a commit's tree.
    fn root(&self, commit: &Commit) -> Result<ObjectId, GitError> {
        let content = self.content(&commit.id, ObjectKind::Commit, MAX_TREE_BYTES)?;
        let line = content.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let id = line
            .strip_prefix(b"tree ")
            .and_then(|id| std::str::from_utf8(id).ok());
        id.and_then(ObjectId::parse).ok_or_else(|| GitError::Corrupt {
            id: commit.id.to_string(),
            why: "the commit names no tree",
        })
    }

    /// Lists the entries of one tree object whose names are UTF-8.
    fn level(&self, id: &ObjectId, commit: &Commit, path: &str) -> Result<Vec<Level>, GitError> {
        Ok(self.contents(id, commit, path)?.0)
    }

    /// Lists the entries of one tree object. Each has its mode in octal digits, a space, its name, a zero byte and its
    /// id. Those whose names are not UTF-8 come apart, with U+FFFD in the place of what is not.
    fn contents(
        &self,
        id: &ObjectId,
        commit: &Commit,
        path: &str,
    ) -> Result<(Vec<Level>, Unnamed), GitError> {
        let content = self.content(id, ObjectKind::Tree, MAX_TREE_BYTES)?;
        let corrupt = |why| GitError::Corrupt {
            id: id.to_string(),
            why,
        };
        let mut entries: Vec<Level> = Vec::new();
        let mut unnamed = Unnamed::new();
        let mut rest = content.as_slice();
        while !rest.is_empty() {
            let end = memchr::memchr(0, rest).ok_or_else(|| corrupt("an entry has no end"))?;
            let (head, tail) = rest.split_at(end);
            let tail = tail.get(1..).unwrap_or_default();
            let (of_entry, tail) = tail
                .split_at_checked(id.length())
                .ok_or_else(|| corrupt("an entry has no id"))?;
            let space = memchr::memchr(b' ', head).ok_or_else(|| corrupt("an entry has no mode"))?;
            let (mode, name) = head.split_at(space);
            rest = tail;
            let name = name.get(1..).unwrap_or_default();
            let Ok(name) = std::str::from_utf8(name) else {
                unnamed.push((String::from_utf8_lossy(name).into_owned(), EntryKind::of(mode)));
                continue;
            };
            let malformed = name.is_empty() || name == "." || name == ".." || name.contains('/');
            let kind = EntryKind::of(mode);
            if malformed || kind == EntryKind::Malformed {
                return Err(unfit(&joined(path, name), commit, EntryKind::Malformed));
            }
            entries.push((name.to_owned(), kind, ObjectId::of_bytes(of_entry)));
        }
        entries.sort_by(|one, other| one.0.cmp(&other.0));
        if entries
            .windows(2)
            .any(|pair| matches!(pair, [one, other] if one.0 == other.0))
        {
            return Err(corrupt("two entries have the same name"));
        }
        Ok((entries, unnamed))
    }
}

/// Name, kind and id of an entry.
type Level = (String, EntryKind, ObjectId);
/// Names, with U+FFFD, and kinds of entries whose names are not UTF-8.
type Unnamed = Vec<(String, EntryKind)>;

/// Whether an entry is a policy file, or could lead to one, as [`SourceSet::read_dir`] decides for a name that is not UTF-8.
fn could_be_policy(name: &str, kind: EntryKind) -> bool {
    !is_hidden(name) && (!kind.is_file() || SourceKind::of(name).is_some())
}

fn unfit(path: &str, commit: &Commit, kind: EntryKind) -> GitError {
    GitError::Unfit {
        path: path.to_owned(),
        revision: commit.name.clone(),
        kind,
    }
}

fn joined(prefix: &str, name: &str) -> String {
    match (prefix, name) {
        ("", name) => name.to_owned(),
        (prefix, "") => prefix.to_owned(),
        (prefix, name) => format!("{prefix}/{name}"),
    }
}
