//! Answers questions about whole policies by questions about cells, and tries each answer on the programs.

use std::{collections::HashSet, marker::PhantomData};

use super::{
    Budget, Cause, Difference, Exhausted, Fault, Finding, Inconclusive, Universe,
    cell::Cell,
    clauses::Ruled,
    identity::Identity,
    language::Languages,
    prefilter,
    side::Side,
    witness::{Request, Said, ask},
};
use crate::{
    ir::LineId,
    json::{Step, fold},
    param::root_name,
};

/// Steps that a rule counts for when it is made part of a question: its names are folded, the beginning of its paths is compared.
const STEPS_A_RULE: usize = 500;

/// The knowledge of the patterns of all programs in the questions so far.
pub(crate) struct Prover<'p> {
    universe: Universe,
    budget: Budget,
    pub(super) languages: Languages,
    identity: Identity,
    samples_first: bool,
    // INVARIANT: the programs outlive the prover, so that their addresses name them.
    programs: PhantomData<&'p ()>,
}

impl<'p> Prover<'p> {
    /// `budget`: the product states that a question may visit, and the steps of the whole run.
    ///
    /// # Errors
    /// A [`Fault`].
    pub(crate) fn new(universe: Universe, budget: Budget) -> Result<Self, Fault> {
        Ok(Self {
            universe,
            languages: Languages::new(budget.steps())?,
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

    pub(super) fn budget(&self) -> u64 {
        self.budget.states()
    }

    /// Counts work that is done for the questions, beside them.
    ///
    /// # Errors
    /// The steps of the run are used up.
    pub(crate) fn take_steps(&self, steps: usize) -> Result<(), Exhausted> {
        self.languages.steps.take(steps)
    }

    /// Whether the steps of the run are used up.
    pub(crate) fn is_spent(&self) -> bool {
        self.budget.is_spent()
    }

    /// Whether one rule matches all that another does, as far as their forms show it.
    pub(crate) fn is_within(&mut self, rule: Ruled<'p>, other: Ruled<'p>) -> bool {
        self.take_steps(STEPS_A_RULE).is_ok() && prefilter::is_within_one(rule, &[other], &mut self.languages)
    }

    /// A request that matches all of some rules and none of some others.
    ///
    /// # Errors
    /// The budget is spent.
    pub(crate) fn request(
        &mut self,
        must: &[Ruled<'p>],
        must_not: &[Ruled<'p>],
    ) -> Result<Option<Request>, Exhausted> {
        self.take_steps((must.len() + must_not.len()) * STEPS_A_RULE)?;
        self.languages.grant(self.budget());
        let names = names(must.iter().chain(must_not));
        let cell = Cell {
            must: must.to_vec(),
            must_not: must_not
                .iter()
                .filter(|other| !must.iter().any(|rule| prefilter::are_apart(*rule, **other)))
                .copied()
                .collect(),
        };
        let avoid = |name: &str| names.contains(&*fold::key(name));
        cell.request(self.universe, &avoid, &mut self.languages)
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
        let (permits, forbids) = (more.permits(), more.forbids());
        let known = self.also_in(&permits, &less.permits());
        let lifted = self.lifted(less, &forbids, accepted);
        // No permit line says more than an unrestricted token does.
        let sources: Vec<(Option<Ruled<'p>>, bool)> = if more.is_unrestricted() {
            vec![(None, false)]
        } else {
            permits.into_iter().map(Some).zip(known).collect()
        };
        if sources.iter().all(|(_, known)| *known) && lifted.is_empty() {
            return Ok(Difference::default());
        }
        self.languages.grant(self.budget());
        let theirs = less.permits();
        let names = names(
            [more.permits(), more.forbids(), theirs.clone(), less.forbids()]
                .iter()
                .flatten(),
        );
        let avoid = |name: &str| names.contains(&*fold::key(name));
        let mut difference = Difference::default();
        let mut explained = accepted.permits.clone();
        for (permit, known) in &sources {
            if !known && !less.is_unrestricted() {
                let others = forbids.len() + theirs.len() + explained.len();
                if self.take_steps(others * STEPS_A_RULE).is_err() {
                    difference.inconclusive = Some(Inconclusive::Budget);
                    return Ok(difference);
                }
                self.beyond_permit(
                    *permit,
                    (more, less),
                    (&forbids, &theirs),
                    (accepted, &mut explained),
                    &avoid,
                    &mut difference,
                )?;
            }
        }
        let found = explained.get(accepted.permits.len()..).unwrap_or_default();
        // A removed forbid line may newly allow requests of each permit line, whether or not that line is new.
        for forbid in lifted {
            for (permit, _) in &sources {
                if self
                    .take_steps((forbids.len() + found.len()) * STEPS_A_RULE)
                    .is_err()
                {
                    difference.inconclusive = Some(Inconclusive::Budget);
                    return Ok(difference);
                }
                let cell = Cell {
                    must: permit.iter().copied().chain([forbid]).collect(),
                    // Also where a permit line that was reviewed explains the request: whoever reviewed that line need not
                    // have meant it without the forbid line.
                    must_not: forbids.iter().chain(found).copied().collect(),
                };
                let cause = Cause::Lifted(forbid.rule.line);
                if self.look(&cell, (more, less, cause), &avoid, &mut difference)? {
                    break;
                }
            }
        }
        Ok(difference)
    }

    /// The forbid lines of `less` that `forbids` lacks, except accepted ones.
    fn lifted(&mut self, less: Side<'p>, forbids: &[Ruled<'p>], accepted: &Accepted<'p>) -> Vec<Ruled<'p>> {
        let theirs = less.forbids();
        let kept = self.also_in(&theirs, forbids);
        let lifted = theirs.into_iter().zip(kept).filter(|(_, kept)| !kept);
        let lifted = lifted.map(|(ruled, _)| ruled);
        lifted
            .filter(|ruled| !accepted.lifted.contains(&ruled.rule.line))
            .collect()
    }

    /// Adds a request that one permit line allows beyond the other side, and the line to those that explain requests.
    fn beyond_permit(
        &mut self,
        permit: Option<Ruled<'p>>,
        (more, less): (Side<'p>, Side<'p>),
        (forbids, theirs): (&[Ruled<'p>], &[Ruled<'p>]),
        (accepted, explained): (&Accepted<'p>, &mut Vec<Ruled<'p>>),
        avoid: &dyn Fn(&str) -> bool,
        difference: &mut Difference,
    ) -> Result<(), Fault> {
        let is_accepted = |permit: &Ruled<'p>| {
            let lines = accepted.permits.iter().map(|ruled| ruled.rule.line);
            lines.into_iter().any(|line| line == permit.rule.line)
        };
        // Cheap answers first: a reviewed line, a line within one line of the other side, a request spelt by the line's form.
        if permit.as_ref().is_some_and(is_accepted) {
            return Ok(());
        }
        if let Some(permit) = permit
            && prefilter::is_within_one(permit, theirs, &mut self.languages)
        {
            return Ok(());
        }
        if self.samples_first
            && let Some(permit) = permit
            && self.look_at_sample(permit, more, less, difference)
        {
            explained.push(permit);
            return Ok(());
        }
        // Otherwise a search, without the lines that cannot match the same requests.
        let near = |other: &&Ruled<'p>| permit.is_none_or(|permit| !prefilter::are_apart(permit, **other));
        let cell = Cell {
            must: permit.iter().copied().collect(),
            must_not: forbids
                .iter()
                .chain(theirs)
                .chain(explained.iter())
                .filter(near)
                .copied()
                .collect(),
        };
        let cause = permit.map_or(Cause::Unrestricted, |permit| Cause::Permit(permit.rule.line));
        if self.look(&cell, (more, less, cause), avoid, difference)? {
            explained.extend(permit);
        }
        Ok(())
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
                });
                true
            }
            _ => false,
        }
    }

