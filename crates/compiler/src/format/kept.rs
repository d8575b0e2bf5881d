//! Lines whose texts something else names, so that they keep their spelling.

use std::collections::HashSet;

use crate::{
    source::SourceSet,
    tokens::{self, ReviewedWhat},
};

/// The limit lines of a policy that keep their texts.
#[derive(Clone, Debug, Default)]
pub(super) struct Kept {
    /// Whether all do, because seals sign them.
    pub(super) all: bool,
    /// Lines that `line` or `lifted` of a review names: the gate compares them as they are written.
    reviewed: HashSet<String>,
}

impl Kept {
    pub(super) fn of(sources: &SourceSet) -> Self {
        let definitions = tokens::read_all(sources, &mut Vec::new());
        let reviews = tokens::read_reviewed(sources, &mut Vec::new());
        let texts = reviews.into_iter().filter_map(|review| match review.what {
            ReviewedWhat::Line { text, .. } | ReviewedWhat::Lifted { text, .. } => Some(text),
            _ => None,
        });
        Self {
            all: definitions.iter().any(|token| token.gives("seal")),
            reviewed: texts.collect(),
        }
    }

    /// Whether a line, without the blanks around it, keeps its text.
    pub(super) fn keeps(&self, line: &str) -> bool {
        self.all || self.names(line)
    }

    /// Whether a review names a line.
    pub(super) fn names(&self, line: &str) -> bool {
        self.reviewed.contains(line)
    }
}
