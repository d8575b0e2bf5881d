//! `compile --check --watch`: checks again after each change, until Ctrl-C.
//!
//! The system's notifications wake the loop, and a look at names, times and sizes every half second covers network file systems and
//! lost notifications. Only that look decides whether something changed. The findings are printed if they are others than before.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, IsTerminal};
use std::os::unix::fs::MetadataExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use tokenward_compiler::source::limits;
use tokio::signal::unix::{SignalKind, signal};

use crate::cli::failure::Failure;
use crate::cli::output::{self, Kept};

/// Interval of the look at all files.
const PERIOD: Duration = Duration::from_millis(500);
/// Time without a change after which the files are read: an editor may write a file in steps.
const QUIET: Duration = Duration::from_millis(60);
/// Maximum time from a change until the files are read.
const PATIENCE: Duration = Duration::from_secs(1);
/// Clears a terminal.
const CLEAR: &str = "\x1b[2J\x1b[3J\x1b[H";

enum Signal {
    /// Something may have changed.
    Look,
    /// A check ended.
    Checked(Box<Outcome>),
    /// Ctrl-C or SIGTERM.
    Stop,
}

/// The result of a check, and all that it would write.
struct Outcome {
    result: Result<(), Failure>,
    kept: Kept,
}

impl Outcome {
    fn is_same(&self, other: &Self) -> bool {
        let message = |outcome: &Self| match &outcome.result {
            Ok(()) => None,
            Err(failure) => Some(failure.message().to_owned()),
        };
        self.kept == other.kept && message(self) == message(other)
    }

    /// Prints the findings in place of the ones before.
    fn show(&self, is_first: bool) -> Result<(), Failure> {
        if io::stdout().is_terminal() {
            output::print_raw(CLEAR)?;
        } else if !is_first {
            output::note("tokenward: the findings have changed:");
        }
        output::release(&self.kept)?;
        if let Err(failure) = &self.result
            && !failure.message().is_empty()
        {
            output::note(&format!("tokenward: {}", failure.message()));
        }
        Ok(())
    }
}

/// A check, which runs on a thread of its own.
pub(super) type Check = Arc<dyn Fn() -> Result<(), Failure> + Send + Sync>;

/// Checks until Ctrl-C. `places` says what a check reads, as the configuration is now.
///
/// # Errors
/// The last check failed, or none has ended.
pub(super) fn run(check: &Check, places: &dyn Fn() -> Watched) -> Result<(), Failure> {
    let (sender, received) = mpsc::channel();
    stop_on_signal(sender.clone())?;
    let mut last: Option<Outcome> = None;
    loop {
        let watched = places();
        let _notifier = watched.notifier(&sender);
        // The state is older than the reading, so that a change in between is noticed.
        let state = watched.state();
        check_aside(check, sender.clone())?;
        let Some(outcome) = ended(&received) else {
            return stopped(last);
        };
        if matches!(outcome.result, Err(Failure::NoReader)) {
            return outcome.result;
        }
        let is_new = last.as_ref().is_none_or(|last| !last.is_same(&outcome));
        if is_new {
            outcome.show(last.is_none())?;
            output::note(&format!(
                "tokenward: watching `{}`; press Ctrl-C to stop",
                watched.policies.display()
            ));
        }
        last = Some(outcome);
        if wait_for_change(&received, &watched, state) {
            return stopped(last);
        }
    }
}

fn stopped(last: Option<Outcome>) -> Result<(), Failure> {
    match last {
        // Its message was shown.
        Some(outcome) => outcome.result.map_err(Failure::without_message),
        None => Err(Failure::Trouble(
            "stopped before the first check ended".to_owned(),
        )),
    }
}

/// Checks on another thread, so that Ctrl-C ends the command at once.
fn check_aside(check: &Check, sender: Sender<Signal>) -> Result<(), Failure> {
    let check = Arc::clone(check);
    let check = move || {
        // A panic was printed. It must not leave the command waiting.
        let run = || catch_unwind(AssertUnwindSafe(|| check()));
        let (result, kept) = output::keeping(run);
        let panicked = |_| Err(Failure::Trouble("internal error: the check panicked".to_owned()));
        let result = result.unwrap_or_else(panicked);
        // Nobody waits for it after Ctrl-C.
        let _ = sender.send(Signal::Checked(Box::new(Outcome { result, kept })));
    };
    let thread = thread::Builder::new().name("check".to_owned()).spawn(check);
    thread.map(drop).map_err(Failure::trouble)
}

