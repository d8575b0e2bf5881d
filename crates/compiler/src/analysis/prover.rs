//! Answers questions about whole policies by questions about cells, and tries each answer on the programs.

use std::{
    cell::{Cell as Flag, LazyCell},
    collections::HashSet,
    marker::PhantomData,
};

use super::{
    Budget, Cause, Difference, Exhausted, Fault, Finding, Inconclusive, Obstacle, Universe,
    ambiguous::Ambiguous,
    cell::Cell,
    clauses::Ruled,
    forwarding::Forwarding,
    identity::Identity,
    language::Languages,
    prefilter,
    refusal::{Refusals, have_variants},
    side::Side,
    witness::{Request, Said, ask},
};
use crate::{
    ast::Effect,
    ir::LineId,
    json::{Step, fold},
    param::root_name,
};

/// Steps that a rule counts for beside all questions: its form is hashed, its names are folded.
const STEPS_A_RULE: usize = 20;
/// Times that the question about a line is asked.
const ROUNDS: usize = 2;
/// Steps that a removed forbid line and a permit line count for when they are told apart by how their paths begin.
const STEPS_A_PAIR: usize = 2;
/// A question by itself may take one of so many shares of what is left of the run's steps.
const SHARES: u64 = 16;

/// The knowledge of the patterns of all programs in the questions so far.
pub(crate) struct Prover<'p> {
    universe: Universe,
    budget: Budget,
    pub(super) languages: Languages,
    pub(super) identity: Identity,
    samples_first: bool,
    // INVARIANT: the programs outlive the prover, so that their addresses name them.
    programs: PhantomData<&'p ()>,
}

/// The result of a question.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Settled {
    /// A request was found, and reported.
    Found,
    /// There is none.
    None,
    /// The question took more than its share of the steps.
    Open,
}

impl<'p> Prover<'p> {
    /// `budget`: the steps of the whole run.
    ///
    /// # Errors
    /// A [`Fault`].
    pub(crate) fn new(universe: Universe, budget: Budget) -> Result<Self, Fault> {
        Ok(Self {
            universe,
            languages: Languages::new(&budget)?,
            budget,
            identity: Identity::default(),
            samples_first: false,
            programs: PhantomData,
        })
    }

    /// Makes the prover accept requests that are found fast instead of searching for the shortest.
    pub(crate) fn with_samples_first(mut self) -> Self {
        self.samples_first = true;
        self
    }

    /// Product states visited so far.
    pub(crate) fn visited(&self) -> u64 {
        self.languages.visited()
    }

    pub(super) fn universe(&self) -> Universe {
        self.universe
    }

    /// Counts work that is done for the questions, beside them.
    ///
    /// # Errors
    /// The steps of the run are used up.
    pub(crate) fn take_steps(&self, steps: usize) -> Result<(), Exhausted> {
        self.languages.work.take_of_run(steps)
    }

    /// Begins with a token, which adds its share to the steps of the run.
    pub(crate) fn begin_token(&self) {
        self.budget.add_token();
    }

    /// Whether the steps of the run are used up.
    pub(crate) fn is_spent(&self) -> bool {
        self.budget.is_spent()
    }

    /// Whether one rule matches all that another does, as far as their forms show it.
    pub(crate) fn is_within(&mut self, rule: Ruled<'p>, other: Ruled<'p>) -> bool {
        self.languages.grant(SHARES);
        self.take_steps(STEPS_A_RULE).is_ok() && prefilter::is_within_one(rule, &[other], &mut self.languages)
    }

