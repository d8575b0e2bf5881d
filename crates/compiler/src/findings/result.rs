//! The result of looking for findings.

use crate::diagnostic::Diagnostic;

/// The proved findings of a policy, and what proving them took.
#[derive(Debug, Default)]
pub struct Findings {
    /// In source order; what a token's `lint_allow` allows is left out.
    pub diagnostics: Vec<Diagnostic>,
    /// How many questions took more than the budget: of these nothing is said.
    pub inconclusive: usize,
    /// The product states that were visited.
    pub visited: u64,
    /// The token whose questions took most, and their states.
    pub hardest: Option<(String, u64)>,
}