/// Waits for the end of the check; `None` after Ctrl-C.
fn ended(received: &Receiver<Signal>) -> Option<Outcome> {
    loop {
        match received.recv() {
            Ok(Signal::Checked(outcome)) => return Some(*outcome),
            // The state before the check shows such a change.
            Ok(Signal::Look) => {}
            Ok(Signal::Stop) | Err(_) => return None,
        }
    }
}

/// Waits until the files differ from this state, and have been quiet for a moment. Returns whether to stop.
fn wait_for_change(received: &Receiver<Signal>, watched: &Watched, state: State) -> bool {
    loop {
        let mut now = watched.state();
        if now != state {
            let first = Instant::now();
            while first.elapsed() < PATIENCE {
                if is_stop(received.recv_timeout(QUIET)) {
                    return true;
                }
                let next = watched.state();
                if next == now {
                    break;
                }
                now = next;
            }
            return false;
        }
        if is_stop(received.recv_timeout(PERIOD)) {
            return true;
        }
    }
}

fn is_stop(signal: Result<Signal, RecvTimeoutError>) -> bool {
    matches!(signal, Ok(Signal::Stop) | Err(RecvTimeoutError::Disconnected))
}

/// Sends a signal to stop on Ctrl-C and SIGTERM.
fn stop_on_signal(sender: Sender<Signal>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(Failure::trouble)?;
    // Registered before the first check, so that no signal is lost.
    let (mut interrupt, mut terminate) = {
        let _entered = runtime.enter();
        let of = |kind| signal(kind).map_err(Failure::trouble);
        (of(SignalKind::interrupt())?, of(SignalKind::terminate())?)
    };
    let wait = move || {
        runtime.block_on(async {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        });
        let _ = sender.send(Signal::Stop);
    };
    let thread = thread::Builder::new().name("signals".to_owned()).spawn(wait);
    thread.map(drop).map_err(Failure::trouble)
}

/// The places that a check reads.
pub(super) struct Watched {
    /// The policy directory.
    pub(super) policies: PathBuf,
    /// Everything else that is looked at: files, and directories with all below them.
    pub(super) others: Vec<PathBuf>,
}

/// Device, inode, length and time of the last change, in seconds and nanoseconds, of each file and directory.
type State = BTreeMap<PathBuf, (u64, u64, u64, i64, i64)>;

impl Watched {
    /// The files that change if a branch moves, in the work tree of the working directory.
    pub(super) fn branches() -> Vec<PathBuf> {
        let here = Path::new(".").canonicalize().ok();
        let git = here.and_then(|here| {
            let mut above = here.ancestors().map(|above| above.join(".git"));
            above.find(|git| git.symlink_metadata().is_ok())
        });
        let names = ["HEAD", "packed-refs", "FETCH_HEAD", "refs"];
        git.map_or_else(Vec::new, |git| names.map(|name| git.join(name)).to_vec())
    }

    fn places(&self) -> impl Iterator<Item = &Path> {
        let others = self.others.iter().map(PathBuf::as_path);
        [self.policies.as_path()].into_iter().chain(others)
    }

    fn state(&self) -> State {
        let mut state = State::new();
        for place in self.places() {
            look(place, 0, &mut state);
        }
        state
    }

    /// Notifications for all places, and for the directories that contain them: a watch is lost when its directory is replaced.
    /// `None` if the system has none: the periodic look is enough.
    fn notifier(&self, sender: &Sender<Signal>) -> Option<RecommendedWatcher> {
        let sender = sender.clone();
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            let is_change = !matches!(&event, Ok(event) if event.kind.is_access());
            if is_change {
                let _ = sender.send(Signal::Look);
            }
        })
        .ok()?;
        for place in self.places() {
            let _ = watcher.watch(place, RecursiveMode::Recursive);
            let around = place.parent().filter(|around| !around.as_os_str().is_empty());
            let _ = watcher.watch(around.unwrap_or(Path::new(".")), RecursiveMode::NonRecursive);
        }
        Some(watcher)
    }
}

/// Looks at a file, or at a directory and all that is not hidden below it.
fn look(place: &Path, depth: usize, state: &mut State) {
    let Ok(metadata) = fs::metadata(place) else {
        return;
    };
    let size = if metadata.is_dir() { 0 } else { metadata.len() };
    let seen = (
        metadata.dev(),
        metadata.ino(),
        size,
        metadata.mtime(),
        metadata.mtime_nsec(),
    );
    state.insert(place.to_owned(), seen);
    if !metadata.is_dir() || depth == limits::DEPTH {
        return;
    }
    for entry in fs::read_dir(place).into_iter().flatten().flatten() {
        if !entry.file_name().as_encoded_bytes().starts_with(b".") {
            look(&entry.path(), depth + 1, state);
        }
    }
}
