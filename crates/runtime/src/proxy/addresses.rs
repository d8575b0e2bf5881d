//! The upstream's addresses: their order of use, and which of them respond.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Time for which an address that accepts no connection is skipped; doubled for each further failure, …
const SHUT: Duration = Duration::from_secs(1);
/// … up to this.
const SHUT_AT_MOST: Duration = Duration::from_secs(30);
/// Number of consecutive failed health checks after which an address is skipped.
const UNWELL: u32 = 2;

/// The upstream's addresses, shared by the workers.
#[derive(Debug)]
pub(crate) struct Addresses {
    all: Vec<Address>,
    next: AtomicUsize,
}

/// One address of the upstream.
#[derive(Debug)]
pub(crate) struct Address {
    number: usize,
    authority: Arc<str>,
    failures: AtomicU64,
    state: Mutex<State>,
}

/// Results of calls to the address and of its health checks.
#[derive(Debug, Default)]
struct State {
    /// Number of consecutive failed connections.
    failed: u32,
    /// Time until which the address is skipped because of them.
    shut: Option<Instant>,
    /// Number of consecutive failed health checks.
    unwell: u32,
}

impl Addresses {
    /// Makes the addresses, each `host:port`. All count as healthy at first.
    pub(crate) fn new(authorities: Vec<String>) -> Self {
        let address = |(number, authority): (usize, String)| Address {
            number,
            authority: authority.into(),
            failures: AtomicU64::new(0),
            state: Mutex::default(),
        };
        Self {
            all: authorities.into_iter().enumerate().map(address).collect(),
            next: AtomicUsize::new(0),
        }
    }

    /// Gives all addresses.
    pub(crate) fn all(&self) -> &[Address] {
        &self.all
    }

    /// Chooses the address for a call that has tried these already; addresses take turns. If all are skipped, the first
    /// attempt of a call still uses one, as it may be healthy again.
    pub(crate) fn pick(&self, tried: &[&Address]) -> Option<&Address> {
        let now = Instant::now();
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        let (before, after) = self.all.split_at_checked(turn % self.all.len().max(1))?;
        let mut in_turn = after.iter().chain(before);
        let first = in_turn.clone().next();
        let open = in_turn.find(|address| address.is_open(now) && !tried.iter().any(|one| one.is(address)));
        open.or(first.filter(|_| tried.is_empty()))
    }
}

impl Address {
    /// Gives the place of the address among all, counted from 0.
    pub(crate) fn number(&self) -> usize {
        self.number
    }

    /// Gives `host:port`.
    pub(crate) fn authority(&self) -> &str {
        &self.authority
    }

    /// Gives the same for a log line that may be written later.
    pub(crate) fn shared_authority(&self) -> Arc<str> {
        Arc::clone(&self.authority)
    }

    /// Whether calls are sent to the address.
    pub(crate) fn is_open(&self, now: Instant) -> bool {
        let state = self.lock();
        state.unwell < UNWELL && state.shut.is_none_or(|until| until <= now)
    }

    /// Gives the number of failed connections since the start.
    pub(crate) fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }

    /// Notes that the address accepted no connection.
    pub(crate) fn failed(&self) {
        self.failures.fetch_add(1, Ordering::Relaxed);
        let mut state = self.lock();
        let shut = SHUT * 2_u32.saturating_pow(state.failed.min(5));
        state.failed = state.failed.saturating_add(1);
        state.shut = Some(Instant::now() + shut.min(SHUT_AT_MOST));
    }

    /// Notes that the address accepted a call.
    pub(crate) fn reached(&self) {
        let mut state = self.lock();
        state.failed = 0;
        state.shut = None;
    }

    /// Notes the result of a health check. A successful one outweighs earlier failed calls.
    pub(crate) fn checked(&self, well: bool) {
        let mut state = self.lock();
        let was_open = state.unwell < UNWELL;
        if well {
            *state = State::default();
        } else {
            state.unwell = state.unwell.saturating_add(1);
        }
        let is_open = state.unwell < UNWELL;
        drop(state);
        match (was_open, is_open) {
            (true, false) => {
                tracing::warn!(
                    address = self.authority(),
                    "health check of the upstream failed, address skipped"
                );
            }
            (false, true) => {
                tracing::info!(
                    address = self.authority(),
                    "health check of the upstream passed, address used again"
                );
            }
            _ => {}
        }
    }

    fn is(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn three() -> Addresses {
        Addresses::new(["a:1", "b:1", "c:1"].map(str::to_owned).into())
    }

    fn picked(addresses: &Addresses, times: usize) -> Vec<&str> {
        (0..times)
            .map(|_| addresses.pick(&[]).unwrap().authority())
            .collect()
    }

    #[test]
    fn they_take_turns() {
        assert_eq!(picked(&three(), 4), ["a:1", "b:1", "c:1", "a:1"]);
    }

    #[test]
    fn one_that_does_not_answer_is_left_out_until_it_is_well() {
        let addresses = three();
        let [a, ..] = addresses.all() else { panic!() };
        a.failed();
        assert!(!picked(&addresses, 6).contains(&"a:1"));
        assert_eq!(a.failures(), 1);
        assert!(!a.is_open(Instant::now()) && a.is_open(Instant::now() + SHUT));
        a.failed();
        assert!(!a.is_open(Instant::now() + SHUT) && a.is_open(Instant::now() + SHUT * 2));
        a.reached();
        assert!(picked(&addresses, 3).contains(&"a:1"));
        for _ in 0..100 {
            a.failed();
        }
        assert!(a.is_open(Instant::now() + SHUT_AT_MOST), "there is an end to it");
    }

    #[test]
    fn health_checks_leave_out_and_take_in() {
        let addresses = three();
        let [a, ..] = addresses.all() else { panic!() };
        a.checked(false);
        assert!(a.is_open(Instant::now()), "one may be chance");
        a.checked(false);
        a.reached();
        assert!(
            !a.is_open(Instant::now()),
            "a call under way says less than a check"
        );
        a.failed();
        a.checked(true);
        assert!(a.is_open(Instant::now()));
    }

    #[test]
    fn what_was_tried_is_not_tried_again() {
        let addresses = three();
        let first = addresses.pick(&[]).unwrap();
        let second = addresses.pick(&[first]).unwrap();
        let third = addresses.pick(&[first, second]).unwrap();
        assert!(!first.is(second) && !second.is(third) && !third.is(first));
        assert!(addresses.pick(&[first, second, third]).is_none());
    }

    #[test]
    fn with_all_left_out_a_call_is_tried_once() {
        let addresses = three();
        addresses.all().iter().for_each(Address::failed);
        let first = addresses.pick(&[]).unwrap();
        assert!(addresses.pick(&[first]).is_none());
    }
}
