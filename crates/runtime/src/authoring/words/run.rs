//! The parts of which described texts consist.

use tokenward_compiler::visible;

/// A part of a described text: what a request has exactly, what it has in place of a pattern, or a word that joins these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) kind: Kind,
    pub(crate) text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The text itself.
    Exact,
    /// Any text of this description.
    Any,
    /// A word between these.
    Word,
}

impl Run {
    pub(super) fn new(kind: Kind, text: impl AsRef<str>) -> Self {
        Self {
            kind,
            text: visible(text.as_ref()),
        }
    }

    pub(crate) fn is_exact(&self) -> bool {
        self.kind == Kind::Exact
    }

    pub(crate) fn is_any(&self) -> bool {
        self.kind == Kind::Any
    }
}

/// A condition of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Clause {
    pub(crate) runs: Vec<Run>,
}

/// "a", "a or b", "a, b or c".
pub(crate) fn joined(names: &[String], word: &str) -> String {
    match names.split_last() {
        None => String::new(),
        Some((last, [])) => last.clone(),
        Some((last, before)) => format!("{} {word} {last}", before.join(", ")),
    }
}
