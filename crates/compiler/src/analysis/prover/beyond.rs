//! The requests that one side allows beyond the other.
//!
//! A request that `more` allows and `less` does not is one of these, and each kind has its questions:
//!
//! 1. No permit line of `less` matches it: a permit line of `more` is new.
//! 2. A forbid line of `less` matches it, or refuses its body: the line is *lifted*, `more` lacks it.
//! 3. A permit line of `less` refuses its body: a *reader*. Either `more` lacks it, or a permit line before it decides without the
//!    body ([`readers`](super::readers)).
//! 4. A line of `less` refuses one of its names as ambiguous, and no line of `more` does
//!    ([`lifted_names`](super::super::lifted_names)).

use std::{cell::LazyCell, collections::HashSet};

use super::{
    super::{
        Cause, Fault, Finding, Inconclusive,
        clauses::Ruled,
        difference::Difference,
        forwarding::Forwarding,
        prefilter,
        side::Side,
        witness::{Said, ask},
    },
    Accepted, Prover, STEPS_A_RULE, names,
    question::{Asked, Looked, Question},
};
use crate::{ir::LineId, json::fold};

/// Times that the question about a line is asked.
const ROUNDS: usize = 2;
/// Steps that a removed forbid line and a permit line count for when they are told apart by how their paths begin.
pub(super) const STEPS_A_PAIR: usize = 2;

/// The rules of both sides.
pub(super) struct Both<'p> {
    /// The side that allows more, and the one that allows less.
    pub(super) sides: (Side<'p>, Side<'p>),
    pub(super) permits: Vec<Ruled<'p>>,
    pub(super) forbids: Vec<Ruled<'p>>,
    pub(super) their_permits: Vec<Ruled<'p>>,
    pub(super) their_forbids: Vec<Ruled<'p>>,
    /// What permits a request in `more`: each permit line, or `None` if `more` is unrestricted, which no permit line adds to.
    pub(super) sources: Vec<Option<Ruled<'p>>>,
}

/// Permit lines that explain requests.
pub(super) struct Explained<'p> {
    /// Permit lines that were accepted, and those with a finding.
    pub(super) lines: Vec<Ruled<'p>>,
    /// Those with a finding whose request the proxy forwards.
    pub(super) shown: Vec<Ruled<'p>>,
}

impl<'p> Both<'p> {
    fn new(more: Side<'p>, less: Side<'p>) -> Self {
        let permits = more.permits();
        let sources = match more.is_unrestricted() {
            true => vec![None],
            false => permits.iter().copied().map(Some).collect(),
        };
        Self {
            sides: (more, less),
            sources,
            permits,
            forbids: more.forbids(),
            their_permits: less.permits(),
            their_forbids: less.forbids(),
        }
    }

    /// Every rule of both sides.
    pub(super) fn all(&self) -> impl Iterator<Item = &Ruled<'p>> {
        let ours = self.permits.iter().chain(&self.forbids);
        ours.chain(&self.their_permits).chain(&self.their_forbids)
    }

    /// The permit lines of `more` that `less` lacks, except reviewed ones.
    fn new_permits(&self, prover: &mut Prover<'p>, accepted: &Accepted<'p>) -> Vec<Option<Ruled<'p>>> {
        let known = prover.identity.also_in(&self.permits, &self.their_permits);
        let (more, less) = self.sides;
        if less.is_unrestricted() {
            return Vec::new();
        }
        if more.is_unrestricted() {
            return vec![None];
        }
        let reviewed: HashSet<LineId> = accepted.permits.iter().map(|ruled| ruled.rule.line).collect();
        let new = self.permits.iter().copied().zip(known);
        new.filter(|(permit, known)| !known && !reviewed.contains(&permit.rule.line))
            .map(|(permit, _)| Some(permit))
            .collect()
    }

    /// The forbid lines of `less` that `more` lacks, except accepted ones.
    fn lifted(&self, prover: &mut Prover<'p>, accepted: &Accepted<'p>) -> Vec<Ruled<'p>> {
        let kept = prover.identity.also_in(&self.their_forbids, &self.forbids);
        let lifted = self.their_forbids.iter().copied().zip(kept);
        lifted
            .filter(|(ruled, kept)| !kept && !accepted.lifted.contains(&ruled.rule.line))
            .map(|(ruled, _)| ruled)
            .collect()
    }

    /// Whether the proxy refuses ambiguous bodies for the lines of both sides: it does not for those of an invariant.
    pub(super) fn refuse_bodies(&self) -> bool {
        let (more, less) = self.sides;
        !more.is_demand && !less.is_demand
    }
}

