//! The texts of a policy, and spans in them.

use std::{
    ops::Range,
    sync::{Arc, OnceLock},
};

use super::places::Places;

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
    /// First byte after the span.
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

/// The content of a file, by the ending of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceKind {
    /// `*.toml`: tokens.
    Tokens,
    /// `*.limits`: a named set of lines.
    Limits,
    /// `invariants.toml`: what must hold of the policy.
    Invariants,
    /// `reviewed.toml`: access that the policy may newly allow.
    Reviewed,
    /// A file in a directory `tests`, whatever its name: tests of the policy. It is not a part of the policy.
    Tests,
}

/// One file of a policy.
#[derive(Clone, Debug)]
pub struct Source {
    /// Path relative to the policy directory, with `/` between its parts.
    pub path: String,
    /// The content, shared between readings that found the same.
    pub text: Arc<str>,
    /// The kind of content.
    pub kind: SourceKind,
}

/// Name of the directories, at any depth of a policy directory, whose files are tests.
pub const TESTS: &str = "tests";

/// A byte-order mark at the beginning of a file is not a part of its text.
const BYTE_ORDER_MARK: char = '\u{feff}';

impl Source {
    /// The text behind a byte-order mark. Spans count from the beginning of the whole text.
    #[must_use]
    pub fn body(&self) -> &str {
        self.text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&self.text)
    }

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
    directory: String,
    near: Vec<String>,
    /// For each text where its lines begin, once somebody asks.
    places: Vec<OnceLock<Places>>,
}

impl SourceSet {
    /// A set of the given files: (path, text) pairs. Files whose names end neither in `.toml` nor in `.limits` are
    /// left out; those with nearly such a name are remembered. Compilation follows the order of the paths, not the order given here.
    #[must_use]
    pub fn from_files(files: impl IntoIterator<Item = (String, String)>) -> Self {
        Self::sharing(files.into_iter().map(|(path, text)| (path, text.into())))
    }

    /// Like [`SourceSet::from_files`], with texts that others have too.
    #[must_use]
    pub fn sharing(files: impl IntoIterator<Item = (String, Arc<str>)>) -> Self {
        let (mut sources, mut near) = (Vec::new(), Vec::new());
        for (path, text) in files {
            match kind_of(&path) {
                Some(kind) => sources.push(Source { path, text, kind }),
                None if is_nearly_read(&path) => near.push(path),
                None => {}
            }
        }
        sources.sort_by(|one, other| one.path.cmp(&other.path));
        near.sort();
        let places = sources.iter().map(|_| OnceLock::new()).collect();
        Self {
            sources,
            places,
            directory: String::new(),
            near,
        }
    }

    /// A set of one file under any name, for a reader of a file that is not in a policy directory.
    #[must_use]
    pub fn single(path: String, text: &str, kind: SourceKind) -> Self {
        Self::of_kind([(path, text.to_owned())], kind)
    }

    /// A set of files of one kind, under any names.
    #[must_use]
    pub fn of_kind(files: impl IntoIterator<Item = (String, String)>, kind: SourceKind) -> Self {
        let files = files.into_iter();
        let mut sources: Vec<Source> = files
            .map(|(path, text)| Source {
                path,
                text: text.into(),
                kind,
            })
            .collect();
        sources.sort_by(|one, other| one.path.cmp(&other.path));
        Self {
            places: sources.iter().map(|_| OnceLock::new()).collect(),
            sources,
            ..Self::default()
        }
    }

    /// The same files with another text of one of them.
    #[must_use]
    pub fn replaced(mut self, id: SourceId, text: &str) -> Self {
        let at = id.0 as usize;
        if let (Some(source), Some(places)) = (self.sources.get_mut(at), self.places.get_mut(at)) {
            source.text = text.into();
            *places = OnceLock::new();
        }
        self
    }

    /// Names the directory in which the files are, as messages show it: places are then paths that an editor opens.
    #[must_use]
    pub fn below(mut self, directory: &str) -> Self {
        let directory = directory.trim_end_matches('/');
        self.directory = match directory {
            "" | "." => String::new(),
            directory => format!("{}/", directory.strip_prefix("./").unwrap_or(directory)),
        };
        self
    }

    /// The names of files that are not read, and nearly would be.
    #[must_use]
    pub fn near(&self) -> &[String] {
        &self.near
    }

    /// The path of a file as messages show it.
    #[must_use]
    pub fn shown(&self, path: &str) -> String {
        format!("{}{path}", self.directory)
    }

    /// Every text with its id, in the order of their paths.
    pub fn iter(&self) -> impl Iterator<Item = (SourceId, &Source)> {
        (0..).map(SourceId).zip(&self.sources)
    }

