//! Whether tokens never, only or always may make the requests that a question is about.

use super::question::Question;
use crate::{
    analysis::{Accepted, Budget, Fault, Inconclusive, Prover, Request, Side, Universe},
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
    /// `never` and `only`: the line that allows the request; `None`: the token is unrestricted. `always`: the forbid line that denies
    /// it; `None`: no line permits it.
    pub line: Option<LineId>,
    /// The request.
    pub request: Request,
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
    (program, token): (&'p Program, TokenId),
) -> Result<(Vec<Breach>, Option<Inconclusive>), Fault> {
    let policy = Side::of(program, token);
    let asked = Side::demand(&question.program, question.token);
    let beyond = match demand {
        Demand::Never => {
            let common = prover.common(policy, asked)?;
            let found = common.findings.into_iter().map(|found| Breach {
                line: found.lines.0,
                request: found.witness,
            });
            return Ok((found.collect(), common.inconclusive));
        }
        Demand::Only => prover.beyond(policy, asked, &Accepted::default())?,
        Demand::Always => prover.beyond(asked, policy, &Accepted::default())?,
    };
    let found = beyond.findings.into_iter().map(|found| Breach {
        line: match demand {
            Demand::Always => found.denied_by,
            Demand::Never | Demand::Only => found.allowed_by,
        },
        request: found.witness,
    });
    Ok((found.collect(), beyond.inconclusive))
}
