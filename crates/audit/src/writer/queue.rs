//! What waits for the disk, bounded in bytes, and those who wait for it.
//!
//! Records beyond the bound stay outside, in order, until the writer has made room; what waits longer
//! than its deadline is answered `Busy` by [`Queue::expire`], which a thread of its own calls, so that
//! the answer comes also while the disk hangs.

mod deadlines;

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::error::AppendError;
use crate::model::entry::{Appended, Sequence};
use crate::model::item::{Counted, Event, Item};
use crate::writer::quota::{MissedCalls, Quotas, Refused};

/// How long items that nobody waits for may lie, so that they share a commit.
const LINGER: Duration = Duration::from_millis(200);
/// How soon after one commit began the next may, where several callers wait at a time: a commit costs the processor the
/// same for one record as for fifty. A single caller's next commit is not held up, nor one after a pause.
const SPACING: Duration = Duration::from_micros(350);
/// Most items for which memory is kept between commits.
const KEPT: usize = 1024;
/// Most items of one commit.
const BATCH: usize = 8192;

/// Somebody who waits.
#[derive(Debug)]
pub(crate) struct Waiter {
    deadline: Instant,
    done: oneshot::Sender<Result<Appended, AppendError>>,
}

#[derive(Debug)]
struct Queued {
    item: Item,
    weight: usize,
    waiter: Option<Waiter>,
}

/// What the writer waits for, so that an item wakes it only if it has to: the system is asked for a wake-up even if nobody
/// waits.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Writer {
    /// Nothing: it writes, or was woken. It looks at the queue before it waits again.
    #[default]
    Busy,
    /// Something to write.
    Items,
    /// The time at which the next commit may begin. Only a full queue shortens it.
    Spacing,
}

#[derive(Debug, Default)]
struct State {
    items: VecDeque<Queued>,
    outside: VecDeque<Queued>,
    // For `items`: bytes of records, bytes of outcomes and events, time of the first, and whether somebody waits.
    record_bytes: usize,
    other_bytes: usize,
    since: Option<Instant>,
    urgent: bool,
    // Time before which no commit begins.
    not_before: Option<Instant>,
    writer: Writer,
    // Those whose items the writer has, in its order.
    in_flight: Vec<Option<Waiter>>,
    sleepers: Vec<(Instant, oneshot::Sender<()>)>,
    unrecorded: MissedCalls,
    lost_outcomes: MissedCalls,
    lost_records: MissedCalls,
    closing: bool,
    closed: bool,
    clock_idle: bool,
}

/// The queue of one store.
#[derive(Debug)]
pub(crate) struct Queue {
    state: Mutex<State>,
    quotas: Mutex<Quotas>,
    // The writer waits here, the deadline thread there, `close` at the third.
    ready: Condvar,
    clock: Condvar,
    done: Condvar,
    limit: usize,
    wait: Duration,
    waits_for_disk: bool,
    #[cfg(test)]
    wakes: std::sync::atomic::AtomicU64,
}

/// Result of a push.
pub(crate) enum Pushed {
    /// Done, with this.
    Now(Appended),
    /// The answer comes here.
    Later(oneshot::Receiver<Result<Appended, AppendError>>),
}

/// Work for the writer.
pub(crate) enum Work {
    /// Items to write, in this order; empty if only the clock has to be checked.
    Items(Vec<Item>),
    /// Nothing is left and nothing will come.
    Stop,
}

/// Memory of one batch, for the next one.
#[derive(Debug, Default)]
pub(crate) struct Spare {
    items: Vec<Item>,
    waiters: Vec<Option<Waiter>>,
}

impl Spare {
    /// Takes the memory of these, which are dropped. That of a larger batch than usual is not kept.
    pub(crate) fn of(mut items: Vec<Item>, mut waiters: Vec<Option<Waiter>>) -> Self {
        items.clear();
        waiters.clear();
        if items.capacity() > KEPT || waiters.capacity() > KEPT {
            return Self::default();
        }
        Self { items, waiters }
    }
}

/// The result of putting an item back.
enum PutBack {
    /// The item is in the queue, or counted, or no longer needed.
    Kept,
    /// A record that nobody waits for was given up.
    LostRecord,
    /// An outcome was given up.
    LostOutcome,
}

