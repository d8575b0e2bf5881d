//! Whether a changed policy decides any request differently.

use crate::{
    analysis::{self, Analysis, Budget, Fault, Obstacle, Proxied, Request, Universe},
    ir::{Program, TokenId},
};

/// A request that two policies decide differently.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The token, in the first policy.
    pub token: TokenId,
    /// The request.
    pub request: Request,
    /// Whether the second policy allows it; otherwise the first does.
    pub is_given: bool,
}

/// How a changed policy differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// No request that the proxy forwards is decided differently: proved.
    Nothing,
    /// These requests are, one or more.
    Requests(Vec<Difference>),
    /// The question was not settled.
    Open,
}

/// Compares tokens of two bound programs. Only requests count that the proxy forwards as it is configured: no test can show any
/// other. The tokens are compared in order, up to the first that differs.
///
/// # Errors
/// A [`Fault`].
pub fn change(
    (before, after): (&Program, &Program),
    tokens: &[(TokenId, TokenId)],
    (universe, proxied, budget): (Universe, &Proxied, &Budget),
) -> Result<Change, Fault> {
    let mut analysis = Analysis::new(before, after, universe, budget)?.behind(proxied, proxied);
    let mut is_open = false;
    for (token, of_after) in tokens {
        let compared = analysis.compare(Some(*token), Some(*of_after))?;
        let mut found = Vec::new();
        for (difference, is_given) in [(&compared.newly_allowed, true), (&compared.newly_denied, false)] {
            is_open |= is_unsettled(difference);
            let forwarded = difference
                .findings
                .iter()
                .filter(|finding| finding.obstacles.is_empty());
            found.extend(forwarded.map(|finding| Difference {
                token: *token,
                request: finding.witness.clone(),
                is_given,
            }));
        }
        if !found.is_empty() {
            return Ok(Change::Requests(found));
        }
    }
    Ok(if is_open { Change::Open } else { Change::Nothing })
}

/// Whether there may be a request that was not found.
fn is_unsettled(difference: &analysis::Difference) -> bool {
    let mut findings = difference.findings.iter();
    difference.inconclusive.is_some() || findings.any(|finding| finding.obstacles.contains(&Obstacle::Open))
}
