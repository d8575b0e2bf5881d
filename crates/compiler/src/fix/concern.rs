//! The tokens whose access an edit may change.

use std::collections::{BTreeSet, HashMap};

use crate::{
    diagnostic::Edit,
    resolve::files_of_sets,
    source::{SourceId, SourceSet, Span},
    tokens::TokenDef,
};

/// Finds the tokens that edits concern, by their numbers among the definitions.
pub(super) struct Concern {
    /// For each token file its tokens, each with the range of its known keys.
    entries: HashMap<SourceId, Vec<(usize, Span)>>,
    /// For each file of a set the tokens that include it.
    includers: HashMap<SourceId, Vec<usize>>,
    /// The tokens that include any set.
    including: Vec<usize>,
}

impl Concern {
    pub(super) fn new(definitions: &[TokenDef], sources: &SourceSet) -> Self {
        let mut entries: HashMap<SourceId, Vec<(usize, Span)>> = HashMap::new();
        let mut includers: HashMap<SourceId, Vec<usize>> = HashMap::new();
        let mut including = Vec::new();
        let files = files_of_sets(definitions, sources);
        for (at, (token, files)) in definitions.iter().zip(files).enumerate() {
            entries
                .entry(token.span.source)
                .or_default()
                .push((at, extent(token)));
            if !token.include.is_empty() {
                including.push(at);
            }
            for file in files {
                includers.entry(file).or_default().push(at);
            }
        }
        Self {
            entries,
            includers,
            including,
        }
    }

    /// The tokens that some edits may concern.
    pub(super) fn of(&self, edits: &[Edit]) -> BTreeSet<usize> {
        edits.iter().flat_map(|edit| self.of_edit(edit)).collect()
    }

    fn of_edit(&self, edit: &Edit) -> Vec<usize> {
        let place = edit.span;
        if let Some(entries) = self.entries.get(&place.source) {
            let is_within = |extent: &Span| extent.start <= place.start && place.end <= extent.end;
            let mut within = entries.iter().filter(|(_, extent)| is_within(extent));
            return match (within.next(), within.next()) {
                (Some((at, _)), None) => vec![*at],
                // Between entries, it may belong to any of the file.
                _ => entries.iter().map(|(at, _)| *at).collect(),
            };
        }
        // The first or the last line of a set that has no others is not known as a line of it.
        match self.includers.get(&place.source) {
            Some(includers) if !edit.text.contains("@include") => includers.clone(),
            _ => self.including.clone(),
        }
    }
}

/// The range from the first to the last key of a token whose place is known.
fn extent(token: &TokenDef) -> Span {
    let keys = [
        token.name.as_ref().map(|name| name.span),
        token.expires.as_ref().map(|expires| expires.span),
        token.any_user.as_ref().map(|any| any.span),
        token.user.as_ref().map(|user| user.span),
        token.unrestricted.as_ref().map(|one| one.span),
        token.limit_to.as_ref().map(|lines| lines.span),
    ];
    let lists = token.include.iter().map(|name| name.span);
    let allowed = token.lint_allow.iter().map(|entry| entry.span);
    let all = keys.into_iter().flatten().chain(lists).chain(allowed);
    all.fold(token.span, |whole, key| Span {
        start: whole.start.min(key.start),
        end: whole.end.max(key.end),
        ..whole
    })
}