impl<'p> Prover<'p> {
    /// What `more` allows and `less` denies, but for what `accepted` says. Each finding's request is one that no permit line
    /// before its own explains.
    ///
    /// # Errors
    /// A [`Fault`].
    pub(crate) fn beyond(
        &mut self,
        more: Side<'p>,
        less: Side<'p>,
        accepted: &Accepted<'p>,
    ) -> Result<Difference, Fault> {
        let both = Both::new(more, less);
        let mut difference = Difference::default();
        if self.take_steps(both.all().count() * STEPS_A_RULE).is_err() {
            difference.inconclusive = Some(Inconclusive::Budget);
            return Ok(difference);
        }
        // Collects what could make a difference: most lines do not change.
        let new = both.new_permits(self, accepted);
        let lifted = both.lifted(self, accepted);
        let Ok(readers) = both.lost_readers(self) else {
            difference.inconclusive = Some(Inconclusive::Budget);
            return Ok(difference);
        };
        let mut strict = self.lifted_names(both.sides);
        strict.retain(|reader| !accepted.lifted.contains(&reader.rule.line));
        if new.is_empty() && lifted.is_empty() && readers.is_empty() && strict.is_empty() {
            return Ok(difference);
        }
        let names = LazyCell::new(|| names(both.all()));
        let avoid = |name: &str| names.contains(&*fold::key(name));
        let mut asked = Asked {
            sides: both.sides,
            avoid: &avoid,
            difference: &mut difference,
        };
        let mut explained = Explained {
            lines: accepted.permits.clone(),
            shown: Vec::new(),
        };
        self.beyond_permits(&both, new, &mut explained, &mut asked)?;
        self.beyond_forbids(&both, &lifted, &explained, &mut asked)?;
        self.beyond_readers(&both, readers, &mut explained, &mut asked)?;
        self.beyond_names(
            &strict,
            (&both.sources, &both.forbids, &explained.lines),
            &mut asked,
        )?;
        Ok(difference)
    }

    /// Adds a request for each new permit line that allows one beyond the other side.
    fn beyond_permits(
        &mut self,
        both: &Both<'p>,
        new: Vec<Option<Ruled<'p>>>,
        explained: &mut Explained<'p>,
        asked: &mut Asked<'_, 'p>,
    ) -> Result<(), Fault> {
        // Each line has its share of the steps. The second round gives what lines left of theirs to those that need more.
        let mut open = new;
        for _ in 0..ROUNDS {
            let lines = std::mem::take(&mut open);
            for (at, permit) in lines.iter().enumerate() {
                self.languages.grant(2 * (lines.len() - at) as u64);
                match self.beyond_permit(*permit, both, &explained.lines, asked)? {
                    Looked::Found(found) => explained.by(*permit, found, asked),
                    Looked::None => {}
                    Looked::Open => open.push(*permit),
                }
            }
        }
        if !open.is_empty() {
            asked.leave_open();
        }
        Ok(())
    }

