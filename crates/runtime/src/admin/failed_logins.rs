//! A bound on the records of failed logins: their number has none.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Length of the period in which failed logins are limited.
const MINUTE: Duration = Duration::from_secs(60);
/// Maximum number of failed logins that are recorded in a minute. All of them are counted by a metric.
const MOST: u32 = 60;

/// The number of failed logins recorded since a time.
#[derive(Debug)]
pub(super) struct FailedLogins(Mutex<(Instant, u32)>);

impl Default for FailedLogins {
    fn default() -> Self {
        Self(Mutex::new((Instant::now(), 0)))
    }
}

impl FailedLogins {
    /// Counts one more, and says whether to record it.
    pub(super) fn is_recorded(&self) -> bool {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.0.elapsed() >= MINUTE {
            *state = (Instant::now(), 0);
        }
        state.1 = state.1.saturating_add(1);
        state.1 <= MOST
    }
}
