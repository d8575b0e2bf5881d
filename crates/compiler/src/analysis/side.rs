//! One side of a question: a program, and a token of it or nobody's.

use super::{
    ambiguous,
    clauses::Ruled,
    forwarding::Forwarding,
    names::NameRefusals,
    proxied::{Asked, Proxied},
};
use crate::ir::{Program, RuleId, TokenId};

/// A token's policy; no token permits nothing.
#[derive(Clone, Copy)]
pub(crate) struct Side<'p> {
    pub(crate) program: &'p Program,
    pub(crate) token: Option<TokenId>,
    /// Whether it is an invariant: the proxy never asks it, so it refuses no body.
    pub(crate) is_demand: bool,
    /// The proxy that should forward the requests that are shown; `None`: any.
    pub(crate) proxied: Option<&'p Proxied>,
}

impl<'p> Side<'p> {
    pub(crate) fn of(program: &'p Program, token: TokenId) -> Self {
        Self {
            program,
            token: Some(token),
            is_demand: false,
            proxied: None,
        }
    }

    /// The lines of an invariant.
    pub(crate) fn demand(program: &'p Program, token: TokenId) -> Self {
        Self {
            is_demand: true,
            ..Self::of(program, token)
        }
    }

    /// Prefers requests that this proxy forwards.
    pub(crate) fn behind(self, proxied: Option<&'p Proxied>) -> Self {
        Self { proxied, ..self }
    }

    /// What a request must pass to be forwarded. A demand is not a token: only the reading of its requests counts.
    pub(super) fn forwarding(self) -> Option<Forwarding<'p>> {
        let token = self.token.filter(|_| !self.is_demand);
        let asked = token.map_or_else(Asked::anyone, |token| Asked::token(self.program, token));
        Some(Forwarding {
            proxied: self.proxied?,
            asked,
        })
    }

    /// The rule by which the proxy refuses ambiguous names; `None` if it refuses none, or if no proxy is known. It never asks a demand.
    pub(super) fn names(self) -> Option<&'p dyn NameRefusals> {
        let proxied = self.proxied.filter(|_| !self.is_demand)?;
        proxied.proxy().names()
    }

    /// The rules for which the proxy may refuse requests because of their names. None of an invariant.
    pub(super) fn refusing(self) -> Vec<Ruled<'p>> {
        let token = self.token.filter(|_| !self.is_demand);
        token.map_or_else(Vec::new, |token| ambiguous::lines(self.program, token))
    }

    pub(crate) fn permits(self) -> Vec<Ruled<'p>> {
        let rules = self.token.map(|token| self.program.token(token).permits.iter());
        self.ruled(rules.into_iter().flatten())
    }

    pub(crate) fn forbids(self) -> Vec<Ruled<'p>> {
        let rules = self.token.map(|token| self.program.token(token).forbids.iter());
        self.ruled(rules.into_iter().flatten())
    }

    pub(crate) fn is_unrestricted(self) -> bool {
        self.token
            .is_some_and(|token| self.program.token(token).unrestricted)
    }

    fn ruled(self, rules: impl Iterator<Item = RuleId>) -> Vec<Ruled<'p>> {
        let program = self.program;
        rules
            .filter_map(|id| program.rule(id).map(|rule| Ruled { program, rule }))
            .collect()
    }
}
