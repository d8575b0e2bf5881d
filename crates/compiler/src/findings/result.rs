//! What the findings' search returns.

use crate::diagnostic::Diagnostic;

/// What the exact checks found.
#[derive(Debug, Default)]
pub struct Exact {
    /// In source order; what a token's `lint_allow` allows is left out.
    pub diagnostics: Vec<Diagnostic>,
    /// How many questions took more than the budget: of these nothing is said.
    pub inconclusive: usize,
    /// The product states that were visited.
    pub visited: u64,
    /// The token whose questions took most, and their states.
    pub hardest: Option<(String, u64)>,
}
