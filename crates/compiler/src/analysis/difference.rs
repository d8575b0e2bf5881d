//! The requests that one policy allows beyond another, as data.

use super::{Obstacle, witness::Request};
use crate::ir::LineId;

/// The requests that one policy allows beyond another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// Requests that prove it, at most one for each permit line of the one and forbid line of the other.
    pub findings: Vec<Finding>,
    /// Why there may be more than was found.
    pub inconclusive: Option<Inconclusive>,
}

impl Difference {
    /// Whether it is certain that no such request exists.
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
    /// The forbid line that denies it in the other, or the line for whose names the other refuses it; `None`: no line permits it, or
    /// its body is refused.
    pub denied_by: Option<LineId>,
    /// Whether the other refuses the request, since its body is ambiguous to a line that looks at it.
    pub is_refused: bool,
    /// The line that makes the difference.
    pub cause: Cause,
    /// What keeps the proxy from forwarding the request, and every other one of this finding; empty if the proxy forwards it, or if
    /// the analysis knows no proxy.
    pub obstacles: Vec<Obstacle>,
}

/// A line that makes a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// A permit line that the other policy lacks.
    Permit(LineId),
    /// A forbid line of the other policy that this one lacks.
    Lifted(LineId),
    /// A line of the other policy that this one lacks. The proxy refuses the request there as ambiguous, because it has a name that
    /// the upstream could take for one of this line.
    Refused(LineId),
    /// `unrestricted = true`, which the other has not.
    Unrestricted,
}

/// Why an answer is not certain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inconclusive {
    /// Comparing the patterns would take more than the budget.
    Budget,
    /// The difference that was found lies in bodies that the proxy refuses, since lines constrain names that differ only in
    /// case.
    CaseVariants,
    /// Requests may differ by a name that only one policy refuses as ambiguous, and no such name was found.
    AmbiguousNames,
}

impl std::fmt::Display for Inconclusive {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Budget => "comparing the patterns of the lines takes more than the budget",
            Self::CaseVariants => "lines constrain members whose names differ only in letter case",
            Self::AmbiguousNames => {
                "the upstream may take another name for one that a line constrains, and no request that shows this was found"
            }
        })
    }
}