    /// A request that matches all of some rules and none of some others.
    ///
    /// # Errors
    /// The question's share of the steps is spent.
    pub(crate) fn request(
        &mut self,
        must: &[Ruled<'p>],
        must_not: &[Ruled<'p>],
    ) -> Result<Option<Request>, Exhausted> {
        self.request_of(must, must_not, (SHARES, None))
    }

    /// The same, of rules that need not outlive the prover, for one of so many shares of the run's steps, and of requests that a
    /// proxy forwards, if one is given.
    ///
    /// # Errors
    /// The question's share of the steps is spent.
    pub(super) fn request_of<'q>(
        &mut self,
        must: &[Ruled<'q>],
        must_not: &[Ruled<'q>],
        (shares, forwarding): (u64, Option<Forwarding<'q>>),
    ) -> Result<Option<Request>, Exhausted> {
        self.languages.grant(shares);
        let names = LazyCell::new(|| names(must.iter().chain(must_not)));
        let avoid = |name: &str| names.contains(&*fold::key(name));
        let cell = Cell {
            must: must.to_vec(),
            must_not: vec![must_not],
            refused_for: None,
            ambiguous: None,
            refusals: Refusals::default(),
            avoid: &avoid,
            forwarding,
            passed_over: Flag::default(),
        };
        cell.request(self.universe, &mut self.languages)
    }

    /// A request that matches all of some rules, and that a proxy forwards.
    ///
    /// # Errors
    /// The question's share of the steps is spent.
    pub(crate) fn forwarded_request(
        &mut self,
        must: &[Ruled<'p>],
        forwarding: Forwarding<'p>,
    ) -> Result<Option<Request>, Exhausted> {
        self.request_of(must, &[], (SHARES, Some(forwarding)))
    }

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
        let (permits, theirs) = (more.permits(), less.permits());
        let (forbids, their_forbids) = (more.forbids(), less.forbids());
        let mut difference = Difference::default();
        let rules = permits.len() + theirs.len() + forbids.len() + their_forbids.len();
        if self.take_steps(rules * STEPS_A_RULE).is_err() {
            difference.inconclusive = Some(Inconclusive::Budget);
            return Ok(difference);
        }
        let known = self.identity.also_in(&permits, &theirs);
        let lifted = self.lifted(&their_forbids, &forbids, accepted);
        let reviewed: HashSet<LineId> = accepted.permits.iter().map(|ruled| ruled.rule.line).collect();
        let is_new = |(permit, known): &(Ruled<'p>, bool)| !known && !reviewed.contains(&permit.rule.line);
        // No permit line says more than an unrestricted token does.
        let sources: Vec<Option<Ruled<'p>>> = match more.is_unrestricted() {
            true => vec![None],
            false => permits.iter().copied().map(Some).collect(),
        };
        let new: Vec<Option<Ruled<'p>>> = match (less.is_unrestricted(), more.is_unrestricted()) {
            (true, _) => Vec::new(),
            (false, true) => vec![None],
            (false, false) => {
                let new = permits.iter().copied().zip(known).filter(is_new);
                new.map(|(permit, _)| Some(permit)).collect()
            }
        };
        let readers = self.lifted_readers((more, less), [&forbids, &permits], [&their_forbids, &theirs]);
        let strict = self.lifted_names((more, less));
        if new.is_empty() && lifted.is_empty() && readers.is_empty() && strict.is_empty() {
            return Ok(difference);
        }
        let names = LazyCell::new(|| {
            names(
                [&permits, &forbids, &theirs, &their_forbids]
                    .into_iter()
                    .flatten(),
            )
        });
        let avoid = |name: &str| names.contains(&*fold::key(name));
        let mut asked = Asked {
            sides: (more, less),
            avoid: &avoid,
            difference: &mut difference,
        };
        let mut explained = accepted.permits.clone();
        // Each line has its share of the steps. The second round gives what lines left of theirs to those that need more.
        let mut open = new;
        for _ in 0..ROUNDS {
            let lines = std::mem::take(&mut open);
            for (at, permit) in lines.iter().enumerate() {
                self.languages.grant(2 * (lines.len() - at) as u64);
                let lines = (forbids.as_slice(), theirs.as_slice());
                if self.beyond_permit(*permit, lines, &mut explained, &mut asked)? == Settled::Open {
                    open.push(*permit);
                }
            }
        }
        if !open.is_empty() {
            asked.difference.inconclusive = Some(Inconclusive::Budget);
        }
        let found = explained.get(accepted.permits.len()..).unwrap_or_default();
        // A removed forbid line may newly allow requests of each permit line, whether or not that line is new.
        let pairs = lifted.len() * sources.len();
        let heads = if lifted.is_empty() { &[][..] } else { &sources };
        let heads: Vec<Vec<u8>> = heads
            .iter()
            .map(|permit| permit.map(prefilter::head).unwrap_or_default())
            .collect();
        for (at, forbid) in lifted.iter().enumerate() {
            let forbidden = prefilter::head(*forbid);
            if self.take_steps(sources.len() * STEPS_A_PAIR).is_err() {
                asked.difference.inconclusive = Some(Inconclusive::Budget);
                break;
            }
            for (number, (permit, head)) in sources.iter().zip(&heads).enumerate() {
                let share_method = permit.is_none_or(|permit| prefilter::share_method(permit, *forbid));
                if !share_method || prefilter::part(head, &forbidden) {
                    continue;
                }
                self.languages
                    .grant(2 * (pairs - at * sources.len() - number) as u64);
                let question = Question {
                    must: permit.iter().copied().chain([*forbid]).collect(),
                    // Also where a permit line that was reviewed explains the request: whoever reviewed that line need not
                    // have meant it without the forbid line.
                    must_not: vec![&forbids, found],
                    refused_for: None,
                    ambiguous: None,
                    cause: Cause::Lifted(forbid.rule.line),
                };
                match self.look(&question, &mut asked)? {
                    Settled::Found => break,
                    Settled::None => {}
                    Settled::Open => asked.difference.inconclusive = Some(Inconclusive::Budget),
                }
            }
        }
        // A line that is gone may have refused bodies of another spelling, which an unchanged line allows.
        let all: Vec<Ruled<'p>> = match readers.is_empty() {
            true => Vec::new(),
            false => [permits.as_slice(), &forbids, &theirs, &their_forbids].concat(),
        };
        for reader in &readers {
            // A permit line before it that does not look at the body would decide without it.
            let before = theirs
                .iter()
                .take_while(|ruled| !std::ptr::eq(ruled.rule, reader.rule));
            let before = before.filter(|_| reader.rule.effect == Effect::Permit);
            let before = before.filter(|ruled| !ruled.asks_json() && !ruled.asks_root());
            let before: Vec<Ruled<'p>> = before.copied().collect();
            for permit in &sources {
                self.languages.grant(2 * (readers.len() * sources.len()) as u64);
                let question = Question {
                    must: permit.iter().copied().collect(),
                    must_not: vec![&forbids, &before, found],
                    refused_for: Some((*reader, &all)),
                    ambiguous: None,
                    cause: permit.map_or(Cause::Unrestricted, |permit| Cause::Permit(permit.rule.line)),
                };
                match self.look(&question, &mut asked)? {
                    Settled::Found => break,
                    Settled::None => {}
                    Settled::Open => asked.difference.inconclusive = Some(Inconclusive::Budget),
                }
            }
        }
        let strict: Vec<Ruled<'p>> = strict
            .into_iter()
            .filter(|reader| !accepted.lifted.contains(&reader.rule.line))
            .collect();
        self.beyond_names(&strict, (&sources, &forbids, &explained), &mut asked)?;
        Ok(difference)
    }

    /// The rules of `less` that look at bodies and that `more` lacks, if names differ in letter case only.
    fn lifted_readers(
        &mut self,
        (more, less): (Side<'p>, Side<'p>),
        ours: [&Vec<Ruled<'p>>; 2],
        theirs: [&Vec<Ruled<'p>>; 2],
    ) -> Vec<Ruled<'p>> {
        let reads = |ruled: &&Ruled<'p>| ruled.asks_json();
        let readers: Vec<Ruled<'p>> = theirs.into_iter().flatten().filter(reads).copied().collect();
        if readers.is_empty() || more.is_demand || less.is_demand {
            return Vec::new();
        }
        let all: Vec<Ruled<'p>> = ours.into_iter().flatten().copied().collect();
        let kept = self.identity.also_in(&readers, &all);
        let gone: Vec<Ruled<'p>> = readers
            .into_iter()
            .zip(kept)
            .filter(|(_, kept)| !kept)
            .map(|(reader, _)| reader)
            .collect();
        let theirs = theirs.into_iter().flatten().copied();
        if gone.is_empty() || !have_variants(all.into_iter().chain(theirs)) {
            return Vec::new();
        }
        gone
    }

    /// The forbid lines of the other side that `forbids` lacks, except accepted ones.
    fn lifted(
        &mut self,
        theirs: &[Ruled<'p>],
        forbids: &[Ruled<'p>],
        accepted: &Accepted<'p>,
    ) -> Vec<Ruled<'p>> {
        let kept = self.identity.also_in(theirs, forbids);
        let lifted = theirs.iter().copied().zip(kept).filter(|(_, kept)| !kept);
        let lifted = lifted.map(|(ruled, _)| ruled);
        lifted
            .filter(|ruled| !accepted.lifted.contains(&ruled.rule.line))
            .collect()
    }

    /// Adds a request that one permit line allows beyond the other side, and the line to those that explain requests.
    fn beyond_permit(
        &mut self,
        permit: Option<Ruled<'p>>,
        (forbids, theirs): (&[Ruled<'p>], &[Ruled<'p>]),
        explained: &mut Vec<Ruled<'p>>,
        asked: &mut Asked<'_, 'p>,
    ) -> Result<Settled, Fault> {
        // A request spelt by the line's form costs no search.
        if self.samples_first
            && let Some(permit) = permit
            && self.look_at_sample(permit, asked.sides.0, asked.sides.1, asked.difference)
        {
            explained.push(permit);
            return Ok(Settled::Found);
        }
        let question = Question {
            must: permit.iter().copied().collect(),
            must_not: vec![forbids, theirs, explained],
            refused_for: None,
            ambiguous: None,
            cause: permit.map_or(Cause::Unrestricted, |permit| Cause::Permit(permit.rule.line)),
        };
        let settled = self.look(&question, asked)?;
        if settled == Settled::Found {
            explained.extend(permit);
        }
        Ok(settled)
    }

    /// Whether a request spelt by the rule's form shows the difference; such a request is added to the findings.
    fn look_at_sample(
        &mut self,
        permit: Ruled<'p>,
        more: Side<'p>,
        less: Side<'p>,
        difference: &mut Difference,
    ) -> bool {
        let Some(witness) = self.sample(permit) else {
            return false;
        };
        let refuses = |forwarding: Forwarding<'p>| !forwarding.obstacles(&witness).is_empty();
        if more.forwarding().is_some_and(refuses) {
            return false;
        }
        let said = (
            ask(more.program, more.token, &witness),
            ask(less.program, less.token, &witness),
        );
        match said {
            (Said::Allow(Some(line)), Said::Deny(denied_by)) if line == permit.rule.line => {
                difference.findings.push(Finding {
                    witness,
                    allowed_by: Some(line),
                    denied_by,
                    cause: Cause::Permit(line),
                    obstacles: Vec::new(),
                });
                true
            }
            _ => false,
        }
    }

    /// Whether there is a request in the cell; it goes to the findings.
    fn look(&mut self, question: &Question<'p, '_>, asked: &mut Asked<'_, 'p>) -> Result<Settled, Fault> {
        let (more, less) = asked.sides;
        // A request that one side refuses is looked for last, and only of the side that allows less.
        let proxied = [more, less].into_iter().filter(|side| !side.is_demand);
        let allowing = [more].into_iter().filter(|side| !side.is_demand);
        let mut tries = vec![Refusals::by(allowing)];
        if question.refused_for.is_none() {
            tries.insert(0, Refusals::by(proxied));
        }
        let mut witness = None;
        for refusals in tries {
            let cell = question.cell(refusals, asked.avoid);
            witness = match cell.request(self.universe, &mut self.languages) {
                Ok(witness) => witness,
                Err(Exhausted) => return Ok(Settled::Open),
            };
            if witness.is_some() || !cell.refusals.were_met() {
                break;
            }
        }
        let Some(witness) = witness else {
            return Ok(Settled::None);
        };
        let Some(found) = question.finding(witness, asked.sides)? else {
            asked
                .difference
                .inconclusive
                .get_or_insert(Inconclusive::CaseVariants);
            return Ok(Settled::None);
        };
        let found = self.forwarded(found, question, asked)?;
        asked.difference.findings.push(found);
        Ok(Settled::Found)
    }

    /// The finding with a request that the proxy forwards, if there is one; otherwise with what keeps it from that.
    pub(super) fn forwarded(
        &mut self,
        mut found: Finding,
        question: &Question<'p, '_>,
        asked: &Asked<'_, 'p>,
    ) -> Result<Finding, Fault> {
        let (more, less) = asked.sides;
        let Some(forwarding) = more.forwarding() else {
            return Ok(found);
        };
        found.obstacles = forwarding.obstacles(&found.witness);
        if found.obstacles.is_empty() {
            return Ok(found);
        }
        let allowing = [more].into_iter().filter(|side| !side.is_demand);
        let cell = Cell {
            forwarding: Some(forwarding),
            ..question.cell(Refusals::by(allowing), asked.avoid)
        };
        let other = cell.request(self.universe, &mut self.languages);
        let is_open = !matches!(other, Ok(None)) || cell.passed_over.get();
        if let Ok(Some(witness)) = other
            && let Some(other) = question.finding(witness, (more, less))?
        {
            return Ok(other);
        }
        if is_open {
            found.obstacles.push(Obstacle::Open);
        }
        Ok(found)
    }
}

/// A question about two sides.
pub(super) struct Question<'p, 'q> {
    pub(super) must: Vec<Ruled<'p>>,
    pub(super) must_not: Vec<&'q [Ruled<'p>]>,
    /// A rule of the side that allows less, for which that refuses the request; with all rules.
    pub(super) refused_for: Option<(Ruled<'p>, &'q [Ruled<'p>])>,
    /// A rule of the side that allows less, for whose names that refuses the request.
    pub(super) ambiguous: Option<&'q Ambiguous<'p, 'q>>,
    pub(super) cause: Cause,
}

impl<'p> Question<'p, '_> {
    pub(super) fn cell<'c>(
        &'c self,
        refusals: Refusals<'p>,
        avoid: &'c dyn Fn(&str) -> bool,
    ) -> Cell<'p, 'c> {
        Cell {
            must: self.must.clone(),
            must_not: self.must_not.clone(),
            refused_for: self.refused_for,
            ambiguous: self.ambiguous,
            refusals,
            avoid,
            forwarding: None,
            passed_over: Flag::default(),
        }
    }

    /// Whether the side that allows less refuses the request because of its names, and the other does not.
    fn is_ambiguous(&self, witness: &Request) -> bool {
        self.ambiguous
            .is_some_and(|ambiguous| ambiguous.is_proved_by(witness))
    }

    /// The finding that a request proves, which is tried on both programs; `None` if the side that allows more refuses it, since
    /// names differ in letter case.
    pub(super) fn finding(
        &self,
        witness: Request,
        (more, less): (Side<'p>, Side<'p>),
    ) -> Result<Option<Finding>, Fault> {
        let said = (
            ask(more.program, more.token, &witness),
            ask(less.program, less.token, &witness),
        );
        // An invariant refuses nothing: its line matches.
        let line = self.must.first().map(|ruled| ruled.rule.line);
        let (allowed_by, denied_by) = match said {
            // The lines of the other side need not deny it.
            (Said::Allow(allowed_by), _) if self.is_ambiguous(&witness) => (
                allowed_by,
                self.ambiguous.map(|ambiguous| ambiguous.reader.rule.line),
            ),
            // The names of a request are the proxy's own matter: what it does not confirm stays open.
            _ if self.ambiguous.is_some() => return Ok(None),
            (Said::Allow(allowed_by), Said::Deny(denied_by)) => (allowed_by, denied_by),
            (Said::Allow(allowed_by), Said::Refuse) => (allowed_by, None),
            (Said::Refuse, Said::Deny(denied_by)) if more.is_demand => (line, denied_by),
            (Said::Refuse, Said::Refuse) if more.is_demand => (line, None),
            (Said::Refuse, _) => return Ok(None),
            _ => {
                return Err(Fault::FalseWitness {
                    request: Box::new(witness),
                });
            }
        };
        Ok(Some(Finding {
            witness,
            allowed_by,
            denied_by,
            cause: self.cause,
            obstacles: Vec::new(),
        }))
    }
}

/// What all questions about two sides have in common.
pub(super) struct Asked<'a, 'p> {
    /// The side that allows more, and the one that allows less.
    pub(super) sides: (Side<'p>, Side<'p>),
    /// Names that a body should not have by chance.
    pub(super) avoid: &'a dyn Fn(&str) -> bool,
    pub(super) difference: &'a mut Difference,
}

/// What somebody has looked at and found right.
#[derive(Default)]
pub(crate) struct Accepted<'p> {
    /// Permit lines of the one side; every request that they match is accepted.
    pub(crate) permits: Vec<Ruled<'p>>,
    /// Forbid lines that the other has and the one has not.
    pub(crate) lifted: Vec<LineId>,
}

/// Every name that means something in a body to one of the rules, folded: a witness should not have it by chance.
pub(super) fn names<'a, 'p: 'a>(rules: impl Iterator<Item = &'a Ruled<'p>>) -> HashSet<String> {
    let mut names = HashSet::new();
    for ruled in rules {
        let steps = ruled.paths().flat_map(|path| &path.0);
        let members = steps.filter_map(|step| match step {
            Step::Name(name) => Some(name.as_str()),
            Step::Each => None,
        });
        let parameters = ruled.rule.params.iter().map(|test| &*test.name);
        names.extend(
            members
                .chain(parameters)
                .flat_map(|name| [name, root_name(name)])
                .map(fold::key),
        );
    }
    names
}
