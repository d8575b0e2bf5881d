//! Watches the policy directory for changes.
//!
//! Two threads: one watches and applies revocations, the other compiles. The system's notifications make reloads fast. A
//! check of names, times and sizes every half second also covers network file systems, lost notifications, and links that
//! lead out of the watched directory.

use std::collections::HashSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender, SyncSender, TrySendError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use notify::event::{AccessKind, AccessMode, CreateKind, ModifyKind};
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};

use super::Policies;
use super::fingerprint::Fingerprint;

/// Interval of the periodic check.
const PERIOD: Duration = Duration::from_millis(500);
/// Time without further changes after which a change is loaded, if every file that was written is closed.
const QUIET: Duration = Duration::from_millis(25);
/// The same while a file is being written: a program that writes it in steps may pause between them.
const QUIET_WRITER: Duration = Duration::from_millis(100);
/// Maximum time from the first change until it is loaded.
const PATIENCE: Duration = Duration::from_millis(400);

enum Signal {
    Changed(Change),
    Reload,
    Stop,
}

/// A change that the system told of.
struct Change {
    paths: Vec<PathBuf>,
    /// A file is open and may be half written. The system tells when it is closed.
    is_writing: bool,
}

impl Change {
    /// The change of an event; `None` for events that change nothing.
    fn of(event: notify::Event) -> Option<Self> {
        let is_writing = match event.kind {
            EventKind::Access(AccessKind::Close(AccessMode::Write)) => false,
            EventKind::Access(_) => return None,
            EventKind::Create(CreateKind::File) | EventKind::Modify(ModifyKind::Data(_)) => true,
            _ => false,
        };
        Some(Self {
            paths: event.paths,
            is_writing,
        })
    }
}

/// Reloads the policy when its directory changes, until the watcher is dropped.
pub(crate) struct Watcher {
    signals: Sender<Signal>,
    thread: Option<JoinHandle<()>>,
}

impl Watcher {
    /// Starts to watch and to load on separate threads. A load in progress does not keep the watcher from being dropped.
    ///
    /// # Errors
    /// The system cannot create a thread.
    pub(crate) fn start(policies: Arc<Policies>) -> std::io::Result<Self> {
        let (signals, received) = mpsc::channel();
        let sender = signals.clone();
        // This state is older than the first reading, so that a change in between is noticed.
        let seen = policies.first_seen.clone();
        let loader = Loader::start(Arc::clone(&policies))?;
        let thread = thread::Builder::new()
            .name("policy-watch".to_owned())
            .spawn(move || watch(&policies, &sender, &received, (&loader, seen)))?;
        Ok(Self {
            signals,
            thread: Some(thread),
        })
    }