impl Queue {
    /// An empty queue.
    pub(crate) fn new(limit: usize, wait: Duration, waits_for_disk: bool, quotas: Quotas) -> Self {
        let (ready, clock, done) = Default::default();
        Self {
            state: Mutex::default(),
            quotas: Mutex::new(quotas),
            ready,
            clock,
            done,
            limit,
            wait,
            waits_for_disk,
            #[cfg(test)]
            wakes: Default::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No code panics while it holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn quotas(&self) -> MutexGuard<'_, Quotas> {
        self.quotas.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a record of such a caller may be stored now; if not, it is counted.
    pub(crate) fn admit(&self, refused: Refused, token: Option<&str>, now_ms: i64) -> bool {
        self.quotas().of(refused, token.unwrap_or_default()).admit(now_ms)
    }

    /// Adds a record.
    pub(crate) fn push_record(&self, item: Item) -> Result<Pushed, AppendError> {
        let weight = item.weight();
        let mut state = self.state();
        if state.closing {
            return Err(AppendError::Closed);
        }
        let fits = state.outside.is_empty() && state.record_bytes.saturating_add(weight) <= self.limit;
        // A record larger than the whole queue must still come through an empty one.
        let fits = fits || (state.outside.is_empty() && state.record_bytes == 0);
        if fits && !self.waits_for_disk {
            self.enter(
                &mut state,
                Queued {
                    item,
                    weight,
                    waiter: None,
                },
            );
            return Ok(Pushed::Now(Appended::Queued));
        }
        let (done, answer) = oneshot::channel();
        let waiter = Some(Waiter {
            deadline: Instant::now() + self.wait,
            done,
        });
        let queued = Queued { item, weight, waiter };
        if fits {
            self.enter(&mut state, queued);
        } else {
            state.outside.push_back(queued);
            self.wake_writer(&mut state);
        }
        self.wake_clock(&mut state);
        Ok(Pushed::Later(answer))
    }

    /// Adds an event of which the caller wants to know that it is on disk.
    pub(crate) fn push_event(
        &self,
        item: Item,
    ) -> Result<oneshot::Receiver<Result<Appended, AppendError>>, AppendError> {
        let weight = item.weight();
        let mut state = self.state();
        if state.closing {
            return Err(AppendError::Closed);
        }
        let (done, answer) = oneshot::channel();
        let waiter = Some(Waiter {
            deadline: Instant::now() + self.wait,
            done,
        });
        self.enter(&mut state, Queued { item, weight, waiter });
        self.wake_clock(&mut state);
        Ok(answer)
    }

    /// Adds an outcome; false if it was counted as lost.
    pub(crate) fn push_outcome(&self, item: Item, now_ms: i64) -> Result<bool, AppendError> {
        let weight = item.weight();
        let mut state = self.state();
        if state.closing {
            return Err(AppendError::Closed);
        }
        if state.other_bytes.saturating_add(weight) > self.limit {
            state.lost_outcomes.add(now_ms);
            return Ok(false);
        }
        self.enter(
            &mut state,
            Queued {
                item,
                weight,
                waiter: None,
            },
        );
        Ok(true)
    }

    /// Whether so much is queued that the next commit must not be delayed.
    fn is_pressed(&self, state: &State) -> bool {
        state.closing || !state.outside.is_empty() || state.record_bytes + state.other_bytes > self.limit / 4
    }

    fn enter(&self, state: &mut State, queued: Queued) {
        let first = state.items.is_empty();
        let (was_urgent, was_pressed) = (state.urgent, self.is_pressed(state));
        match queued.item {
            Item::Decision(_) => state.record_bytes += queued.weight,
            _ => state.other_bytes += queued.weight,
        }
        state.urgent |= queued.waiter.is_some() || self.is_pressed(state);
        if first {
            state.since = Some(Instant::now());
        }
        state.items.push_back(queued);
        let is_due = match state.writer {
            Writer::Busy => false,
            Writer::Items => first || state.urgent != was_urgent,
            Writer::Spacing => !was_pressed && self.is_pressed(state),
        };
        if is_due {
            self.wake_writer(state);
        }
    }

    /// Wakes the writer if it waits.
    fn wake_writer(&self, state: &mut State) {
        if std::mem::take(&mut state.writer) == Writer::Busy {
            return;
        }
        #[cfg(test)]
        self.wakes.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        self.ready.notify_one();
    }

    /// Counts a call that was let pass unrecorded.
    pub(crate) fn count_unrecorded(&self, now_ms: i64) {
        let mut state = self.state();
        state.unrecorded.add(now_ms);
        self.wake_writer(&mut state);
    }

    /// Bytes that wait.
    pub(crate) fn bytes(&self) -> usize {
        let state = self.state();
        let outside: usize = state.outside.iter().map(|q| q.weight).sum();
        state.record_bytes + state.other_bytes + outside
    }

    /// Gives the items to write next, in the memory of `spare`. Waits for some, at most `idle`.
    pub(crate) fn take(&self, idle: Duration, now_ms: impl Fn() -> i64, spare: Spare) -> Work {
        let Spare { mut items, waiters } = spare;
        let until = Instant::now() + idle;
        let state = self.wait_for_spacing(self.state());
        drop(self.wait_for_items(state, until));
        // The clock is the caller's: it is not asked under the lock.
        let now_ms = now_ms();
        let mut state = self.state();
        items.extend(self.tallies(&mut state, now_ms));
        state.in_flight = waiters;
        state.in_flight.resize_with(items.len(), || None);
        self.fill(&mut state);
        while items.len() < BATCH
            && let Some(queued) = state.items.pop_front()
        {
            match queued.item {
                Item::Decision(_) => state.record_bytes = state.record_bytes.saturating_sub(queued.weight),
                _ => state.other_bytes = state.other_bytes.saturating_sub(queued.weight),
            }
            items.push(queued.item);
            state.in_flight.push(queued.waiter);
        }
        self.fill(&mut state);
        let several = state.in_flight.iter().flatten().nth(1).is_some();
        state.not_before = several.then(|| Instant::now() + SPACING);
        state.since = (!state.items.is_empty()).then(Instant::now);
        state.urgent = state.items.iter().any(|q| q.waiter.is_some());
        if items.is_empty() && state.closing {
            Work::Stop
        } else {
            Work::Items(items)
        }
    }

    /// Waits until the next commit may begin, or until so much is queued that it must.
    fn wait_for_spacing<'q>(&'q self, mut state: MutexGuard<'q, State>) -> MutexGuard<'q, State> {
        while let Some(time) = state.not_before
            && !self.is_pressed(&state)
        {
            let pause = time.saturating_duration_since(Instant::now());
            if pause.is_zero() {
                break;
            }
            state = self.wait_ready(state, Writer::Spacing, pause);
        }
        state.not_before = None;
        state
    }

    /// Waits until something must be written: somebody waits for it, it has lingered, or the time `until` has come.
    fn wait_for_items<'q>(
        &'q self,
        mut state: MutexGuard<'q, State>,
        until: Instant,
    ) -> MutexGuard<'q, State> {
        loop {
            let now = Instant::now();
            let lingered = state.since.map(|since| since + LINGER);
            let due = state.urgent || lingered.is_some_and(|t| t <= now) || !state.outside.is_empty();
            if due || state.closing || now >= until {
                return state;
            }
            let pause = lingered.unwrap_or(until).min(until);
            state = self.wait_ready(state, Writer::Items, pause.saturating_duration_since(now));
        }
    }

