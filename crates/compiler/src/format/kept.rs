//! Lines whose texts something else names, so that they keep their spelling.

use std::collections::HashSet;

use crate::{
    diagnostic::{Code, Diagnostic},
    source::SourceSet,
    tokens::{self, ReviewedWhat},
};

/// The limit lines of a policy that keep their texts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kept {
    /// Whether all do, because seals sign them.
    pub(crate) all: bool,
    /// Lines that `line` or `lifted` of a review names: the gate compares them as they are written.
    reviewed: HashSet<String>,
}

impl Kept {
    pub(crate) fn of(sources: &SourceSet) -> Self {
        let mut errors = Vec::new();
        let definitions = tokens::read_all(sources, &mut errors);
        // A file that cannot be read may have a seal.
        let is_unread = |error: &Diagnostic| {
            let source = sources.get(error.primary.span.source);
            matches!(error.code, Code::TomlSyntax | Code::BackslashInString)
                && source.is_some_and(|source| source.text.contains("seal"))
        };
        let reviews = tokens::read_reviewed(sources, &mut Vec::new());
        let texts = reviews.into_iter().filter_map(|review| match review.what {
            ReviewedWhat::Line { text, .. } | ReviewedWhat::Lifted { text, .. } => Some(text),
            _ => None,
        });
        Self {
            all: definitions.iter().any(|token| token.gives("seal")) || errors.iter().any(is_unread),
            reviewed: texts.collect(),
        }
    }

    /// Whether a line, without the blanks around it, keeps its text.
    pub(super) fn keeps(&self, line: &str) -> bool {
        self.all || self.names(line)
    }

    /// Whether a review names a line.
    pub(crate) fn names(&self, line: &str) -> bool {
        self.reviewed.contains(line)
    }
}
