//! A rate with its burst, as a bucket that each call takes from and that time fills again (GCRA, by `governor`).

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use governor::clock::{Clock as _, Reference};
use governor::middleware::StateInformationMiddleware;
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use tokenward_compiler::call_limits::Rate;
use tokenward_pdp::problem::Level;

/// The time since the start of the process.
#[derive(Clone, Debug)]
pub(super) enum Clock {
    Monotonic(Instant),
    #[cfg(test)]
    Set(std::sync::Arc<std::sync::atomic::AtomicU64>),
}

impl Default for Clock {
    fn default() -> Self {
        Self::Monotonic(Instant::now())
    }
}

impl governor::clock::Clock for Clock {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        match self {
            Self::Monotonic(start) => Nanos::from(start.elapsed()),
            #[cfg(test)]
            Self::Set(nanos) => Nanos::from(nanos.load(std::sync::atomic::Ordering::Relaxed)),
        }
    }
}

/// A rate with its burst, and how much of it is used.
pub(super) struct Bucket {
    rate: Rate,
    burst: NonZeroU32,
    limiter: RateLimiter<NotKeyed, InMemoryState, Clock, StateInformationMiddleware>,
}

impl Bucket {
    /// A full bucket.
    pub(super) fn new(rate: Rate, burst: NonZeroU32, clock: &Clock) -> Self {
        let limiter = RateLimiter::direct_with_clock(quota(rate, burst), clock.clone());
        Self {
            rate,
            burst,
            limiter: limiter.with_middleware(),
        }
    }

    /// A bucket in place of one with another rate or burst. As many calls count as used as in the old one, so that a
    /// reload gives nobody a new burst.
    pub(super) fn after(old: &Self, rate: Rate, burst: NonZeroU32, clock: &Clock) -> Self {
        let new = Self::new(rate, burst, clock);
        // The old bucket is not used any more, so a call may be taken from it to see what was left.
        let left = old
            .limiter
            .check()
            .map_or(0, |level| level.remaining_burst_capacity() + 1);
        let used = NonZeroU32::new(old.burst.get().saturating_sub(left).min(burst.get()));
        if let Some(used) = used {
            // It succeeds: the new bucket is full, and has room for so many.
            let _ = new.limiter.check_n(used);
        }
        new
    }

    /// Whether the bucket is that of this rate and burst.
    pub(super) fn has(&self, rate: Rate, burst: NonZeroU32) -> bool {
        self.rate == rate && self.burst == burst
    }

    /// Takes one call.
    ///
    /// # Errors
    /// No call is left; with the time until there is one.
    pub(super) fn take(&self) -> Result<Level, (Level, Duration)> {
        let interval = self.rate.interval();
        let level = |left, next| Level {
            burst: self.burst.get(),
            window: interval.saturating_mul(self.burst.get()),
            left,
            next,
        };
        match self.limiter.check() {
            Ok(state) => Ok(level(state.remaining_burst_capacity(), interval)),
            Err(until) => {
                let wait = until
                    .earliest_possible()
                    .duration_since(self.limiter.clock().now());
                let wait = Duration::from(wait);
                Err((level(0, wait), wait))
            }
        }
    }
}

fn quota(rate: Rate, burst: NonZeroU32) -> Quota {
    // A rate's interval is never zero.
    let quota = Quota::with_period(rate.interval()).unwrap_or(Quota::per_second(burst));
    quota.allow_burst(burst)
}
