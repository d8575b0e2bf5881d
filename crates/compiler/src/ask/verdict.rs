//! Whether tokens never, only or always may make the requests that a question is about.

use super::question::Question;
use crate::{
    analysis::{Accepted, Budget, Fault, Inconclusive, Obstacle, Prover, Request, Universe},
    ir::{LineId, Program, TokenId},
    tokens::InvariantKind as Demand,
};

/// Whether a token meets a demand.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// The token.
    pub token: TokenId,
    /// Requests that show that the token does not meet the demand, at most one for each line; empty if none was found.
    pub breaches: Vec<Breach>,
    /// Why there may be more than was found.
    pub inconclusive: Option<Inconclusive>,
}

/// A request that shows that a token does not meet a demand.
#[derive(Clone, Debug)]
pub struct Breach {
    /// The line that allows the request, or the forbid line that denies it; `None`: the token is unrestricted, or no line permits
    /// the request.
    pub line: Option<LineId>,
    /// Whether the lines allow the request. A request that breaks `always` may be one that the lines allow and the proxy does not
    /// forward.
    pub is_allowed: bool,
    /// The request.
    pub request: Request,
    /// What keeps the proxy from forwarding the request, and every other one of this breach; empty if the proxy forwards it, or if
    /// the question knows no proxy.
    pub obstacles: Vec<Obstacle>,
}

impl Breach {
    /// Whether it is certain that the proxy forwards no such request.
    #[must_use]
    pub fn is_blocked(&self) -> bool {
        Obstacle::are_certain(&self.obstacles)
    }
}

impl Verdict {
    /// Whether the token meets the demand, for certain.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.breaches.is_empty() && self.inconclusive.is_none()
    }
}

/// Whether each of some tokens of a bound program meets a demand about a question's requests, in the order given. `progress` receives
/// the numbers of tokens that are done and of all.
///
/// # Errors
/// A [`Fault`].
pub fn verdicts<'p>(
    (question, demand): (&'p Question, Demand),
    (program, tokens): (&'p Program, &[TokenId]),
    (universe, budget): (Universe, &Budget),
    mut progress: impl FnMut(usize, usize),
) -> Result<Vec<Verdict>, Fault> {
    let mut prover = Prover::new(universe, budget.clone())?.with_samples_first();
    let mut verdicts = Vec::with_capacity(tokens.len());
    for (done, token) in tokens.iter().enumerate() {
        prover.begin_token();
        let (breaches, inconclusive) = breaches(&mut prover, (question, demand), (program, *token))?;
        verdicts.push(Verdict {
            token: *token,
            breaches,
            inconclusive,
        });
        progress(done + 1, tokens.len());
    }
    Ok(verdicts)
}

fn breaches<'p>(
    prover: &mut Prover<'p>,
    (question, demand): (&'p Question, Demand),
    asked: (&'p Program, TokenId),
) -> Result<(Vec<Breach>, Option<Inconclusive>), Fault> {
    match demand {
        Demand::Never => allowed(prover, question, asked),
        Demand::Only => {
            let (policy, demanded) = question.sides(asked);
            let beyond = prover.beyond(policy, demanded, &Accepted::default())?;
            let found = beyond.findings.into_iter().map(|found| Breach {
                line: found.allowed_by,
                is_allowed: true,
                request: found.witness,
                obstacles: found.obstacles,
            });
            Ok((found.collect(), beyond.inconclusive))
        }
        Demand::Always => {
            let (policy, demanded) = question.sides(asked);
            let beyond = prover.beyond(demanded, policy, &Accepted::default())?;
            let found = beyond.findings.into_iter().map(|found| Breach {
                line: found.denied_by,
                is_allowed: false,
                request: found.witness,
                obstacles: found.obstacles,
            });
            let found: Vec<Breach> = found.collect();
            if !found.is_empty() || beyond.inconclusive.is_some() || !question.is_behind_proxy() {
                return Ok((found, beyond.inconclusive));
            }
            // The lines allow all of the requests. The token may not make them all if the proxy forwards none that a line allows.
            let (mut found, inconclusive) = allowed(prover, question, asked)?;
            found.retain(|breach| !breach.obstacles.is_empty());
            Ok((found, inconclusive))
        }
    }
}

/// A request of the question for each line of a token that allows some.
fn allowed<'p>(
    prover: &mut Prover<'p>,
    question: &'p Question,
    asked: (&'p Program, TokenId),
) -> Result<(Vec<Breach>, Option<Inconclusive>), Fault> {
    let (policy, demanded) = question.sides(asked);
    let common = prover.common(policy, demanded)?;
    let found = common.findings.into_iter().map(|found| Breach {
        line: found.lines.0,
        is_allowed: true,
        request: found.witness,
        obstacles: found.obstacles,
    });
    Ok((found.collect(), common.inconclusive))
}
