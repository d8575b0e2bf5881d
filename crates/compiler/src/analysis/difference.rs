//! What one policy allows beyond another, as data.

use super::witness::Request;
use crate::ir::LineId;

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
