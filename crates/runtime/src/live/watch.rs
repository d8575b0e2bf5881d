//! Watches the policy directory for changes.
//!
//! Two threads: one watches and applies revocations, the other compiles. The system's notifications make reloads fast. A check of names, times and sizes every half second also covers
//! network file systems, lost notifications, and links that lead out of the watched directory.

use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender, SyncSender, TrySendError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};

use super::Policies;
use super::fingerprint::Fingerprint;

/// Interval of the periodic check.
const PERIOD: Duration = Duration::from_millis(500);
/// Time without further changes after which a change is loaded.
const QUIET: Duration = Duration::from_millis(100);
/// Maximum time from the first change until it is loaded.
const PATIENCE: Duration = Duration::from_millis(400);

enum Signal {
    Changed,
    Stop,
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
struct Loader(SyncSender<()>);

impl Loader {
    fn start(policies: Arc<Policies>) -> std::io::Result<Self> {
        // One place: what changes during a load needs one more, however much it is.
        let (wakes, woken) = mpsc::sync_channel(1);
        thread::Builder::new()
            .name("policy-load".to_owned())
            .spawn(move || {
                while woken.recv().is_ok() {
                    policies.reload();
                }
            })?;
        Ok(Self(wakes))
    }

    fn wake(&self) {
        if let Err(TrySendError::Disconnected(())) = self.0.try_send(()) {
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
        let notified = match received.recv_timeout(PERIOD) {
            Ok(Signal::Stop) | Err(RecvTimeoutError::Disconnected) => return,
            Ok(Signal::Changed) => match settle(received) {
                Settled::Quiet => true,
                Settled::Stop => return,
            },
            Err(RecvTimeoutError::Timeout) => false,
        };
        if let Err(error) = policies.revocations().save() {
            tracing::debug!("revocations are still not on disk: {error}");
        }
        if policies.mode.file_changed() {
            policies.look_at_mode();
        }
        let now = Fingerprint::of(directory);
        if notified || now != seen {
            // The fingerprint is older than the reading, so a change in between is noticed next time. Revocations come first, and
            // aside: the policy may take long to compile.
            policies.revoke_from_files();
            loader.wake();
        }
        if now.identity != seen.identity || notifier.is_none() {
            notifier = Notifier::start(directory, sender);
        }
        seen = now;
    }
}

enum Settled {
    Quiet,
    Stop,
}

/// Waits for the end of a series of changes.
fn settle(received: &Receiver<Signal>) -> Settled {
    let first = Instant::now();
    while first.elapsed() < PATIENCE {
        match received.recv_timeout(QUIET) {
            Ok(Signal::Changed) => {}
            Ok(Signal::Stop) | Err(RecvTimeoutError::Disconnected) => return Settled::Stop,
            Err(RecvTimeoutError::Timeout) => break,
        }
    }
    Settled::Quiet
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
            let concerns = event.map_or(true, |event| {
                !matches!(event.kind, EventKind::Access(_))
                    && event
                        .paths
                        .iter()
                        .any(|path| path.starts_with(&own) || path.file_name().map(OsString::from) == name)
            });
            if concerns {
                let _ = sender.send(Signal::Changed);
            }
        });
        let mut watcher = watcher
            .inspect_err(|error| tracing::warn!("no notifications of policy changes: {error}"))
            .ok()?;
        watcher
            .watch(directory, RecursiveMode::Recursive)
            .inspect_err(|error| tracing::debug!("the policy directory is not watched: {error}"))
            .ok()?;
        if let Some(parent) = directory.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            let _ = watcher.watch(parent, RecursiveMode::NonRecursive);
        }
        Some(Self(watcher))
    }
}