    /// Whether there is a file of the policy itself: tests do not count.
    #[must_use]
    pub fn has_policy(&self) -> bool {
        let mut sources = self.sources.iter();
        sources.any(|source| source.kind != SourceKind::Tests)
    }

    /// One text.
    #[must_use]
    pub fn get(&self, id: SourceId) -> Option<&Source> {
        self.sources.get(id.0 as usize)
    }

    /// The text of a span; empty if the span is invalid.
    #[must_use]
    pub fn text(&self, span: Span) -> &str {
        self.get(span.source)
            .and_then(|source| source.text.get(span.start..span.end))
            .unwrap_or_default()
    }

    /// The line of a span, counted from 1; 0 if the text is missing. The first question about a text reads it through.
    #[must_use]
    pub fn line_number(&self, span: Span) -> usize {
        self.places(span.source)
            .map_or(0, |places| places.line(span.start).0)
    }

    /// The line and the column of a byte, both counted from 1, the column in characters; `(1, 1)` if the text is missing.
    pub(crate) fn line_and_column(&self, id: SourceId, at: usize) -> (usize, usize) {
        match (self.get(id), self.places(id)) {
            (Some(source), Some(places)) => places.line_and_column(&source.text, at),
            _ => (1, 1),
        }
    }

    /// The number of a byte's line, counted from 1, and its first byte.
    pub(crate) fn line_at(&self, id: SourceId, at: usize) -> (usize, usize) {
        self.places(id).map_or((1, 0), |places| places.line(at))
    }

    fn places(&self, id: SourceId) -> Option<&Places> {
        let (source, places) = (self.get(id)?, self.places.get(id.0 as usize)?);
        Some(places.get_or_init(|| Places::of(&source.text)))
    }
}

impl SourceKind {
    /// The kind of the file at a path below the policy directory, with `/` between its parts; `None` for files that reading
    /// the directory leaves out. Every reader of a policy directory, and of a directory in git, asks here.
    #[must_use]
    pub fn of(path: &str) -> Option<Self> {
        if path.split('/').any(is_hidden) {
            return None;
        }
        kind_of(path)
    }
}

/// Whether a file that is not read has nearly the name of one that is: `jira.limit`, `ci.tml`, `ci.yaml`, `ci.toml.txt`.
/// Backups, documents and tests do not.
#[must_use]
pub fn is_nearly_read(path: &str) -> bool {
    let mut parts: Vec<&str> = path.split('/').collect();
    let name = parts.pop().unwrap_or_default();
    let is_test = |part: &&str| matches!(*part, "tests" | "test");
    if parts.iter().any(is_test) || is_hidden(name) || name.ends_with('~') || SourceKind::of(path).is_some() {
        return false;
    }
    let lower = name.to_lowercase();
    let lower = lower.strip_suffix(".txt").unwrap_or(&lower);
    let Some((stem, ending)) = lower.rsplit_once('.') else {
        return false;
    };
    !stem.is_empty()
        && (["toml", "limits", "yaml", "yml", "tml", "tom", "lim", "rules"].contains(&ending)
            || ["toml", "limits"]
                .iter()
                .any(|known| strsim::damerau_levenshtein(ending, known) < 2))
}

/// The name that a token file nearly has: `invariants.toml` for `invariant.toml`.
#[must_use]
pub fn nearly_special(path: &str) -> Option<&'static str> {
    let name = path.rsplit('/').next().unwrap_or_default();
    let special = ["invariants.toml", "reviewed.toml"];
    let stem = name.strip_suffix(".toml")?;
    special.into_iter().filter(|known| *known != name).find(|known| {
        let known = known.trim_end_matches(".toml");
        let distance = strsim::damerau_levenshtein(&stem.to_lowercase(), known);
        distance < 3 || matches!((stem, known), ("reviews" | "review", "reviewed"))
    })
}

/// Whether a file or directory of this name is left out of a policy, with all below it.
#[must_use]
pub fn is_hidden(name: &str) -> bool {
    name.starts_with('.')
}

/// The kind of a file by its name; `None` for files that are not part of a policy: other endings, and names that begin with
/// a dot.
fn kind_of(path: &str) -> Option<SourceKind> {
    let (directories, name) = path.rsplit_once('/').unwrap_or(("", path));
    let kind = match name.rsplit_once('.') {
        _ if is_hidden(name) => None,
        _ if name == "reviewed.toml" => Some(SourceKind::Reviewed),
        _ if name == "invariants.toml" => Some(SourceKind::Invariants),
        Some((_, "toml")) => Some(SourceKind::Tokens),
        Some((_, "limits")) => Some(SourceKind::Limits),
        _ => None,
    };
    let is_test = directories.split('/').any(|part| part == TESTS);
    kind.map(|kind| if is_test { SourceKind::Tests } else { kind })
}