    /// A request that one permit line allows beyond the other side.
    fn beyond_permit(
        &mut self,
        permit: Option<Ruled<'p>>,
        both: &Both<'p>,
        explained: &[Ruled<'p>],
        asked: &mut Asked<'_, 'p>,
    ) -> Result<Looked, Fault> {
        // A request spelt by the line's form costs no search.
        if self.samples_first
            && let Some(permit) = permit
            && let Some(found) = self.look_at_sample(permit, both.sides)
        {
            return Ok(Looked::Found(found));
        }
        let question = Question {
            must: permit.iter().copied().collect(),
            must_not: vec![&both.forbids, &both.their_permits, explained],
            refused_for: None,
            ambiguous: None,
            cause: cause_of(permit),
        };
        self.look(&question, asked)
    }

    /// A request spelt by the rule's form, if it shows the difference.
    fn look_at_sample(&mut self, permit: Ruled<'p>, (more, less): (Side<'p>, Side<'p>)) -> Option<Finding> {
        let witness = self.sample(permit)?;
        let refuses = |forwarding: Forwarding<'p>| !forwarding.obstacles(&witness).is_empty();
        if more.forwarding().is_some_and(refuses) {
            return None;
        }
        let said = (
            ask(more.program, more.token, &witness),
            ask(less.program, less.token, &witness),
        );
        match said {
            (Said::Allow(Some(line)), Said::Deny(denied_by)) if line == permit.rule.line => Some(Finding {
                witness,
                allowed_by: Some(line),
                denied_by,
                is_refused: false,
                cause: Cause::Permit(line),
                obstacles: Vec::new(),
            }),
            _ => None,
        }
    }

    /// Adds a request for each removed forbid line that makes a difference. The line may newly allow requests of each permit line,
    /// whether or not that is new.
    fn beyond_forbids(
        &mut self,
        both: &Both<'p>,
        lifted: &[Ruled<'p>],
        explained: &Explained<'p>,
        asked: &mut Asked<'_, 'p>,
    ) -> Result<(), Fault> {
        let heads = if lifted.is_empty() { &[][..] } else { &both.sources };
        let head = |permit: &Option<Ruled<'p>>| permit.map(prefilter::head).unwrap_or_default();
        let heads: Vec<Vec<u8>> = heads.iter().map(head).collect();
        for (at, forbid) in lifted.iter().enumerate() {
            if self.take_steps(both.sources.len() * STEPS_A_PAIR).is_err() {
                asked.leave_open();
                break;
            }
            let forbidden = prefilter::head(*forbid);
            let meets = |(permit, head): &(&Option<Ruled<'p>>, &Vec<u8>)| {
                permit.is_none_or(|permit| prefilter::share_method(permit, *forbid))
                    && !prefilter::part(head, &forbidden)
            };
            let meeting: Vec<Option<Ruled<'p>>> = both
                .sources
                .iter()
                .zip(&heads)
                .filter(meets)
                .map(|(permit, _)| *permit)
                .collect();
            let shares = 2 * ((lifted.len() - at) * both.sources.len()) as u64;
            self.beyond_forbid((*forbid, &meeting, shares), both, explained, asked)?;
        }
        Ok(())
    }

    /// Adds a request that a removed forbid line denied, or else one with a body that it refused; of all that there are, one that
    /// the proxy forwards.
    fn beyond_forbid(
        &mut self,
        (forbid, permits, shares): (Ruled<'p>, &[Option<Ruled<'p>>], u64),
        both: &Both<'p>,
        explained: &Explained<'p>,
        asked: &mut Asked<'_, 'p>,
    ) -> Result<(), Fault> {
        let all: Vec<Ruled<'p>> = both.all().copied().collect();
        let refuses = both.refuse_bodies() && forbid.reads_body();
        let kinds = [false, true].into_iter().filter(|refused| !refused || refuses);
        let mut latent = None;
        for refused in kinds {
            for permit in permits {
                self.languages.grant(shares);
                let matched = if refused { None } else { Some(forbid) };
                let question = Question {
                    must: permit.iter().copied().chain(matched).collect(),
                    // Also where a permit line that was reviewed explains the request: whoever reviewed that line need not
                    // have meant it without the forbid line.
                    must_not: vec![&both.forbids, &explained.shown],
                    refused_for: refused.then_some((forbid, &all)),
                    ambiguous: None,
                    cause: Cause::Lifted(forbid.rule.line),
                };
                match self.look(&question, asked)? {
                    Looked::Found(found) if found.obstacles.is_empty() => {
                        asked.difference.findings.push(found);
                        return Ok(());
                    }
                    // Another line may give a request that the proxy forwards.
                    Looked::Found(found) => latent = better(latent, found),
                    Looked::None => {}
                    Looked::Open => asked.leave_open(),
                }
            }
        }
        asked.difference.findings.extend(latent);
        Ok(())
    }
}

impl<'p> Explained<'p> {
    /// Adds a finding, and the permit line to those that explain requests.
    pub(super) fn by(&mut self, permit: Option<Ruled<'p>>, found: Finding, asked: &mut Asked<'_, 'p>) {
        self.lines.extend(permit);
        if found.obstacles.is_empty() {
            self.shown.extend(permit);
        }
        asked.difference.findings.push(found);
    }
}

/// The better of two findings that the proxy does not forward as configured: the one with fewer obstacles, otherwise the first.
pub(super) fn better(kept: Option<Finding>, found: Finding) -> Option<Finding> {
    match kept {
        Some(kept) if kept.obstacles.len() <= found.obstacles.len() => Some(kept),
        _ => Some(found),
    }
}

/// The cause of a finding that a permit line gives.
pub(super) fn cause_of(permit: Option<Ruled<'_>>) -> Cause {
    permit.map_or(Cause::Unrestricted, |permit| Cause::Permit(permit.rule.line))
}
