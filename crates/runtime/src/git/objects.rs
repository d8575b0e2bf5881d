//! Reads objects by their ids, and checks their content against the ids.

use std::fmt;
use std::io::{self, BufRead, Read, Write};
use std::process::ChildStdin;

use ring::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY, SHA256};

use super::GitError;
use super::run::Running;

/// Maximum size of trees, commits and tags; real ones are far smaller.
pub(super) const MAX_TREE_BYTES: u64 = 64 << 20;
/// Number of queries that are written before the first response is read. So few fit into a pipe, so neither side
/// blocks.
pub(super) const AHEAD: usize = 64;

/// git's name for an object: the digest of its content, in lower-case hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ObjectId(String);

impl ObjectId {
    /// Parses an id; `None` if the text is not a complete id.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let is = matches!(text.len(), 40 | 64) && text.bytes().all(is_digit);
        is.then(|| Self(text.to_owned()))
    }

    /// Converts the bytes of an id in a tree's entry.
    pub(super) fn of_bytes(bytes: &[u8]) -> Self {
        Self(hex::encode(bytes))
    }

    /// Returns the id's hexadecimal digits.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Number of bytes of the id.
    pub(super) fn length(&self) -> usize {
        self.0.len() / 2
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Kind of an object: `commit`, `tree`, `blob` or `tag`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ObjectKind {
    Commit,
    Tree,
    Blob,
    Tag,
}

impl ObjectKind {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "commit" => Some(Self::Commit),
            "tree" => Some(Self::Tree),
            "blob" => Some(Self::Blob),
            "tag" => Some(Self::Tag),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Commit => "commit",
            Self::Tree => "tree",
            Self::Blob => "blob",
            Self::Tag => "tag",
        }
    }
}

/// An object; its content is `None` if it is larger than the limit.
pub(super) struct Object {
    pub(super) kind: ObjectKind,
    pub(super) content: Option<Vec<u8>>,
}

/// One `git cat-file --batch` process for all queries. It applies neither filters nor text conversions.
#[derive(Debug)]
pub(super) struct Objects {
    pub(super) questions: ChildStdin,
    pub(super) running: Running,
}

impl Objects {
    pub(super) fn ask(&mut self, questions: &str) -> Result<(), GitError> {
        let written = self.questions.write_all(questions.as_bytes());
        written
            .and_then(|()| self.questions.flush())
            .map_err(GitError::Run)
    }

    /// Reads a response: `ID SP TYPE SP SIZE LF CONTENT LF`, or `ID SP missing LF` (git-cat-file(1)).
    pub(super) fn answer(&mut self, id: &ObjectId, limit: u64) -> Result<Object, GitError> {
        let corrupt = |why| GitError::Corrupt {
            id: id.to_string(),
            why,
        };
        let mut line = Vec::new();
        let read = (&mut *self.running.output())
            .take(256)
            .read_until(b'\n', &mut line);
        read.map_err(|error| self.running.broken(error))?;
        let line = String::from_utf8_lossy(&line);
        let mut words = line.split_whitespace();
        if words.next() != Some(id.as_str()) {
            // git exits if it cannot unpack an object.
            return Err(corrupt("git cannot read it"));
        }
        let (kind, size) = (words.next(), words.next());
        if kind == Some("missing") {
            return Err(GitError::Missing(id.to_string()));
        }
        let kind = kind.and_then(ObjectKind::parse);
        let size = size.and_then(|size| size.parse::<u64>().ok());
        let (Some(kind), Some(size)) = (kind, size) else {
            return Err(corrupt("git gave no kind or size of it"));
        };
        let content = self.take(size, limit).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => corrupt("git cannot read all of it"),
            _ => self.running.broken(error),
        })?;
        if let Some(content) = &content
            && digest(id, kind, content) != id.0
        {
            return Err(corrupt("its content has another id"));
        }
        Ok(Object { kind, content })
    }

    /// Reads the next `size` bytes and the line feed after them. The content is `None` if it is larger than `limit`.
    fn take(&mut self, size: u64, limit: u64) -> io::Result<Option<Vec<u8>>> {
        let output = self.running.output();
        let mut content = Vec::new();
        let length = if size <= limit {
            (&mut *output).take(size).read_to_end(&mut content)? as u64
        } else {
            io::copy(&mut (&mut *output).take(size), &mut io::sink())?
        };
        if length < size {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        output.read_exact(&mut [0])?;
        Ok((size <= limit).then_some(content))
    }
}

/// Computes an object's id from its content. git does not check it when it reads, so a repository could contain any
/// content under the id that a commit names.
fn digest(id: &ObjectId, kind: ObjectKind, content: &[u8]) -> String {
    let algorithm = if id.length() == 20 {
        &SHA1_FOR_LEGACY_USE_ONLY
    } else {
        &SHA256
    };
    let mut context = Context::new(algorithm);
    context.update(format!("{} {}\0", kind.name(), content.len()).as_bytes());
    context.update(content);
    hex::encode(context.finish())
}
