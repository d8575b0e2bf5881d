//! What proofs may cost: steps for all questions of a run together, of which each question has a share.
//!
//! Steps are counted work, a step of one automaton each: states times classes where a machine is built, automata times
//! classes where a search visits a tuple of states. So an answer depends on the policy and not on the machine.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// Steps of a run for each unit of a budget.
const STEPS: u64 = 2_500;
/// Steps that one question may take for each unit.
const STEPS_A_QUESTION: u64 = 500;

/// The budget is spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exhausted;

/// What the proofs of a run may cost. Clones share the steps: give each part of a run a clone of one budget.
#[derive(Clone, Debug)]
pub struct Budget {
    units: u64,
    steps: Steps,
}

impl Budget {
    /// A budget of so many units for one run, about as many as its largest search may visit states.
    #[must_use]
    pub fn new(units: u64) -> Self {
        Self {
            units,
            steps: Steps(Arc::new(AtomicU64::new(units.saturating_mul(STEPS)))),
        }
    }

    /// Whether the steps of the run are used up: every further question is inconclusive.
    #[must_use]
    pub fn is_spent(&self) -> bool {
        self.steps.left() == 0
    }

    /// Steps that the run has taken so far.
    #[must_use]
    pub fn spent(&self) -> u64 {
        self.units.saturating_mul(STEPS).saturating_sub(self.steps.left())
    }

    /// The work of a part of the run; nothing is granted yet.
    pub(super) fn work(&self) -> Work {
        Work {
            run: self.steps.clone(),
            left: 0,
            most: self.units.saturating_mul(STEPS_A_QUESTION),
        }
    }
}

impl From<u64> for Budget {
    fn from(units: u64) -> Self {
        Self::new(units)
    }
}

impl From<&Budget> for Budget {
    fn from(budget: &Budget) -> Self {
        budget.clone()
    }
}

/// The steps that are left of a run.
#[derive(Clone, Debug)]
struct Steps(Arc<AtomicU64>);

impl Steps {
    fn left(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The steps that a question may take: its share of the run's.
#[derive(Clone, Debug)]
pub(super) struct Work {
    run: Steps,
    /// What is left of the share.
    left: u64,
    /// The largest share.
    most: u64,
}

impl Work {
    /// Begins a question that may take one of so many shares of what is left of the run.
    pub(super) fn grant(&mut self, shares: u64) {
        self.left = (self.run.left() / shares.max(1)).min(self.most);
    }

    /// Takes so many steps of the question's share.
    ///
    /// # Errors
    /// The share has fewer: the question ends, and only this one.
    pub(super) fn take(&mut self, steps: usize) -> Result<(), Exhausted> {
        let steps = u64::try_from(steps).unwrap_or(u64::MAX);
        let left = self.left.checked_sub(steps);
        // A question that ends has cost its whole share at most.
        let taken = steps.min(self.left);
        self.left = left.unwrap_or_default();
        // One thread proves; another order would only move the end of the budget.
        let run = self.run.left().saturating_sub(taken);
        self.run.0.store(run, Ordering::Relaxed);
        match left {
            Some(_) if run > 0 => Ok(()),
            _ => Err(Exhausted),
        }
    }

    /// Takes steps of the run, beside all questions.
    ///
    /// # Errors
    /// The run has fewer. None is left then, so that the rest of the run ends soon.
    pub(super) fn take_of_run(&self, steps: usize) -> Result<(), Exhausted> {
        let steps = u64::try_from(steps).unwrap_or(u64::MAX);
        let left = self.run.left().saturating_sub(steps);
        self.run.0.store(left, Ordering::Relaxed);
        if left == 0 { Err(Exhausted) } else { Ok(()) }
    }
}
