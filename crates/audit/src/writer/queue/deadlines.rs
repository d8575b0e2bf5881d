//! Answering those who waited too long: by a thread of its own, so that the answer comes also while the
//! disk hangs, and without a runtime's timers, which not every caller has.

use std::collections::VecDeque;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::{Queue, State, Waiter};
use crate::error::AppendError;

/// How often deadlines are looked at.
const TICK: Duration = Duration::from_millis(50);

impl Queue {
    /// Answers all who waited too long. Waits a tick first, or until somebody waits; false when the
    /// writer has stopped.
    pub(crate) fn expire(&self, idle_ticks: &mut u32) -> bool {
        let mut state = self.state();
        if state.closed {
            state.sleepers.clear();
            return false;
        }
        // Goes on ticking for a while, so that steady traffic need not wake this thread.
        state = if *idle_ticks < 100 {
            self.clock
                .wait_timeout(state, TICK)
                .unwrap_or_else(PoisonError::into_inner)
                .0
        } else {
            state.clock_idle = true;
            self.clock.wait(state).unwrap_or_else(PoisonError::into_inner)
        };
        state.clock_idle = false;
        let now = Instant::now();
        let busy = late_waiters(&mut state, now);
        let (over, on): (Vec<_>, Vec<_>) = std::mem::take(&mut state.sleepers)
            .into_iter()
            .partition(|(until, _)| *until <= now);
        state.sleepers = on;
        let waiting = !state.sleepers.is_empty()
            || !state.outside.is_empty()
            || !state.items.is_empty()
            || state.in_flight.iter().any(Option::is_some);
        *idle_ticks = if waiting { 0 } else { idle_ticks.saturating_add(1) };
        drop(state);
        for waiter in busy {
            let _ = waiter.done.send(Err(AppendError::Busy { waited: self.wait }));
        }
        drop(over);
        true
    }

    pub(super) fn wake_clock(&self, state: &mut State) {
        if state.clock_idle {
            state.clock_idle = false;
            self.clock.notify_one();
        }
    }

    /// Resolves (to an error) at `until`, or when the store closes.
    pub(crate) fn sleep(&self, until: Instant) -> oneshot::Receiver<()> {
        let (sender, receiver) = oneshot::channel();
        let mut state = self.state();
        if !state.closed {
            state.sleepers.push((until, sender));
            self.wake_clock(&mut state);
        }
        receiver
    }
}

/// Takes out of the queue all who waited too long, with their items, unless the writer has these already.
fn late_waiters(state: &mut State, now: Instant) -> Vec<Waiter> {
    let late = |w: &Option<Waiter>| w.as_ref().is_some_and(|w| w.deadline <= now);
    let mut busy = Vec::new();
    let in_flight = state
        .in_flight
        .iter_mut()
        .filter(|w| late(w))
        .filter_map(Option::take);
    busy.extend(in_flight);
    // Deadlines ascend along the queue, except for items that were put back.
    let mut kept = VecDeque::with_capacity(state.items.len());
    if state.items.iter().any(|q| late(&q.waiter)) {
        for queued in std::mem::take(&mut state.items) {
            if late(&queued.waiter) {
                state.record_bytes = state.record_bytes.saturating_sub(queued.weight);
                busy.extend(queued.waiter);
            } else {
                kept.push_back(queued);
            }
        }
        state.items = kept;
    }
    while state.outside.front().is_some_and(|q| late(&q.waiter)) {
        busy.extend(state.outside.pop_front().and_then(|q| q.waiter));
    }
    busy
}
