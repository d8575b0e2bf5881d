//! The pace at which a client reads a response.
//!
//! A client that takes a byte now and then would keep a connection, an upstream connection and their buffers for as
//! long as it likes. So the time for which a response waits for its client is bounded: in one piece, and in total for
//! the bytes that the client took.

use std::time::{Duration, Instant};

/// The slowest pace at which a client may read a response.
#[derive(Clone, Copy, Debug)]
pub(super) struct ReaderLimits {
    /// Maximum time for which the client may accept no byte. It is also the total time to wait, in addition to the time
    /// that `rate` allows.
    pub(super) pause: Duration,
    /// Minimum number of bytes per second while the proxy waits for the client; 0 for none.
    pub(super) rate: u32,
}

/// The pace of one response.
#[derive(Debug)]
pub(super) struct ReaderPace {
    limits: ReaderLimits,
    taken: u64,
    /// Total time of completed waits.
    waited: Duration,
    /// Start of the current wait.
    since: Option<Instant>,
}

impl ReaderPace {
    /// Makes the pace of a response of which nothing is sent.
    pub(super) fn new(limits: ReaderLimits) -> Self {
        Self {
            limits,
            taken: 0,
            waited: Duration::ZERO,
            since: None,
        }
    }

    /// Gives the time for which the client may be waited for from now, if nothing was waited for since it last took
    /// bytes.
    pub(super) fn wait(&mut self) -> Duration {
        self.wait_at(Instant::now())
    }

    fn wait_at(&mut self, now: Instant) -> Duration {
        self.since.get_or_insert(now);
        let Some(seconds) = self.taken.checked_div(u64::from(self.limits.rate)) else {
            return self.limits.pause;
        };
        let granted = self.limits.pause.saturating_add(Duration::from_secs(seconds));
        granted.saturating_sub(self.waited).min(self.limits.pause)
    }

    /// Counts bytes that the client took.
    pub(super) fn took(&mut self, bytes: usize) {
        // Without a wait the time does not matter, and is not asked for.
        let now = self.since.map(|_| Instant::now());
        self.took_at(bytes, now);
    }

    fn took_at(&mut self, bytes: usize, now: Option<Instant>) {
        self.taken = self.taken.saturating_add(bytes as u64);
        if let (Some(since), Some(now)) = (self.since.take(), now) {
            self.waited += now.saturating_duration_since(since);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAUSE: Duration = Duration::from_secs(60);

    fn pace(rate: u32) -> ReaderPace {
        ReaderPace::new(ReaderLimits { pause: PAUSE, rate })
    }

    /// Seconds until the client that takes so many bytes a second is given up.
    fn given_up(rate: u32, bytes: usize) -> Option<u64> {
        let mut pace = pace(rate);
        let began = Instant::now();
        (0..10_000).find(|second| {
            let now = began + Duration::from_secs(*second);
            if pace.wait_at(now) < Duration::from_secs(1) {
                return true;
            }
            pace.took_at(bytes, Some(now + Duration::from_secs(1)));
            false
        })
    }

    #[test]
    fn a_trickle_ends_and_a_slow_link_does_not() {
        assert_eq!(given_up(240, 1), Some(60));
        assert_eq!(given_up(240, 120), Some(119));
        assert_eq!(given_up(240, 240), None);
        assert_eq!(given_up(0, 1), None, "nothing is asked for");
    }

    #[test]
    fn time_in_which_nothing_waits_does_not_count() {
        let mut pace = pace(240);
        let began = Instant::now();
        pace.took_at(1, None);
        assert_eq!(pace.wait_at(began + PAUSE * 9), PAUSE);
    }
}
