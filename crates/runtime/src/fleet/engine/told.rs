//! Log lines about entries that count for nothing: each reason once, and not more than a few each minute.

use std::time::{Duration, Instant};

use super::fresh::Fresh;

/// Lines in each interval.
const MOST: u32 = 10;
const INTERVAL: Duration = Duration::from_secs(60);

/// Bounds the log lines.
pub(super) struct Told {
    since: Instant,
    lines: u32,
}

impl Told {
    pub(super) fn new() -> Self {
        Self {
            since: Instant::now(),
            lines: 0,
        }
    }

    /// Notes that an entry counts for nothing, and logs it.
    pub(super) fn ignore(&mut self, fresh: &Fresh, why: &str) {
        let is_news = fresh.ignore(why);
        if self.since.elapsed() > INTERVAL {
            *self = Self::new();
        }
        if is_news && self.lines < MOST {
            self.lines += 1;
            tracing::warn!(error = why, "entry of the fleet's stream ignored");
        }
    }
}
