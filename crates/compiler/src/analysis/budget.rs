//! What proofs may cost: steps for all questions of a run together. Each question has a share of them, and each token adds some.
//!
//! Steps are counted work, a step of one automaton each: states times classes where a machine is built, automata times
//! classes where a search visits a tuple of states. So an answer depends on the policy and not on the machine.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

/// Steps of a run for each unit of a budget.
const STEPS: u64 = 2_500;
/// Steps that each token adds to those of the run for each unit: 400,000 by default. A token of ten ordinary lines takes 120,000.
const STEPS_A_TOKEN: u64 = 2;
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
            steps: Steps::new(units.saturating_mul(STEPS), Arc::default()),
        }
    }

    /// Like [`Budget::new`], for work that is no longer wanted once `stop` is set: no steps are left then, nor in the shares of this
    /// budget.
    #[must_use]
    pub fn stopped_by(units: u64, stop: Arc<AtomicBool>) -> Self {
        Self {
            units,
            steps: Steps::new(units.saturating_mul(STEPS), stop),
        }
    }

    /// A budget of its own, of one in so many of these units: work that may take less than the proofs of the run, and takes
    /// nothing away from them.
    #[must_use]
    pub fn share(&self, shares: u64) -> Self {
        Self::stopped_by(
            (self.units / shares.max(1)).max(1),
            Arc::clone(&self.steps.0.stop),
        )
    }

    /// The budget of one of so many parts of the run that threads do in any order: an equal part of the steps that are left. What a part
    /// finds then depends neither on the other parts nor on the number of threads.
    pub(crate) fn part(&self, parts: u64) -> Self {
        Self {
            units: self.units,
            steps: Steps::new(self.steps.left() / parts.max(1), Arc::clone(&self.steps.0.stop)),
        }
    }

    /// Counts the steps of a part as steps of the run.
    pub(crate) fn add_part(&self, part: &Self) {
        self.steps.0.taken.fetch_add(part.spent(), Ordering::Relaxed);
    }

    /// Whether the steps of the run are used up: every further question about the same token is inconclusive.
    #[must_use]
    pub fn is_spent(&self) -> bool {
        self.steps.left() == 0
    }

    /// Steps that the run has taken so far.
    #[must_use]
    pub fn spent(&self) -> u64 {
        self.steps.0.taken.load(Ordering::Relaxed)
    }

    /// Adds the steps of a token, before the questions about it.
    pub(super) fn add_token(&self) {
        self.steps.add(self.units.saturating_mul(STEPS_A_TOKEN));
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

/// The steps of a run, or of a part of it. One thread takes them: in another order the end of the budget would come elsewhere.
#[derive(Clone, Debug)]
struct Steps(Arc<Counts>);

#[derive(Debug)]
struct Counts {
    left: AtomicU64,
    taken: AtomicU64,
    stop: Arc<AtomicBool>,
}

impl Steps {
    fn new(steps: u64, stop: Arc<AtomicBool>) -> Self {
        Self(Arc::new(Counts {
            left: AtomicU64::new(steps),
            taken: AtomicU64::new(0),
            stop,
        }))
    }

    fn left(&self) -> u64 {
        if self.0.stop.load(Ordering::Relaxed) {
            return 0;
        }
        self.0.left.load(Ordering::Relaxed)
    }

    fn add(&self, steps: u64) {
        let left = self.left().saturating_add(steps);
        self.0.left.store(left, Ordering::Relaxed);
    }

    /// Takes so many steps, or all that are left.
    ///
    /// # Errors
    /// None is left.
    fn take(&self, steps: u64) -> Result<(), Exhausted> {
        // Asked once: a stop may come at any time.
        let before = self.left();
        let taken = steps.min(before);
        let left = before - taken;
        self.0.left.store(left, Ordering::Relaxed);
        self.0.taken.fetch_add(taken, Ordering::Relaxed);
        if left == 0 { Err(Exhausted) } else { Ok(()) }
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
        self.run.take(taken)?;
        left.map(|_| ()).ok_or(Exhausted)
    }

    /// Takes steps of the run, beside all questions.
    ///
    /// # Errors
    /// The run has fewer. None is left then, so that the rest of the run ends soon.
    pub(super) fn take_of_run(&self, steps: usize) -> Result<(), Exhausted> {
        self.run.take(u64::try_from(steps).unwrap_or(u64::MAX))
    }
}
