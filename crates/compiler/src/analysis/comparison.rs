//! Compares two versions of a token's policy.

use super::{
    Fault, Universe,
    difference::Difference,
    prover::{Accepted, Prover},
    side::Side,
};
use crate::ir::{LineId, Program, TokenId};

/// Compares tokens of two bound programs. What it learns of their patterns serves for all tokens.
pub struct Analysis<'p> {
    old: &'p Program,
    new: &'p Program,
    prover: Prover<'p>,
}

/// How two versions of a policy differ.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// What the new one allows and the old one does not.
    pub newly_allowed: Difference,
    /// What the old one allows and the new one does not.
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
    /// Product states that the comparison of two tokens may visit, unless it is told otherwise: about a second.
    pub const BUDGET: u64 = 200_000;

    /// Two programs, both bound.
    ///
    /// # Errors
    /// A [`Fault`].
    pub fn new(old: &'p Program, new: &'p Program, universe: Universe, budget: u64) -> Result<Self, Fault> {
        Ok(Self {
            old,
            new,
            prover: Prover::new(universe, budget)?,
        })
    }

    /// Compares a token of the old program with one of the new; no token permits nothing.
    ///
    /// # Errors
    /// A [`Fault`].
    pub fn compare(&mut self, old: Option<TokenId>, new: Option<TokenId>) -> Result<Comparison, Fault> {
        let old = Side {
            program: self.old,
            token: old,
        };
        let new = Side {
            program: self.new,
            token: new,
        };
        Ok(Comparison {
            newly_allowed: self.prover.beyond(new, old, &Accepted::default())?,
            newly_denied: self.prover.beyond(old, new, &Accepted::default())?,
        })
    }

    /// What a token of the new program allows and one of the old does not, but for what has been reviewed: whatever the
    /// permit lines `permits` of the new one match, and that the old one's forbid lines `lifted` are no more.
    ///
    /// # Errors
    /// A [`Fault`].
    pub fn unreviewed(
        &mut self,
        (old, new): (Option<TokenId>, Option<TokenId>),
        permits: &[LineId],
        lifted: &[LineId],
    ) -> Result<Difference, Fault> {
        let old = Side {
            program: self.old,
            token: old,
        };
        let new = Side {
            program: self.new,
            token: new,
        };
        let rules = new.permits().into_iter();
        let accepted = Accepted {
            permits: rules.filter(|ruled| permits.contains(&ruled.rule.line)).collect(),
            lifted: lifted.to_vec(),
        };
        self.prover.beyond(new, old, &accepted)
    }

    /// Product states that have been visited so far: what the comparisons cost.
    #[must_use]
    pub fn visited(&self) -> u64 {
        self.prover.visited()
    }
}
