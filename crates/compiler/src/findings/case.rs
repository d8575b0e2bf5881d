//! A token and its rules, as the findings look at them.

use crate::{
    analysis::{Ruled, head},
    ir::{LineId, Program, RuleId, Rules, Token, TokenId},
    method::MethodSet,
    source::SourceId,
    source_map::SourceMap,
};

/// A rule of a token.
pub(super) struct Entry<'p> {
    pub(super) id: RuleId,
    pub(super) ruled: Ruled<'p>,
    /// It stands in the token's own lines, not in a set's.
    pub(super) own: bool,
    pub(super) file: Option<SourceId>,
    pub(super) head: Vec<u8>,
}

impl Entry<'_> {
    pub(super) fn line(&self) -> LineId {
        self.ruled.rule.line
    }

    /// Whether some request might match both, as far as methods and the beginnings of paths tell.
    pub(super) fn is_near(&self, other: &Self) -> bool {
        self.ruled.rule.methods.intersection(other.ruled.rule.methods) != MethodSet::EMPTY
            && self.head.iter().zip(&other.head).all(|(one, other)| one == other)
    }
}

/// A token and its rules.
pub(super) struct Case<'p> {
    pub(super) id: TokenId,
    pub(super) token: &'p Token,
    pub(super) permits: Vec<Entry<'p>>,
    pub(super) forbids: Vec<Entry<'p>>,
}

impl<'p> Case<'p> {
    pub(super) fn new(
        program: &'p Program,
        source_map: &'p SourceMap,
        id: TokenId,
        token: &'p Token,
    ) -> Self {
        let entries = |rules: &'p Rules| {
            let own = rules.own.iter().map(|id| (*id, true));
            let all = rules.included.iter().map(|id| (*id, false)).chain(own);
            all.filter_map(|(id, own)| {
                let ruled = Ruled {
                    program,
                    rule: program.rule(id)?,
                };
                Some(Entry {
                    id,
                    ruled,
                    own,
                    file: source_map.file(ruled.rule.line),
                    head: head(ruled),
                })
            })
            .collect()
        };
        Self {
            id,
            token,
            permits: entries(&token.permits),
            forbids: entries(&token.forbids),
        }
    }

    pub(super) fn files(&self) -> impl Iterator<Item = SourceId> {
        let entries = self.permits.iter().chain(&self.forbids);
        entries.filter(|entry| !entry.own).filter_map(|entry| entry.file)
    }
}
