//! Follows the source of a fleet on a thread of its own: by notifications, and at an interval.

use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use tokenward_audit::Store;

use super::clocks::now_ms;
use super::member::Fleet;

/// Interval at which an expired manifest is reported.
const REMINDER: Duration = Duration::from_secs(60);
/// Longest wait, so that expiry is reported soon after it comes.
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// Time without further changes that ends a series of them.
const QUIET: Duration = Duration::from_millis(25);
/// Longest wait for the end of a series.
const PATIENCE: Duration = Duration::from_millis(400);
/// Interval at which the mark is repeated in the audit, also at each beginning of a day.
const RESTATED: Duration = Duration::from_secs(3_600);
const DAY_MS: i64 = 86_400_000;

enum Signal {
    Changed,
    Stop,
}

/// Follows the source until it is dropped.
pub(crate) struct Follower {
    fleet: Arc<Fleet>,
    signals: Sender<Signal>,
    thread: Option<JoinHandle<()>>,
}

impl Follower {
    /// Starts to follow. `reload` loads the policy again.
    ///
    /// # Errors
    /// The system cannot create a thread.
    pub(crate) fn start(
        fleet: Arc<Fleet>,
        audit: Store,
        reload: impl Fn() + Send + 'static,
    ) -> std::io::Result<Self> {
        let (signals, received) = mpsc::channel();
        let (sender, followed) = (signals.clone(), Arc::clone(&fleet));
        let thread = thread::Builder::new().name("fleet".to_owned()).spawn(move || {
            let mut notifier = notifier(&fleet, &sender);
            let poll = fleet.settings().poll;
            // The start has not waited for a server.
            if fleet.is_remote() {
                fleet.look(&audit, &reload);
            }
            let (mut looked, mut reminded) = (Instant::now(), None);
            let (mut stated, mut day) = (Instant::now(), now_ms().div_euclid(DAY_MS));
            loop {
                let is_changed = match received.recv_timeout(poll.min(LONGEST_WAIT)) {
                    Ok(Signal::Stop) | Err(RecvTimeoutError::Disconnected) => return,
                    Ok(Signal::Changed) => match settle(&received) {
                        Settled::Quiet => true,
                        Settled::Stop => return,
                    },
                    Err(RecvTimeoutError::Timeout) => false,
                };
                if is_changed || looked.elapsed() >= poll {
                    fleet.look(&audit, &reload);
                    looked = Instant::now();
                    if notifier.is_none() {
                        notifier = self::notifier(&fleet, &sender);
                    }
                }
                remind(&fleet, &audit, &mut reminded);
                let today = now_ms().div_euclid(DAY_MS);
                if today != day || stated.elapsed() >= RESTATED {
                    fleet.state_again(&audit);
                    (stated, day) = (Instant::now(), today);
                }
            }
        })?;
        Ok(Self {
            fleet: followed,
            signals,
            thread: Some(thread),
        })
    }
}

impl Follower {
    /// Makes the follower look at once, as if the source had changed.
    pub(crate) fn nudge(&self) -> impl Fn() + Send + Sync + 'static {
        let signals = self.signals.clone();
        move || {
            let _ = signals.send(Signal::Changed);
        }
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        let _ = self.signals.send(Signal::Stop);
        self.fleet.stop_reading();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

enum Settled {
    Quiet,
    Stop,
}

/// Waits for the end of a series of changes, but not for long.
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

/// Logs that the manifest has expired, each minute.
fn remind(fleet: &Fleet, audit: &Store, reminded: &mut Option<Instant>) {
    if !fleet.has_expired() {
        *reminded = None;
        return;
    }
    if reminded.is_some_and(|at| at.elapsed() < REMINDER) {
        return;
    }
    // The chain has a time after the end, so that a clock that is set back makes no later start forget it.
    if reminded.is_none() {
        fleet.state_again(audit);
    }
    *reminded = Some(Instant::now());
    let version = fleet.status().version;
    // More than seconds only if a clock was wrong, then or now.
    let clock_behind_s = fleet.clock_behind().as_secs();
    if fleet.refuses() {
        tracing::error!(
            version,
            clock_behind_s,
            reason = "fleet-stale",
            "the fleet's manifest has expired; refusing all calls until it is published again"
        );
    } else {
        tracing::warn!(
            version,
            clock_behind_s,
            on_expired = "serve",
            "the fleet's manifest has expired; calls are still served, as [fleet] on_expired says"
        );
    }
}

/// Notifications of the source, if it is a directory; `None`: the interval alone is used, and the next look tries again.
fn notifier(fleet: &Fleet, sender: &Sender<Signal>) -> Option<RecommendedWatcher> {
    let directory = fleet.settings().source.directory()?;
    let sender = sender.clone();
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        if event.map_or(true, |event| !event.kind.is_access()) {
            let _ = sender.send(Signal::Changed);
        }
    })
    .ok()?;
    watcher.watch(directory, RecursiveMode::NonRecursive).ok()?;
    Some(watcher)
}