    fn wait_ready<'q>(
        &self,
        mut state: MutexGuard<'q, State>,
        what: Writer,
        pause: Duration,
    ) -> MutexGuard<'q, State> {
        state.writer = what;
        let waited = self.ready.wait_timeout(state, pause);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner).0;
        state.writer = Writer::Busy;
        state
    }

    /// Lets in what waits outside, as far as there is room.
    fn fill(&self, state: &mut State) {
        while let Some(next) = state.outside.front() {
            if state.record_bytes > 0 && state.record_bytes.saturating_add(next.weight) > self.limit {
                return;
            }
            let Some(mut queued) = state.outside.pop_front() else {
                return;
            };
            if !self.waits_for_disk
                && let Some(waiter) = queued.waiter.take()
            {
                let _ = waiter.done.send(Ok(Appended::Queued));
            }
            self.enter(state, queued);
        }
    }

    /// The counts that are due, as events.
    fn tallies(&self, state: &mut State, now_ms: i64) -> Vec<Item> {
        let mut events = Vec::new();
        events.extend(state.unrecorded.take(Counted::Unrecorded));
        events.extend(state.lost_outcomes.take(Counted::LostOutcomes));
        events.extend(state.lost_records.take(Counted::LostRecords));
        events.extend(self.quotas().take_due(now_ms, state.closing));
        events.into_iter().map(Item::Event).collect()
    }

    /// Answers those whose items the writer had: they are on disk from `first` on. Gives the memory of the list.
    pub(crate) fn committed(&self, first: u64) -> Vec<Option<Waiter>> {
        let mut waiters = std::mem::take(&mut self.state().in_flight);
        let mut sequence = first;
        for waiter in waiters.drain(..) {
            if let Some(waiter) = waiter {
                let _ = waiter.done.send(Ok(Appended::Stored(Sequence(sequence))));
            }
            sequence = sequence.saturating_add(1);
        }
        waiters
    }

    /// Answers the callers whose items the writer could not write. Items that nobody waits for go back to the head of the queue. If
    /// it is full or closing, they are counted as lost. Returns the numbers of records and outcomes lost.
    pub(crate) fn failed(&self, error: &AppendError, items: Vec<Item>, now_ms: i64) -> (u64, u64) {
        let mut state = self.state();
        let waiters = std::mem::take(&mut state.in_flight);
        let (mut lost_records, mut lost_outcomes) = (0, 0);
        let mut answered = Vec::new();
        let mut expired = waiters.into_iter();
        let mut back = Vec::new();
        for item in items {
            // If the caller's wait expired, it was answered already. Its item is kept like a buffered one, which is harmless.
            match expired.next().flatten() {
                Some(waiter) => answered.push(waiter),
                None => back.push(item),
            }
        }
        for item in back.into_iter().rev() {
            match self.put_back(&mut state, item) {
                PutBack::Kept => {}
                PutBack::LostRecord => {
                    state.lost_records.add(now_ms);
                    lost_records += 1;
                }
                PutBack::LostOutcome => {
                    state.lost_outcomes.add(now_ms);
                    lost_outcomes += 1;
                }
            }
        }
        if !state.items.is_empty() && state.since.is_none() {
            state.since = Some(Instant::now());
        }
        drop(state);
        for waiter in answered {
            let _ = waiter.done.send(Err(error.clone()));
        }
        (lost_records, lost_outcomes)
    }

    /// Puts an item that could not be written back to the queue's head, or a count back to its tally.
    fn put_back(&self, state: &mut State, item: Item) -> PutBack {
        let weight = item.weight();
        let bytes = match &item {
            // After closing there is no next attempt, and putting it back would repeat the failure forever.
            Item::Event(Event::Counted { .. } | Event::OverLimit { .. }) if state.closing => {
                return PutBack::Kept;
            }
            Item::Event(Event::OverLimit {
                token,
                count,
                from_ms,
                to_ms,
            }) => {
                let mut quotas = self.quotas();
                let quota = quotas.of(Refused::OverLimit, token);
                quota.over().restore(*count, *from_ms, *to_ms);
                return PutBack::Kept;
            }
            &Item::Event(Event::Counted {
                what,
                count,
                from_ms,
                to_ms,
            }) => {
                match what {
                    Counted::Outsiders => {
                        let mut quotas = self.quotas();
                        quotas
                            .of(Refused::Outsider, "")
                            .over()
                            .restore(count, from_ms, to_ms);
                    }
                    Counted::RefusedTokens => {
                        let mut quotas = self.quotas();
                        quotas
                            .of(Refused::Token, "")
                            .over()
                            .restore(count, from_ms, to_ms);
                    }
                    Counted::Unrecorded => state.unrecorded.restore(count, from_ms, to_ms),
                    Counted::LostOutcomes => state.lost_outcomes.restore(count, from_ms, to_ms),
                    Counted::LostRecords => state.lost_records.restore(count, from_ms, to_ms),
                }
                return PutBack::Kept;
            }
            Item::Decision(_) if state.closing || state.record_bytes + weight > self.limit => {
                return PutBack::LostRecord;
            }
            Item::Ended(_) if state.closing || state.other_bytes + weight > self.limit => {
                return PutBack::LostOutcome;
            }
            Item::Decision(_) => &mut state.record_bytes,
            Item::Ended(_) | Item::Event(_) => &mut state.other_bytes,
        };
        *bytes += weight;
        state.items.push_front(Queued {
            item,
            weight,
            waiter: None,
        });
        PutBack::Kept
    }

    /// Whether the queue accepts no more items.
    pub(crate) fn is_closing(&self) -> bool {
        self.state().closing
    }

    /// Accepts no more items. Queued items are still written.
    pub(crate) fn close(&self) {
        let mut state = self.state();
        state.closing = true;
        self.wake_writer(&mut state);
        drop(state);
        self.clock.notify_all();
    }

    /// The writer has stopped: nobody waits any more.
    pub(crate) fn stopped(&self) {
        let mut state = self.state();
        state.closing = true;
        state.closed = true;
        let in_flight = std::mem::take(&mut state.in_flight);
        let items = std::mem::take(&mut state.items);
        let outside = std::mem::take(&mut state.outside);
        state.sleepers.clear();
        drop(state);
        let waiting = items.into_iter().chain(outside).filter_map(|q| q.waiter);
        for waiter in in_flight.into_iter().flatten().chain(waiting) {
            let _ = waiter.done.send(Err(AppendError::Closed));
        }
        self.clock.notify_all();
        self.done.notify_all();
    }

    /// Waits until the writer has stopped; false if it has not within `limit`.
    pub(crate) fn wait_stopped(&self, limit: Duration) -> bool {
        let state = self.state();
        let done = self.done.wait_timeout_while(state, limit, |s| !s.closed);
        done.unwrap_or_else(PoisonError::into_inner).0.closed
    }
}

#[cfg(test)]
mod tests;
