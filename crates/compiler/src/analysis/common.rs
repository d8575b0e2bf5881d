//! What two policies allow both.

use std::cell::LazyCell;

use super::{
    Exhausted, Fault, Inconclusive,
    cell::Cell,
    clauses::{Matched, Ruled},
    prefilter,
    prover::{Prover, names},
    refusal::Refusals,
    side::Side,
    witness::{Request, Said, ask},
};
use crate::{ir::LineId, json::fold};

/// Steps that a pair of lines counts for when it is told apart without a search.
const STEPS_A_PAIR: usize = 200;

/// Requests that two policies allow, at most one for each permit line of the first.
#[derive(Debug, Default)]
pub(crate) struct Common {
    pub(crate) findings: Vec<Shared>,
    /// Why there may be more than was found.
    pub(crate) inconclusive: Option<Inconclusive>,
}

/// A request, and the lines that allow it, of the first and of the second; `None`: an unrestricted token.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) witness: Request,
    /// The line of the first that the request was looked for: it matches the request, as the line that decides does.
    pub(crate) source: Option<LineId>,
    pub(crate) lines: (Option<LineId>, Option<LineId>),
}

impl<'p> Prover<'p> {
    /// What both allow. The second is not unrestricted.
    ///
    /// # Errors
    /// A [`Fault`].
    pub(crate) fn common(&mut self, one: Side<'p>, other: Side<'p>) -> Result<Common, Fault> {
        let (permits, theirs) = (one.permits(), other.permits());
        let sources: Vec<Option<Ruled<'p>>> = if one.is_unrestricted() {
            vec![None]
        } else {
            permits.iter().copied().map(Some).collect()
        };
        let taken_back = (one.forbids(), other.forbids());
        let mut common = Common::default();
        for (at, source) in sources.iter().copied().enumerate() {
            for (number, their) in theirs.iter().enumerate() {
                if self.take_steps(STEPS_A_PAIR).is_err() {
                    common.inconclusive = Some(Inconclusive::Budget);
                    return Ok(common);
                }
                // Each pair has its share of the steps.
                let left = (sources.len() - at) * theirs.len() - number;
                self.languages.grant(2 * left as u64);
                if let Some(source) = source
                    && prefilter::are_surely_apart(source, *their, &mut self.languages)
                {
                    continue;
                }
                if let Some(source) = source
                    && self.share_sample(source, *their, (one, other), &mut common)
                {
                    break;
                }
                let forbids = (taken_back.0.as_slice(), taken_back.1.as_slice());
                if self.share((source, *their), forbids, (one, other), &mut common)? {
                    break;
                }
            }
        }
        Ok(common)
    }

    /// Finds a shared request without a search, if one of the rules' samples is one.
    fn share_sample(
        &mut self,
        source: Ruled<'p>,
        their: Ruled<'p>,
        (one, other): (Side<'p>, Side<'p>),
        common: &mut Common,
    ) -> bool {
        for witness in self.joint_samples(source, their) {
            let said = (
                ask(one.program, one.token, &witness),
                ask(other.program, other.token, &witness),
            );
            if let (Said::Allow(line), Said::Allow(their)) = said
                && source.matches(&witness) == Matched::Yes
            {
                common.findings.push(Shared {
                    witness,
                    source: Some(source.rule.line),
                    lines: (line, their),
                });
                return true;
            }
        }
        false
    }

    fn share(
        &mut self,
        (source, their): (Option<Ruled<'p>>, Ruled<'p>),
        (forbids, their_forbids): (&[Ruled<'p>], &[Ruled<'p>]),
        (one, other): (Side<'p>, Side<'p>),
        common: &mut Common,
    ) -> Result<bool, Fault> {
        let must: Vec<Ruled<'p>> = source.into_iter().chain([their]).collect();
        let source = source.map(|ruled| ruled.rule.line);
        let names = LazyCell::new(|| names(must.iter().chain(forbids).chain(their_forbids)));
        let avoid = |name: &str| names.contains(&*fold::key(name));
        let cell = Cell {
            must: must.clone(),
            must_not: vec![forbids, their_forbids],
            refused_for: None,
            refusals: Refusals::by([one]),
            avoid: &avoid,
        };
        let witness = match cell.request(self.universe(), &mut self.languages) {
            Ok(None) => return Ok(false),
            Ok(Some(witness)) => witness,
            Err(Exhausted) => {
                common.inconclusive = Some(Inconclusive::Budget);
                return Ok(false);
            }
        };
        let said = (
            ask(one.program, one.token, &witness),
            ask(other.program, other.token, &witness),
        );
        match said {
            (Said::Allow(line), Said::Allow(their)) => {
                common.findings.push(Shared {
                    witness,
                    source,
                    lines: (line, their),
                });
                Ok(true)
            }
            // An invariant refuses nothing: its line matches.
            (Said::Allow(line), Said::Refuse) => {
                common.findings.push(Shared {
                    witness,
                    source,
                    lines: (line, Some(their.rule.line)),
                });
                Ok(true)
            }
            (Said::Refuse, _) => {
                common.inconclusive.get_or_insert(Inconclusive::CaseVariants);
                Ok(false)
            }
            _ => Err(Fault::FalseWitness {
                request: Box::new(witness),
            }),
        }
    }
}
