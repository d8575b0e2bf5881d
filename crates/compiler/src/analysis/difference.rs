//! Two versions of a token's policy, held against each other.

use super::{
    Fault, Universe,
    prover::{Accepted, Prover},
    side::Side,
    witness::Request,
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

/// What one policy allows beyond another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// Requests that prove it, at most one for each permit line of the one and forbid line of the other.
    pub findings: Vec<Finding>,
    /// Why there may be more than was found.
    pub inconclusive: Option<Inconclusive>,
}

impl Difference {
    /// Whether there is no such request, for certain.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.findings.is_empty() && self.inconclusive.is_none()
    }
}

/// A request that one policy allows and the other denies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The request.
    pub witness: Request,
    /// The line that allows it; `None`: an unrestricted token.
    pub allowed_by: Option<LineId>,
    /// The forbid line that denies it in the other; `None`: no line permits it.
    pub denied_by: Option<LineId>,
    /// What makes the difference.
    pub cause: Cause,
}

/// What makes a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// This permit line, which the other has not.
    Permit(LineId),
    /// That this forbid line of the other is missing.
    Lifted(LineId),
    /// `unrestricted = true`, which the other has not.
    Unrestricted,
}

/// Why an answer is not certain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inconclusive {
    /// The patterns would take more than the budget to tell apart.
    Budget,
    /// The difference that was found lies in bodies that the proxy refuses, since lines constrain names that differ in
    /// case alone.
    CaseVariants,
}

impl std::fmt::Display for Inconclusive {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Budget => "the lines' patterns take more than the budget to tell apart",
            Self::CaseVariants => "lines constrain members whose names differ in case alone",
        })
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
