//! The result of looking for findings.

use super::grounds::Grounded;
use crate::diagnostic::Diagnostic;

/// The proved findings of a policy, and what proving them took.
#[derive(Debug, Default)]
pub struct Findings {
    /// Findings in source order, without those that a token's `lint_allow` allows.
    pub diagnostics: Vec<Diagnostic>,
    /// The findings that a token's `lint_allow` allows.
    pub allowed: Vec<Diagnostic>,
    /// What findings rest on.
    pub grounds: Vec<Grounded>,
    /// Number of questions that exceeded the budget; their findings are unknown.
    pub inconclusive: usize,
    /// The product states that were visited.
    pub visited: u64,
    /// The token whose questions took most, and their states.
    pub hardest: Option<(String, u64)>,
}
