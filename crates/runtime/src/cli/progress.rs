//! Progress of a long command, on a terminal.

use std::time::{Duration, Instant};

use super::output;

/// Time before the first report, and between reports.
const PAUSE: Duration = Duration::from_secs(1);

/// Reports progress on standard error if it is a terminal.
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

    /// Reports that `done` of `of` steps are complete.
    pub(super) fn tell(&mut self, done: usize, of: usize) {
        if self.watched && done < of && self.last.elapsed() >= PAUSE {
            self.last = Instant::now();
            output::note(&format!("{done} of {of} {}", self.what));
        }
    }
}

/// Reports the progress of one stage after another.
pub(super) fn by_stage() -> impl FnMut(&'static str, usize, usize) {
    let mut stage: Option<Progress> = None;
    move |what, done, of| {
        let current = stage.take().filter(|stage| stage.what == what);
        stage
            .insert(current.unwrap_or_else(|| Progress::new(what)))
            .tell(done, of);
    }
}
