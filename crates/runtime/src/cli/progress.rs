//! How far a long command is, for whoever looks on.

use std::time::{Duration, Instant};

use super::output;

/// Nothing is said before this, nor more often.
const PAUSE: Duration = Duration::from_millis(500);

/// Tells on standard error, if that is a terminal.
pub(super) struct Progress {
    what: &'static str,
    last: Instant,
    watched: bool,
}

impl Progress {
    /// `what` is being done, in the words of `12 of 100 tokens compared`.
    pub(super) fn new(what: &'static str) -> Self {
        Self {
            what,
            last: Instant::now(),
            watched: output::is_watched(),
        }
    }

    /// So many of so many are done.
    pub(super) fn tell(&mut self, done: usize, of: usize) {
        if self.watched && done < of && self.last.elapsed() >= PAUSE {
            self.last = Instant::now();
            output::note(&format!("{done} of {of} {}", self.what));
        }
    }
}
