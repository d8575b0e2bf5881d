//! What lints are asked, and what they answer.

use super::set::LintSet;
use crate::{
    diagnostic::Diagnostic,
    findings::{Grounded, Reserved},
    ir::Program,
    source::SourceSet,
    source_map::SourceMap,
};

/// What lints look at.
#[derive(Clone, Copy)]
pub struct Policy<'p> {
    /// The texts of the policy.
    pub sources: &'p SourceSet,
    /// The program, bound.
    pub program: &'p Program,
    /// The places of its lines and tokens.
    pub source_map: &'p SourceMap,
    /// The calls that need a key of the token; `None`: none does.
    pub reserved: Option<&'p Reserved<'p>>,
}

/// What to look for.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// The lints to run.
    pub set: LintSet,
    /// Milliseconds before the end of a token from which on it is a finding.
    pub expires_within_ms: i64,
    /// Now, in milliseconds since 1970 UTC.
    pub now_ms: i64,
}

/// The proved lints of a policy.
#[derive(Debug, Default)]
pub struct Lints {
    /// Findings in source order, without those that a token's `lint_allow` allows.
    pub diagnostics: Vec<Diagnostic>,
    /// The findings that a token's `lint_allow` allows.
    pub allowed: Vec<Diagnostic>,
    /// The requests that findings rest on.
    pub grounds: Vec<Grounded>,
    /// Number of questions that exceeded the budget; nothing is claimed about them.
    pub open: usize,
}
