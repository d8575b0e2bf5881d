//! Reasons why a request is not allowed.

use tokenward_compiler::decide::Denial;

use crate::problem::Problem;

/// Reason why a request is not allowed.
pub(super) enum Refused {
    /// A step before the decision refuses it, or the body.
    Problem(Problem),
    /// The policy denies it.
    Denied(Denial),
}

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}
