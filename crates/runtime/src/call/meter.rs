//! Progress of a request towards the upstream.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Progress of a request towards the upstream, visible to other tasks.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    bytes: AtomicU64,
    waits_for_client: AtomicBool,
}

impl Meter {
    /// Counts bytes that were handed to the upstream connection.
    pub(crate) fn add(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Notes whether the upstream waits for the client.
    pub(crate) fn set_waits_for_client(&self, waits: bool) {
        self.waits_for_client.store(waits, Ordering::Relaxed);
    }

    /// Gives the number of bytes handed to the upstream connection.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Whether the upstream waits for the client: it wants more of the body, which has not arrived.
    pub(crate) fn waits_for_client(&self) -> bool {
        self.waits_for_client.load(Ordering::Relaxed)
    }
}
