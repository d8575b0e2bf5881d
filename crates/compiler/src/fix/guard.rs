//! Texts that no fix changes: a seal signs them, a review names them, or a person excepted them from a warning.

use std::collections::BTreeSet;

use crate::{
    diagnostic::{Edit, Unproved},
    format::Kept,
    lint::Exceptions,
    source::{SourceKind, SourceSet, Span},
    tokens::{self, TokenDef},
};

pub(super) struct Guard<'s> {
    sources: &'s SourceSet,
    kept: Kept,
    /// Whether a file that may have a seal cannot be read.
    is_unread: bool,
    /// The lines that comments except, in order.
    excepted: Vec<Span>,
    /// The lines that a review names, in order.
    reviewed: Vec<Span>,
}

impl<'s> Guard<'s> {
    pub(super) fn new(sources: &'s SourceSet) -> Self {
        let kept = Kept::of(sources);
        let definitions = tokens::read_all(sources, &mut Vec::new());
        let exceptions = Exceptions::read(sources, Vec::new(), &mut Vec::new());
        let mut excepted: Vec<Span> = exceptions.lines().map(|(_, line)| line).collect();
        excepted.sort_unstable();
        let own = definitions.iter().filter_map(|token| token.limit_to.as_ref());
        let own = own.flat_map(|block| block.lines.iter().copied());
        let sets = sources
            .iter()
            .filter(|(_, source)| source.kind == SourceKind::Limits);
        let sets = sets.flat_map(|(id, source)| {
            let start = source.text.len() - source.body().len();
            tokens::split_lines(id, &source.text, start..source.text.len()).lines
        });
        let mut reviewed: Vec<Span> = own
            .chain(sets)
            .filter(|line| kept.names(sources.text(*line)))
            .collect();
        reviewed.sort_unstable();
        let has_seal = definitions.iter().any(|token| token.gives("seal"));
        Self {
            is_unread: kept.all && !has_seal,
            sources,
            kept,
            excepted,
            reviewed,
        }
    }

    /// Why edits that concern some tokens are not made.
    pub(super) fn refuses(
        &self,
        edits: &[Edit],
        tokens: &BTreeSet<usize>,
        definitions: &[TokenDef],
    ) -> Option<Unproved> {
        let named = |token: &TokenDef| {
            let name = token.name.as_ref();
            name.map_or_else(String::new, |name| name.value.clone())
        };
        let mut concerned = tokens.iter().filter_map(|at| definitions.get(*at));
        if let Some(sealed) = concerned.find(|token| token.gives("seal")) {
            return Some(Unproved::Sealed(named(sealed)));
        }
        for edit in edits {
            match self.sources.get(edit.span.source).map(|source| source.kind) {
                Some(SourceKind::Tokens | SourceKind::Limits) => {}
                Some(SourceKind::Reviewed) => return Some(Unproved::Reviewed),
                Some(SourceKind::Invariants | SourceKind::Tests) | None => return Some(Unproved::NoToken),
            }
        }
        if self.is_unread {
            return Some(Unproved::Unread);
        }
        let touches = |lines: &[Span]| edits.iter().any(|edit| touches(lines, edit));
        if touches(&self.excepted) {
            return Some(Unproved::Excepted);
        }
        if touches(&self.reviewed) || edits.iter().any(|edit| self.writes_reviewed(edit)) {
            return Some(Unproved::Reviewed);
        }
        None
    }

    /// Whether an edit writes a line that a review names, so that the review would accept it.
    fn writes_reviewed(&self, edit: &Edit) -> bool {
        edit.text.split('\n').any(|line| self.kept.names(line.trim()))
    }
}

/// Whether an edit changes a character of one of some lines, which are in order.
fn touches(lines: &[Span], edit: &Edit) -> bool {
    let place = edit.span;
    let behind = lines.partition_point(|line| (line.source, line.start) < (place.source, place.end));
    let near = lines.get(..behind).and_then(<[Span]>::last);
    near.is_some_and(|line| line.source == place.source && place.start < line.end)
}
