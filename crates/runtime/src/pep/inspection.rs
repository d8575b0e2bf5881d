//! Reads bodies that are needed for a decision, and judges them apart from the connection.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokenward_compiler::decide::{Decision, Denial, DenyReason, Grant};
use tokenward_compiler::ir::TokenId;
use tokenward_pdp::evidence::Evidence;
use tokenward_pdp::inspect::{check_body, decide_whole, product_reads};
use tokenward_pdp::problem::Problem;
use tokenward_pdp::request::{Canonical, Rules};
use tokenward_pdp::wire::BodyError;

use crate::live::Live;
use crate::proxy::RequestBody;

/// Reads the whole body, up to the limit for inspection.
///
/// # Errors
/// The body is too large, malformed, or does not arrive.
pub(super) async fn read_whole(body: &mut RequestBody, limit: usize) -> Result<(), Problem> {
    if body.length().is_some_and(|length| length > limit as u64) {
        return Err(Problem::BodyTooLarge(limit));
    }
    // One more byte distinguishes a body of exactly the limit from a larger one.
    if body.read_ahead(limit.saturating_add(1)).await.map_err(problem)? && body.ahead_len() <= limit {
        Ok(())
    } else {
        Err(Problem::BodyTooLarge(limit))
    }
}

/// A call with its whole body, and everything else that its decision depends on.
pub(super) struct Inspection {
    pub(super) rules: Arc<Rules>,
    pub(super) live: Arc<Live>,
    pub(super) token: TokenId,
    pub(super) canonical: Box<Canonical>,
    pub(super) body: Bytes,
}

/// The result of an inspection.
pub(super) struct Inspected {
    pub(super) canonical: Box<Canonical>,
    /// The evidence of the decision, if it depends on the body.
    pub(super) evidence: Evidence,
    /// Duration of the inspection.
    pub(super) took: Duration,
    pub(super) verdict: Result<Verdict, Problem>,
}

/// A decision with the whole body.
pub(super) enum Verdict {
    Allow(Grant),
    Deny(Denial),
}

impl Inspection {
    /// Judges the body.
    pub(super) fn judge(self) -> Inspected {
        let started = Instant::now();
        let mut evidence = Evidence::default();
        let verdict = self.verdict(&mut evidence);
        Inspected {
            canonical: self.canonical,
            evidence,
            took: started.elapsed(),
            verdict,
        }
    }

    fn verdict(&self, evidence: &mut Evidence) -> Result<Verdict, Problem> {
        let (program, rules, canonical) = (self.live.program(), &*self.rules, &self.canonical);
        if product_reads(canonical, rules) {
            check_body(program, self.token, canonical, rules, &self.body)?;
        }
        let decision = decide_whole(program, self.token, canonical, &self.body, (rules, evidence))?;
        Ok(match decision {
            Decision::Allow(grant) => Verdict::Allow(grant),
            Decision::Deny(denial) => Verdict::Deny(denial),
            // The body was supplied, so this must not happen. Without a decision nothing is permitted.
            Decision::NeedsBody(_) => Verdict::Deny(Denial {
                reason: DenyReason::NoLine,
                line: None,
            }),
        })
    }
}

/// Converts an error of an incomplete body to a problem.
pub(super) fn problem(error: BodyError) -> Problem {
    match error {
        BodyError::Broken(violation) => Problem::BodyBroken(violation.code()),
        BodyError::Slow => Problem::BodySlow,
        BodyError::TooSlow => Problem::BodyTooSlow,
        BodyError::TooLarge(most) => Problem::BodyOverLimit(most),
        BodyError::Unaffordable => Problem::BodyBudget,
        BodyError::Gone | BodyError::Abandoned => Problem::ClientGone,
    }
}
