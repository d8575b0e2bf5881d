//! What two policies allow both.

use std::cell::{Cell as Flag, LazyCell};

use super::{
    Exhausted, Fault, Inconclusive, Obstacle,
    cell::Cell,
    clauses::{Matched, Ruled},
    forwarding::Forwarding,
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
    /// What keeps the proxy from forwarding the request, and every other one.
    pub(crate) obstacles: Vec<Obstacle>,
}

impl<'p> Prover<'p> {
    /// What both allow. The second is not unrestricted.
    ///
    /// # Errors
    /// A [`Fault`].
    pub(crate) fn common(&mut self, one: Side<'p>, other: Side<'p>) -> Result<Common, Fault> {
        self.common_by(one, other, |_| true)
    }

    /// The same, where only some permit lines of the first can have requests in common with the second.
    ///
    /// # Errors
    /// A [`Fault`].
    pub(crate) fn common_by(
        &mut self,
        one: Side<'p>,
        other: Side<'p>,
        may_meet: impl Fn(LineId) -> bool,
    ) -> Result<Common, Fault> {
        let (mut permits, theirs) = (one.permits(), other.permits());
        permits.retain(|ruled| may_meet(ruled.rule.line));
        let sources: Vec<Option<Ruled<'p>>> = if one.is_unrestricted() {
            vec![None]
        } else {
            permits.iter().copied().map(Some).collect()
        };
        let taken_back = (one.forbids(), other.forbids());
        let mut common = Common::default();
        for (at, source) in sources.iter().copied().enumerate() {
            // A request that the proxy forwards is looked for first; one that it does not forward is kept for the case of none.
            let mut kept = None;
            for (number, their) in theirs.iter().enumerate() {
                if self.take_steps(STEPS_A_PAIR).is_err() {
                    common.inconclusive = Some(Inconclusive::Budget);
                    common.findings.extend(kept);
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
                    && let Some(found) = self.shared_sample(source, *their, (one, other))
                {
                    kept = Some(found);
                    break;
                }
                let forbids = (taken_back.0.as_slice(), taken_back.1.as_slice());
                let found = self.share((source, *their), forbids, (one, other), &mut common)?;
                let is_forwarded = |found: &Shared| found.obstacles.is_empty();
                if found.as_ref().is_some_and(is_forwarded) {
                    kept = found;
                    break;
                }
                kept = kept.or(found);
            }
            common.findings.extend(kept);
        }
        Ok(common)
    }

    /// A shared request without a search, if one of the rules' samples is one that the proxy forwards.
    fn shared_sample(
        &mut self,
        source: Ruled<'p>,
        their: Ruled<'p>,
        (one, other): (Side<'p>, Side<'p>),
    ) -> Option<Shared> {
        for witness in self.joint_samples(source, their) {
            let said = (
                ask(one.program, one.token, &witness),
                ask(other.program, other.token, &witness),
            );
            let refuses = |forwarding: Forwarding<'p>| !forwarding.obstacles(&witness).is_empty();
            if let (Said::Allow(line), Said::Allow(their)) = said
                && source.matches(&witness) == Matched::Yes
                && !one.forwarding().is_some_and(refuses)
            {
                return Some(Shared {
                    witness,
                    source: Some(source.rule.line),
                    lines: (line, their),
                    obstacles: Vec::new(),
                });
            }
        }
        None
    }

    fn share(
        &mut self,
        (source, their): (Option<Ruled<'p>>, Ruled<'p>),
        (forbids, their_forbids): (&[Ruled<'p>], &[Ruled<'p>]),
        (one, other): (Side<'p>, Side<'p>),
        common: &mut Common,
    ) -> Result<Option<Shared>, Fault> {
        let must: Vec<Ruled<'p>> = source.into_iter().chain([their]).collect();
        let asked = (source.map(|ruled| ruled.rule.line), their.rule.line);
        let names = LazyCell::new(|| names(must.iter().chain(forbids).chain(their_forbids)));
        let avoid = |name: &str| names.contains(&*fold::key(name));
        let cell = |forwarding: Option<Forwarding<'p>>| Cell {
            must: must.clone(),
            must_not: vec![forbids, their_forbids],
            refused_for: None,
            ambiguous: None,
            refusals: Refusals::by([one]),
            avoid: &avoid,
            forwarding,
            passed_over: Flag::default(),
        };
        let witness = match cell(None).request(self.universe(), &mut self.languages) {
            Ok(None) => return Ok(None),
            Ok(Some(witness)) => witness,
            Err(Exhausted) => {
                common.inconclusive = Some(Inconclusive::Budget);
                return Ok(None);
            }
        };
        let Some(mut found) = shared(witness, asked, (one, other))? else {
            common.inconclusive.get_or_insert(Inconclusive::CaseVariants);
            return Ok(None);
        };
        let Some(forwarding) = one.forwarding() else {
            return Ok(Some(found));
        };
        found.obstacles = forwarding.obstacles(&found.witness);
        if found.obstacles.is_empty() {
            return Ok(Some(found));
        }
        let cell = cell(Some(forwarding));
        let witness = cell.request(self.universe(), &mut self.languages);
        let is_open = !matches!(witness, Ok(None)) || cell.passed_over.get();
        if let Ok(Some(witness)) = witness
            && let Some(forwarded) = shared(witness, asked, (one, other))?
        {
            return Ok(Some(forwarded));
        }
        if is_open {
            found.obstacles.push(Obstacle::Open);
        }
        Ok(Some(found))
    }
}

/// The finding that a request proves, which is tried on both programs; `None` if the first policy refuses it, since names differ in
/// letter case.
fn shared(
    witness: Request,
    (source, demanded): (Option<LineId>, LineId),
    (one, other): (Side<'_>, Side<'_>),
) -> Result<Option<Shared>, Fault> {
    let said = (
        ask(one.program, one.token, &witness),
        ask(other.program, other.token, &witness),
    );
    let lines = match said {
        (Said::Allow(line), Said::Allow(their)) => (line, their),
        // An invariant refuses nothing: its line matches.
        (Said::Allow(line), Said::Refuse) => (line, Some(demanded)),
        (Said::Refuse, _) => return Ok(None),
        _ => {
            return Err(Fault::FalseWitness {
                request: Box::new(witness),
            });
        }
    };
    Ok(Some(Shared {
        witness,
        source,
        lines,
        obstacles: Vec::new(),
    }))
}