    /// For each of the rules, whether the others have one that is built alike.
    fn also_in(&mut self, rules: &[Ruled<'p>], others: &[Ruled<'p>]) -> Vec<bool> {
        let (mut from, same_length) = (0, rules.len() == others.len());
        let mut also = Vec::with_capacity(rules.len());
        for (index, rule) in rules.iter().enumerate() {
            let mut is_at = |at: usize| {
                others
                    .get(at)
                    .is_some_and(|other| self.identity.same(*other, *rule))
            };
            // The line usually has the same index as before.
            let found = if same_length && is_at(index) {
                Some(index)
            } else {
                (from..others.len()).chain(0..from).find(|at| is_at(*at))
            };
            from = found.map_or(from, |at| at + 1);
            also.push(found.is_some());
        }
        also
    }

    /// Whether there is a request in the cell; it goes to the findings.
    fn look(
        &mut self,
        cell: &Cell<'p>,
        (more, less, cause): (Side<'p>, Side<'p>, Cause),
        avoid: &dyn Fn(&str) -> bool,
        difference: &mut Difference,
    ) -> Result<bool, Fault> {
        let witness = match cell.request(self.universe, avoid, &mut self.languages) {
            Ok(None) => return Ok(false),
            Ok(Some(witness)) => witness,
            Err(Exhausted) => {
                difference.inconclusive = Some(Inconclusive::Budget);
                return Ok(false);
            }
        };
        let said = (
            ask(more.program, more.token, &witness),
            ask(less.program, less.token, &witness),
        );
        let (allowed_by, denied_by) = match said {
            (Said::Allow(allowed_by), Said::Deny(denied_by)) => (allowed_by, denied_by),
            (Said::Refuse, _) | (_, Said::Refuse) => {
                difference.inconclusive.get_or_insert(Inconclusive::CaseVariants);
                return Ok(false);
            }
            _ => {
                return Err(Fault::FalseWitness {
                    request: Box::new(witness),
                });
            }
        };
        let finding = Finding {
            witness,
            allowed_by,
            denied_by,
            cause,
        };
        difference.findings.push(finding);
        Ok(true)
    }
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
