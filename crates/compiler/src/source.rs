//! The texts that a policy is made of, and places in them.

pub mod limits;
mod read;

pub use read::{Links, ReadDirError, is_module_directory};

use std::ops::Range;

/// Names one text of a [`SourceSet`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SourceId(u32);

/// A place in a text: a range of bytes, always on character boundaries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// The text.
    pub source: SourceId,
    /// First byte.
    pub start: usize,
    /// First byte behind.
    pub end: usize,
}

impl Span {
    /// No place in any text.
    #[must_use]
    pub fn nowhere() -> Self {
        Self {
            source: SourceId(u32::MAX),
            start: 0,
            end: 0,
        }
    }

    /// The bytes `range` of this span, counted from its start.
    #[must_use]
    pub fn part(self, range: Range<usize>) -> Self {
        Self {
            source: self.source,
            start: self.start + range.start,
            end: self.start + range.end,
        }
    }
}

/// What a file holds, by the ending of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceKind {
    /// `*.toml`: tokens.
    Tokens,
    /// `*.limits`: a named set of lines.
    Limits,
    /// `invariants.toml`: what must hold of the policy.
    Invariants,
    /// `reviewed.toml`: what it may newly allow.
    Reviewed,
}

/// One file of a policy.
#[derive(Clone, Debug)]
pub struct Source {
    /// Path relative to the policy directory, with `/` between its parts.
    pub path: String,
    /// The content.
    pub text: String,
    /// What it holds.
    pub kind: SourceKind,
}

impl Source {
    /// The name under which a token includes this set: the file's name without directory and ending.
    #[must_use]
    pub fn set_name(&self) -> &str {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        name.strip_suffix(".limits").unwrap_or(name)
    }
}

/// All texts of a policy, in a stable order.
#[derive(Clone, Debug, Default)]
pub struct SourceSet {
    sources: Vec<Source>,
}

impl SourceSet {
    /// A set of the given files: (path, text) pairs. Files whose names end neither in `.toml` nor in `.limits` are
    /// left out. The order of compilation is that of the paths, whatever order is given here.
    #[must_use]
    pub fn from_files(files: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut sources: Vec<Source> = files
            .into_iter()
            .filter_map(|(path, text)| {
                Some(Source {
                    kind: kind_of(&path)?,
                    path,
                    text,
                })
            })
            .collect();
        sources.sort_by(|one, other| one.path.cmp(&other.path));
        Self { sources }
    }

    /// Every text with its id, in the order of their paths.
    pub fn iter(&self) -> impl Iterator<Item = (SourceId, &Source)> {
        (0..).map(SourceId).zip(&self.sources)
    }

    /// One text.
    #[must_use]
    pub fn get(&self, id: SourceId) -> Option<&Source> {
        self.sources.get(id.0 as usize)
    }

    /// The text at a place; empty where there is none.
    #[must_use]
    pub fn text(&self, span: Span) -> &str {
        self.get(span.source)
            .and_then(|source| source.text.get(span.start..span.end))
            .unwrap_or_default()
    }

    /// The line of a place, counted from 1; 0 where there is no such text.
    #[must_use]
    pub fn line_number(&self, span: Span) -> usize {
        self.get(span.source)
            .and_then(|source| source.text.as_bytes().get(..span.start))
            .map_or(0, |before| {
                1 + before.iter().filter(|&&byte| byte == b'\n').count()
            })
    }
}

impl SourceKind {
    /// What the file at a path below the policy directory holds, with `/` between its parts; `None` for files that reading
    /// the directory leaves out. Every reader of a policy directory, and of a directory in git, asks here.
    #[must_use]
    pub fn of(path: &str) -> Option<Self> {
        if path.split('/').any(is_hidden) {
            return None;
        }
        kind_of(path)
    }
}

/// Whether a file or directory of this name is left out of a policy, with all below it.
#[must_use]
pub fn is_hidden(name: &str) -> bool {
    name.starts_with('.')
}

/// What a file of this name holds; `None` for files that are no part of a policy: other endings, and names that begin with
/// a dot.
fn kind_of(path: &str) -> Option<SourceKind> {
    let name = path.rsplit('/').next().unwrap_or_default();
    match name.rsplit_once('.') {
        _ if is_hidden(name) => None,
        _ if name == "reviewed.toml" => Some(SourceKind::Reviewed),
        _ if name == "invariants.toml" => Some(SourceKind::Invariants),
        Some((_, "toml")) => Some(SourceKind::Tokens),
        Some((_, "limits")) => Some(SourceKind::Limits),
        _ => None,
    }
}
