//! Rules that are the same, found without searching: most of a policy does not change.

use std::collections::HashMap;

use super::clauses::Ruled;
use crate::ir::{Matcher, MatcherId, UrlId, UrlMatcher};

/// An id, and the address of its program.
type Named<Id> = (usize, Id);

fn named<Id>(ruled: Ruled<'_>, id: Id) -> Named<Id> {
    (std::ptr::from_ref(ruled.program).addr(), id)
}

/// Finds matchers of several programs that are built alike.
#[derive(Default)]
pub(super) struct Identity {
    urls: HashMap<(Named<UrlId>, Named<UrlId>), bool>,
    values: HashMap<(Named<MatcherId>, Named<MatcherId>), bool>,
}

impl Identity {
    /// Whether two rules match the same requests because they are built alike. Rules that are not may still do.
    pub(super) fn same(&mut self, old: Ruled<'_>, new: Ruled<'_>) -> bool {
        let (one, other) = (old.rule, new.rule);
        let alike = one.effect == other.effect
            && one.methods == other.methods
            && one.params_only == other.params_only
            && one.members == other.members
            && one.params.len() == other.params.len()
            && one.nodes.len() == other.nodes.len()
            // Whether bodies merge matters to what looks at query or body.
            && (old.program.merges_body == new.program.merges_body || !(old.asks_query() || old.asks_json()));
        alike
            && self.url(old, new)
            && one.params.iter().zip(&other.params).all(|(a, b)| {
                a.name == b.name && a.operator == b.operator && self.value(old, new, a.value, b.value)
            })
            && one.nodes.iter().zip(&other.nodes).all(|(a, b)| {
                a.path == b.path
                    && a.kinds == b.kinds
                    && a.operator == b.operator
                    && self.value(old, new, a.value, b.value)
            })
    }

    fn url(&mut self, old: Ruled<'_>, new: Ruled<'_>) -> bool {
        let ids = (old.rule.url, new.rule.url);
        *self
            .urls
            .entry((named(old, ids.0), named(new, ids.1)))
            .or_insert_with(|| match (old.program.url(ids.0), new.program.url(ids.1)) {
                (
                    UrlMatcher::Below(one) | UrlMatcher::Bound(_, one),
                    UrlMatcher::Below(other) | UrlMatcher::Bound(_, other),
                ) => same(one, other),
                _ => false,
            })
    }

    fn value(&mut self, old: Ruled<'_>, new: Ruled<'_>, one: MatcherId, other: MatcherId) -> bool {
        let built = || same(old.program.value(one), new.program.value(other));
        *self
            .values
            .entry((named(old, one), named(new, other)))
            .or_insert_with(built)
    }
}

fn same(one: &Matcher, other: &Matcher) -> bool {
    match (one, other) {
        (Matcher::Nothing, Matcher::Nothing) | (Matcher::Everything, Matcher::Everything) => true,
        (Matcher::Glob(one), Matcher::Glob(other)) => one == other,
        (Matcher::Automaton(one), Matcher::Automaton(other)) => one.is_same(other),
        _ => false,
    }
}
