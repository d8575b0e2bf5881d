//! Progress of a request's body towards the upstream.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::wire::BodyError;

/// Progress of a request's body towards the upstream, visible to other tasks.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    bytes: AtomicU64,
    waits_for_client: AtomicBool,
    failed: OnceLock<BodyError>,
}

impl Meter {
    /// Counts bytes that were handed to the upstream connection.
    pub(crate) fn add(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Notes whether the client is the one to act.
    pub(crate) fn set_waits_for_client(&self, waits: bool) {
        self.waits_for_client.store(waits, Ordering::Relaxed);
    }

    /// Notes why the body ended early.
    pub(crate) fn fail(&self, error: BodyError) {
        let _ = self.failed.set(error);
    }

    /// Gives the number of bytes handed to the upstream connection.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Whether the client is the one to act: more of the body is wanted and has not arrived.
    pub(crate) fn waits_for_client(&self) -> bool {
        self.waits_for_client.load(Ordering::Relaxed)
    }

    /// Gives the reason why the body ended early, if it did.
    pub(crate) fn failure(&self) -> Option<BodyError> {
        self.failed.get().copied()
    }
}
