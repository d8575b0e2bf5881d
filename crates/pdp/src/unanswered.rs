//! Reasons why a policy cannot be checked or compared.

use std::fmt::Display;

use tokenward_compiler::diagnostic::Diagnostic;
use tokenward_compiler::source::SourceSet;

use crate::request::RulesError;

/// Reason why a policy cannot be checked or compared.
#[derive(Debug)]
pub enum Unanswered {
    /// The configuration contains an invalid name or path.
    Rules(RulesError),
    /// The policy cannot be used; the text is the reason.
    Policy(String),
    /// The invariants of a policy have errors.
    Invariants(Box<FaultyInvariants>),
    /// A proof failed, for example because it would be too large; the text is the reason.
    Proof(String),
}

/// Invariants with errors.
#[derive(Debug)]
pub struct FaultyInvariants {
    /// Name of the policy.
    pub side: String,
    /// Files of the policy.
    pub sources: SourceSet,
    /// The errors.
    pub diagnostics: Vec<Diagnostic>,
}

impl Unanswered {
    /// A proof failed with this error.
    pub fn proof(error: impl Display) -> Self {
        Self::Proof(error.to_string())
    }
}

impl From<RulesError> for Unanswered {
    fn from(error: RulesError) -> Self {
        Self::Rules(error)
    }
}

impl Display for Unanswered {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Rules(error) => error.fmt(out),
            Self::Policy(why) | Self::Proof(why) => out.write_str(why),
            Self::Invariants(faulty) => write!(out, "the invariants in {} have errors", faulty.side),
        }
    }
}
