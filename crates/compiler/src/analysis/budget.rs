//! What proofs may cost: a number of states for each question, and steps for all questions of a run together.
//!
//! Both are counted, so that an answer depends on the policy and not on the machine.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// Steps that a run may take for each state that a question may visit. A step is about as long as a step of one automaton.
const STEPS: u64 = 2_500;

/// The budget is spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exhausted;

/// What the proofs of a run may cost. Clones share the steps: give each part of a run a clone of one budget.
#[derive(Clone, Debug)]
pub struct Budget {
    /// States that one question may visit.
    states: u64,
    steps: Steps,
}

impl Budget {
    /// A budget for one run, whose questions may visit so many states each.
    #[must_use]
    pub fn new(states: u64) -> Self {
        Self {
            states,
            steps: Steps(Arc::new(AtomicU64::new(states.saturating_mul(STEPS)))),
        }
    }

    /// Whether the steps of the run are used up: every further question is inconclusive.
    #[must_use]
    pub fn is_spent(&self) -> bool {
        self.steps.is_spent()
    }

    /// The same run, with another number of states for each question.
    pub(crate) fn of_states(&self, states: u64) -> Self {
        Self {
            states,
            steps: self.steps.clone(),
        }
    }

    pub(crate) fn states(&self) -> u64 {
        self.states
    }

    pub(super) fn steps(&self) -> Steps {
        self.steps.clone()
    }
}

impl From<u64> for Budget {
    fn from(states: u64) -> Self {
        Self::new(states)
    }
}

impl From<&Budget> for Budget {
    fn from(budget: &Budget) -> Self {
        budget.clone()
    }
}

/// The steps that are left of a run.
#[derive(Clone, Debug)]
pub(crate) struct Steps(Arc<AtomicU64>);

impl Steps {
    /// Takes so many steps.
    ///
    /// # Errors
    /// There are fewer. None is left then, so that the rest of the run ends soon.
    pub(crate) fn take(&self, steps: usize) -> Result<(), Exhausted> {
        let steps = u64::try_from(steps).unwrap_or(u64::MAX);
        // One thread proves; another order would only move the end of the budget.
        let left = self.0.load(Ordering::Relaxed).checked_sub(steps);
        self.0.store(left.unwrap_or_default(), Ordering::Relaxed);
        match left {
            None | Some(0) => Err(Exhausted),
            Some(_) => Ok(()),
        }
    }

    pub(crate) fn is_spent(&self) -> bool {
        self.0.load(Ordering::Relaxed) == 0
    }
}
