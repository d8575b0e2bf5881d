//! Answers questions about whole policies by questions about cells, and tries each answer on the programs.

mod beyond;
pub(super) mod question;
mod readers;

use std::{
    cell::{Cell as Flag, LazyCell},
    collections::HashSet,
    marker::PhantomData,
};

use super::{
    Budget, Exhausted, Fault, Universe, cell::Cell, clauses::Ruled, forwarding::Forwarding,
    identity::Identity, language::Languages, prefilter, refusal::Refusals, witness::Request,
};
use crate::{
    ir::LineId,
    json::{Step, fold},
    param::root_name,
};

/// Steps that a rule counts for beside all questions: its form is hashed, its names are folded.
const STEPS_A_RULE: usize = 20;
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
        asked: (u64, Option<Forwarding<'q>>),
    ) -> Result<Option<Request>, Exhausted> {
        Ok(self.request_or_doubt(must, must_not, asked)?.0)
    }

    /// The same, with whether a request may have been passed over: if so, there may be one although none is returned.
    fn request_or_doubt<'q>(
        &mut self,
        must: &[Ruled<'q>],
        must_not: &[Ruled<'q>],
        (shares, forwarding): (u64, Option<Forwarding<'q>>),
    ) -> Result<(Option<Request>, bool), Exhausted> {
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
        let request = cell.request(self.universe, &mut self.languages)?;
        Ok((request, cell.passed_over.get()))
    }

    /// A request that matches all of some rules and none of some others, and that a proxy forwards.
    ///
    /// # Errors
    /// The question's share of the steps is spent, or a request was passed over.
    pub(crate) fn forwarded_beyond(
        &mut self,
        must: &[Ruled<'p>],
        must_not: &[Ruled<'p>],
        forwarding: Forwarding<'p>,
    ) -> Result<Option<Request>, Exhausted> {
        match self.request_or_doubt(must, must_not, (SHARES, Some(forwarding)))? {
            (None, true) => Err(Exhausted),
            (request, _) => Ok(request),
        }
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
