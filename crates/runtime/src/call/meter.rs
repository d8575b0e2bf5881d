//! Progress of a request towards the upstream: its body, and interim responses.

use std::future::poll_fn;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::task::Poll;

use futures_util::task::AtomicWaker;

use crate::wire::BodyError;

/// Maximum number of interim responses (1xx) to one request. They are dropped, and do not end the wait for
/// the response.
const INTERIMS: usize = 32;
/// Maximum number of bytes of these interim responses.
const INTERIM_BYTES: usize = 64 * 1024;

/// Progress of a request towards the upstream, visible to other tasks.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    bytes: AtomicU64,
    waits_for_client: AtomicBool,
    failed: OnceLock<BodyError>,
    interims: AtomicUsize,
    interim_bytes: AtomicUsize,
    interim_waker: AtomicWaker,
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

    /// Counts an interim response of this size.
    pub(crate) fn interim(&self, bytes: usize) {
        self.interims.fetch_add(1, Ordering::SeqCst);
        self.interim_bytes.fetch_add(bytes, Ordering::SeqCst);
        if self.is_flooded() {
            self.interim_waker.wake();
        }
    }

    fn is_flooded(&self) -> bool {
        self.interims.load(Ordering::SeqCst) > INTERIMS
            || self.interim_bytes.load(Ordering::SeqCst) > INTERIM_BYTES
    }

    /// Resolves when there were too many interim responses, or too large ones.
    pub(crate) async fn flooded(&self) {
        poll_fn(|cx| {
            self.interim_waker.register(cx.waker());
            if self.is_flooded() {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }

    /// Notes why the body ended early.
    pub(crate) fn fail(&self, error: BodyError) {
        let _ = self.failed.set(error);
    }

    /// Gives the number of bytes handed to the upstream connection.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Whether the upstream waits for the client: it wants more of the body, which has not arrived.
    pub(crate) fn waits_for_client(&self) -> bool {
        self.waits_for_client.load(Ordering::Relaxed)
    }

    /// Gives the reason why the body ended early, if it did.
    pub(crate) fn failure(&self) -> Option<BodyError> {
        self.failed.get().copied()
    }
}
