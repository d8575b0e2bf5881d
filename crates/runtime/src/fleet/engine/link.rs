//! The thread that keeps sessions with the engine.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tokenward_engine::{Engine, EngineError};
use tokio::sync::watch;

use super::part::Part;
use super::pending::Pending;
use super::session::Follow;
use super::settings::connect;
use super::told::Told;
use crate::fleet::member::Fleet;
use crate::live::Revocations;

/// Pause after a session that failed.
const PAUSE: Duration = Duration::from_millis(200);
/// Interval at which staleness is looked at.
const LOOK: Duration = Duration::from_millis(200);
/// Interval at which staleness is reported again.
const REMINDER: Duration = Duration::from_secs(60);

/// Keeps sessions with the engine until it is dropped.
pub(crate) struct Link {
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

impl Link {
    /// Starts, if the fleet has an engine. `look` makes the follower of manifests look.
    ///
    /// # Errors
    /// The system cannot create a thread.
    pub(crate) fn start(
        fleet: &Arc<Fleet>,
        revocations: Arc<Revocations>,
        pending: Pending,
        look: impl Fn() + Send + Sync + 'static,
    ) -> io::Result<Option<Self>> {
        let Some(part) = fleet.engine() else {
            return Ok(None);
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let (stop, stopped) = watch::channel(false);
        let follow = Follow {
            fleet: Arc::clone(fleet),
            part: Arc::clone(&part),
            revocations,
            pending,
            look: Arc::new(look),
            told: Told::new(),
            nonces: VecDeque::new(),
        };
        let thread = thread::Builder::new()
            .name("fleet-engine".to_owned())
            .spawn(move || {
                runtime.block_on(async move {
                    let reporting = tokio::spawn(report(Arc::clone(&part), Arc::clone(&follow.revocations)));
                    run(follow, stopped).await;
                    reporting.abort();
                });
            })?;
        Ok(Some(Self {
            stop,
            thread: Some(thread),
        }))
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn run(mut follow: Follow, mut stopped: watch::Receiver<bool>) {
    let mut engine = None;
    loop {
        tokio::select! {
            _ = stopped.changed() => return,
            () = attempt(&mut follow, &mut engine) => {}
        }
        tokio::select! {
            _ = stopped.changed() => return,
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
}

/// Connects if need be, and follows until something fails.
async fn attempt(follow: &mut Follow, engine: &mut Option<Engine>) {
    let part = Arc::clone(&follow.part);
    let result = async {
        let connected = match engine.take() {
            Some(connected) => connected,
            None => connect(&part.fleet, &part.settings).await?,
        };
        let connected = engine.insert(connected);
        connected.connected().await?;
        follow.session(connected).await
    };
    let error = match result.await {
        Ok(never) => match never {},
        Err(error) => error,
    };
    if let (EngineError::Silent { .. }, Some(engine)) = (&error, &engine) {
        engine.leave_server().await;
    }
    let text = error.to_string();
    if part.fresh.fail(&text) {
        tracing::warn!(error = text, "the fleet's stream is not followed; trying again");
    }
}

/// Logs when the proxy becomes stale or fresh, and each minute while it serves although it is stale.
async fn report(part: Arc<Part>, revocations: Arc<Revocations>) {
    let mut was_stale = false;
    let mut said: Option<Instant> = None;
    loop {
        tokio::time::sleep(LOOK).await;
        let fresh = &part.fresh;
        let (is_stale, refuses) = (fresh.is_stale(), fresh.refuses());
        // Responses in progress end, too.
        revocations.set_stale(refuses);
        let is_due = said.is_none_or(|said| said.elapsed() >= REMINDER);
        if is_stale && refuses && !was_stale {
            tracing::error!(
                "stale: no proof within [fleet] max_staleness that all revocations are known; calls are refused"
            );
        } else if is_stale && !refuses && is_due {
            tracing::error!(
                on_stale = "serve",
                "stale: revocations may be unknown; calls are still served, as [fleet] on_stale says"
            );
            said = Some(Instant::now());
        } else if !is_stale && was_stale {
            tracing::info!("fresh again; calls are served");
        }
        was_stale = is_stale;
    }
}
