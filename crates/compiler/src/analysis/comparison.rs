//! Compares two versions of a token's policy.

use super::{
    Budget, Fault, Universe,
    difference::Difference,
    prover::{Accepted, Prover},
    proxied::Proxied,
    side::Side,
    vocabulary::Vocabulary,
};
use crate::ir::{LineId, Program, TokenId};

/// Compares tokens of two bound programs. The prover's knowledge of their patterns is shared by all tokens.
pub struct Analysis<'p> {
    pub(super) old: &'p Program,
    pub(super) new: &'p Program,
    pub(super) prover: Prover<'p>,
    /// The proxies of the old and of the new program.
    proxied: [Option<&'p Proxied>; 2],
    pub(super) vocabulary: Vocabulary,
}

/// How two versions of a policy differ.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Requests that only the new policy allows.
    pub newly_allowed: Difference,
    /// Requests that only the old policy allows.
    pub newly_denied: Difference,
}

impl Comparison {
    /// Whether both allow the same requests, for certain.
    #[must_use]
    pub fn is_equivalent(&self) -> bool {
        self.newly_allowed.is_none() && self.newly_denied.is_none()
    }
}

impl<'p> Analysis<'p> {
    /// Default budget of a run: see [`Budget::new`].
    pub const BUDGET: u64 = 200_000;

    /// Two programs, both bound.
    ///
    /// # Errors
    /// A [`Fault`].
    pub fn new(
        old: &'p Program,
        new: &'p Program,
        universe: Universe,
        budget: impl Into<Budget>,
    ) -> Result<Self, Fault> {
        Ok(Self {
            old,
            new,
            prover: Prover::new(universe, budget.into())?,
            proxied: [None, None],
            vocabulary: Vocabulary::default(),
        })
    }

    /// Shows requests that the proxy of the program that allows them forwards, and says of each finding without such a request
    /// what keeps the proxy from it.
    #[must_use]
    pub fn behind(mut self, old: &'p Proxied, new: &'p Proxied) -> Self {
        self.proxied = [Some(old), Some(new)];
        self
    }

    /// The sides of a token of the old program and of one of the new.
    pub(super) fn sides(&self, old: Option<TokenId>, new: Option<TokenId>) -> (Side<'p>, Side<'p>) {
        let side = |program, token, proxied| Side {
            program,
            token,
            is_demand: false,
            proxied,
        };
        let [before, after] = self.proxied;
        (side(self.old, old, before), side(self.new, new, after))
    }

    /// Compares a token of the old program with one of the new; no token permits nothing.
    ///
    /// # Errors
    /// A [`Fault`].
    pub fn compare(&mut self, old: Option<TokenId>, new: Option<TokenId>) -> Result<Comparison, Fault> {
        let (old, new) = self.sides(old, new);
        self.prover.begin_token();
        Ok(Comparison {
            newly_allowed: self.prover.beyond(new, old, &Accepted::default())?,
            newly_denied: self.prover.beyond(old, new, &Accepted::default())?,
        })
    }

    /// Returns the requests that a token of the new program allows and one of the old does not, except reviewed ones: those that
    /// the permit lines `permits` of the new token match, and those that only the removed forbid lines `lifted` denied.
    ///
    /// # Errors
    /// A [`Fault`].
    pub fn unreviewed(
        &mut self,
        (old, new): (Option<TokenId>, Option<TokenId>),
        permits: &[LineId],
        lifted: &[LineId],
    ) -> Result<Difference, Fault> {
        let (old, new) = self.sides(old, new);
        let rules = new.permits().into_iter();
        let accepted = Accepted {
            permits: rules.filter(|ruled| permits.contains(&ruled.rule.line)).collect(),
            lifted: lifted.to_vec(),
        };
        self.prover.begin_token();
        self.prover.beyond(new, old, &accepted)
    }

    /// Product states visited so far: the cost of the comparisons.
    #[must_use]
    pub fn visited(&self) -> u64 {
        self.prover.visited()
    }
}