    /// Gives a function that does what [`Watcher::reload`] does.
    pub(crate) fn reloader(&self) -> impl Fn() + Send + 'static {
        let signals = self.signals.clone();
        move || {
            let _ = signals.send(Signal::Reload);
        }
    }

    /// Reads the policy again, changed or not, and logs the result. Does not wait for it.
    pub(crate) fn reload(&self) {
        let _ = self.signals.send(Signal::Reload);
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let _ = self.signals.send(Signal::Stop);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Loads policies on a thread of its own, one after the other.
struct Loader {
    wakes: SyncSender<()>,
    /// Whether an operator asked for the next load.
    requested: Arc<AtomicBool>,
}

impl Loader {
    fn start(policies: Arc<Policies>) -> std::io::Result<Self> {
        // One place: what changes during a load needs one more, however much it is.
        let (wakes, woken) = mpsc::sync_channel(1);
        let requested = Arc::new(AtomicBool::new(false));
        let asked = Arc::clone(&requested);
        thread::Builder::new()
            .name("policy-load".to_owned())
            .spawn(move || {
                while woken.recv().is_ok() {
                    if asked.swap(false, Ordering::AcqRel) {
                        policies.reload_on_request();
                    } else {
                        policies.reload();
                    }
                }
            })?;
        Ok(Self { wakes, requested })
    }

    /// Loads the policy once more; `requested`: an operator asked for it, and its result is logged in any case.
    fn wake(&self, requested: bool) {
        if requested {
            self.requested.store(true, Ordering::Release);
        }
        if let Err(TrySendError::Disconnected(())) = self.wakes.try_send(()) {
            tracing::error!("internal error: policies are no longer loaded; restart the proxy");
        }
    }
}

fn watch(
    policies: &Policies,
    sender: &Sender<Signal>,
    received: &Receiver<Signal>,
    (loader, mut seen): (&Loader, Fingerprint),
) {
    let directory = &policies.directory;
    let mut notifier = Notifier::start(directory, sender);
    loop {
        let (notified, requested) = match received.recv_timeout(PERIOD) {
            Ok(Signal::Stop) | Err(RecvTimeoutError::Disconnected) => return,
            Ok(Signal::Reload) => (true, true),
            Ok(Signal::Changed(change)) => match settle(change, received) {
                Settled::Quiet { requested } => (true, requested),
                Settled::Stop => return,
            },
            Err(RecvTimeoutError::Timeout) => (false, false),
        };
        if let Err(error) = policies.revocations().save() {
            tracing::debug!(error = error.to_string(), "revocations still not on disk");
        }
        if policies.mode.file_changed() {
            policies.look_at_mode();
        }
        let now = Fingerprint::of(directory);
        if notified || now != seen {
            // The fingerprint is older than the reading, so a change in between is noticed next time. Revocations come first, and
            // aside: the policy may take long to compile.
            policies.revoke_from_files();
            loader.wake(requested);
        }
        if now.identity != seen.identity || notifier.is_none() {
            notifier = Notifier::start(directory, sender);
        }
        seen = now;
    }
}

enum Settled {
    /// The changes have ended. During them, an operator may have requested a reload.
    Quiet {
        requested: bool,
    },
    Stop,
}

/// Waits for the end of a series of changes.
fn settle(change: Change, received: &Receiver<Signal>) -> Settled {
    let first = Instant::now();
    let mut requested = false;
    let mut writing = HashSet::new();
    note(change, &mut writing);
    while first.elapsed() < PATIENCE {
        match received.recv_timeout(quiet(&writing)) {
            Ok(Signal::Changed(change)) => note(change, &mut writing),
            Ok(Signal::Reload) => requested = true,
            Ok(Signal::Stop) | Err(RecvTimeoutError::Disconnected) => return Settled::Stop,
            Err(RecvTimeoutError::Timeout) => break,
        }
    }
    Settled::Quiet { requested }
}

/// The time without further changes that ends a series.
fn quiet(writing: &HashSet<PathBuf>) -> Duration {
    if writing.is_empty() { QUIET } else { QUIET_WRITER }
}

/// Notes which files are being written. A file that was closed, renamed or removed is not.
fn note(change: Change, writing: &mut HashSet<PathBuf>) {
    for path in change.paths {
        if change.is_writing {
            writing.insert(path);
        } else {
            writing.remove(&path);
        }
    }
}

/// The system's notifications for a directory, and for its parent if they name the directory: a watch is lost when its
/// directory is replaced.
struct Notifier(#[expect(dead_code, reason = "watches until it is dropped")] RecommendedWatcher);

impl Notifier {
    fn start(directory: &Path, sender: &Sender<Signal>) -> Option<Self> {
        let sender = sender.clone();
        let own = directory.to_owned();
        let name = directory.file_name().map(OsString::from);
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            let change = match event {
                Ok(event) => Change::of(event),
                // Events may have been lost.
                Err(_) => Some(Change {
                    paths: vec![own.clone()],
                    is_writing: false,
                }),
            };
            let concerns =
                |path: &PathBuf| path.starts_with(&own) || path.file_name().map(OsString::from) == name;
            if let Some(change) = change.filter(|change| change.paths.iter().any(concerns)) {
                let _ = sender.send(Signal::Changed(change));
            }
        });
        let mut watcher = watcher
            .inspect_err(|error| {
                tracing::warn!(
                    error = error.to_string(),
                    "no notifications of policy changes, checking periodically"
                );
            })
            .ok()?;
        watcher
            .watch(directory, RecursiveMode::Recursive)
            .inspect_err(|error| {
                tracing::debug!(
                    error = error.to_string(),
                    "policy directory not watched, checking periodically"
                );
            })
            .ok()?;
        if let Some(parent) = directory.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            let _ = watcher.watch(parent, RecursiveMode::NonRecursive);
        }
        Some(Self(watcher))
    }
}

#[cfg(test)]
mod tests {
    use notify::Event;
    use notify::event::{DataChange, RemoveKind, RenameMode};

    use super::*;

    fn change(kind: EventKind, path: &str) -> Option<Change> {
        Change::of(Event::new(kind).add_path(path.into()))
    }

    /// The time without further changes that ends this series.
    fn quiet_after(changes: &[(EventKind, &str)]) -> Duration {
        let mut writing = HashSet::new();
        for change in changes.iter().filter_map(|(kind, path)| change(*kind, path)) {
            note(change, &mut writing);
        }
        quiet(&writing)
    }

    #[test]
    fn a_file_that_is_still_written_is_waited_for() {
        let created = EventKind::Create(CreateKind::File);
        let written = EventKind::Modify(ModifyKind::Data(DataChange::Any));
        let closed = EventKind::Access(AccessKind::Close(AccessMode::Write));
        let renamed = EventKind::Modify(ModifyKind::Name(RenameMode::From));
        let removed = EventKind::Remove(RemoveKind::File);
        for writing in [
            &[(written, "a")][..],
            &[(created, "a"), (written, "a")],
            &[(written, "a"), (closed, "b")],
            &[(written, "a"), (closed, "a"), (written, "a")],
        ] {
            assert_eq!(quiet_after(writing), QUIET_WRITER, "{writing:?}");
        }
        for written in [
            &[(created, "a"), (written, "a"), (closed, "a")][..],
            &[(written, "a"), (renamed, "a")],
            &[(removed, "a")],
        ] {
            assert_eq!(quiet_after(written), QUIET, "{written:?}");
        }
    }

    #[test]
    fn a_series_of_changes_ends() {
        let written = EventKind::Modify(ModifyKind::Data(DataChange::Any));
        let (sender, received) = mpsc::channel();
        sender
            .send(Signal::Changed(change(written, "b").unwrap()))
            .unwrap();
        sender.send(Signal::Reload).unwrap();
        let first = change(written, "a").unwrap();
        assert!(matches!(
            settle(first, &received),
            Settled::Quiet { requested: true }
        ));
        sender.send(Signal::Stop).unwrap();
        let first = change(written, "a").unwrap();
        assert!(matches!(settle(first, &received), Settled::Stop));
    }

    #[test]
    fn opening_and_reading_a_file_changes_nothing() {
        for access in [
            AccessKind::Open(AccessMode::Any),
            AccessKind::Read,
            AccessKind::Close(AccessMode::Read),
        ] {
            assert!(change(EventKind::Access(access), "a").is_none(), "{access:?}");
        }
    }
}
