//! The two checks of a policy: of the pieces that changed, at once, and of the whole, after a pause.

use std::{collections::HashMap, ops::Range, path::PathBuf, sync::Arc, time::Duration};

use crossbeam_channel::Sender;
use tokenward_compiler::source::SourceSet;

use crate::{
    findings::{Finding, Whole, of_pieces},
    host::{Policy, Stop},
    pieces::reduced,
    worker::Worker,
    workspace::{merged, read},
};

/// Pause after the last change before the whole policy is checked.
const PAUSE: Duration = Duration::from_millis(250);
/// Changed pieces up to which they are checked by themselves.
const MOST_PIECES: usize = 64;

/// The result of a check.
pub(crate) enum Result {
    /// Of the changed pieces.
    Pieces {
        /// The revision that was checked.
        revision: u64,
        /// The findings about these pieces.
        found: Vec<Finding>,
    },
    /// Of the whole policy.
    Whole {
        /// The revision that was checked.
        revision: u64,
        /// The findings, and what was read from disk; or why there is no result.
        checked: std::result::Result<(Whole, SourceSet), String>,
    },
}

/// The threads that check a policy.
pub(crate) struct Checks {
    pieces: Worker<Moment>,
    whole: Worker<Moment>,
}

/// A policy to be checked, as it is now.
#[derive(Clone)]
pub(crate) struct Moment {
    pub(crate) revision: u64,
    pub(crate) policy: Arc<dyn Policy>,
    pub(crate) sources: Arc<SourceSet>,
    pub(crate) open: Vec<(String, Arc<str>)>,
    pub(crate) changed: HashMap<String, Vec<Range<usize>>>,
}

impl Checks {
    /// Starts the threads. Results go to `results`, with the number of the policy.
    ///
    /// # Errors
    /// The system gives no thread.
    pub(crate) fn start(
        number: usize,
        directory: PathBuf,
        results: Sender<(usize, Result)>,
    ) -> std::io::Result<Self> {
        let own = results.clone();
        let pieces = Worker::start("lsp-pieces", move |job: Moment, stop: &Stop| {
            if let Some(result) = check_pieces(&job, stop) {
                // Nobody waits for results while the server ends.
                let _ = own.send((number, result));
            }
        })?;
        let whole = Worker::start("lsp-whole", move |job: Moment, stop: &Stop| {
            if let Some(result) = check_whole(&job, &directory, stop) {
                let _ = results.send((number, result));
            }
        })?;
        Ok(Self { pieces, whole })
    }

    /// Checks a policy: its changed pieces at once, if these are few, and all of it after a pause, or at once.
    pub(crate) fn check(&self, moment: Moment, is_urgent: bool) {
        let pieces: usize = moment.changed.values().map(Vec::len).sum();
        if (1..=MOST_PIECES).contains(&pieces) && !is_urgent {
            self.pieces.submit(moment.clone(), Duration::ZERO);
        }
        let pause = if is_urgent { Duration::ZERO } else { PAUSE };
        self.whole.submit(moment, pause);
    }
}

fn check_pieces(job: &Moment, stop: &Stop) -> Option<Result> {
    let sources = reduced(&job.sources, &job.changed);
    let checked = job.policy.check(&sources, stop).ok()?;
    if stop.is_asked() {
        return None;
    }
    Some(Result::Pieces {
        revision: job.revision,
        found: of_pieces(&sources, &checked.diagnostics, &job.changed),
    })
}

fn check_whole(job: &Moment, directory: &std::path::Path, stop: &Stop) -> Option<Result> {
    let checked = read(directory, &job.sources).and_then(|disk| {
        let sources = merged(&disk, &job.open);
        let checked = job.policy.check(&sources, stop)?;
        Ok((Whole::of(&sources, &checked.diagnostics), disk))
    });
    if stop.is_asked() {
        return None;
    }
    Some(Result::Whole {
        revision: job.revision,
        checked,
    })
}
