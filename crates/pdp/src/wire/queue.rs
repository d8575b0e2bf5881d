//! The bounded queue between the reader of a body and its consumer: back-pressure in both directions.
//!
//! The consumer may run in another task (that of a call to the upstream), so both sides share a mutex, which is held only
//! while pointers move.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;

use super::Violation;
use super::pieces::Pieces;

/// Past so many bytes the reader stops reading from the client.
pub(crate) const CAPACITY: usize = 64 * 1024;

/// Why a body is not complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// The body's bytes break the grammar.
    #[error("the request body is malformed ({})", .0.code())]
    Broken(Violation),
    /// The client closed the connection before its end.
    #[error("the client closed the connection within the request body")]
    Gone,
    /// The client sent nothing for too long.
    #[error("the client paused too long within the request body")]
    Slow,
    /// The client sent less than the slowest rate that is borne.
    #[error("the request body arrives too slowly")]
    TooSlow,
    /// The body has more bytes than this limit.
    #[error("the request body has more than {0} bytes")]
    TooLarge(u64),
    /// The process keeps too many bodies in memory.
    #[error("the proxy holds too many request bodies in memory")]
    Unaffordable,
    /// The request was answered before its end.
    #[error("the request was answered before its body was read")]
    Abandoned,
}

#[derive(Debug, Default)]
struct Inner {
    pieces: Pieces,
    end: Option<Result<(), BodyError>>,
    taker_gone: bool,
    reader: Option<Waker>,
    taker: Option<Waker>,
}

/// The reader's side. Dropped before it ended the body, it ends it as [`BodyError::Gone`].
#[derive(Debug)]
pub struct BodyFeed(Arc<Mutex<Inner>>);

/// The taker's side; `None` for a body that is complete and empty. When it is dropped, the reader learns that nobody
/// wants the rest.
#[derive(Debug)]
pub struct BodyStream(Option<Arc<Mutex<Inner>>>);

/// Whether the reader may go on.
#[derive(Debug, PartialEq, Eq)]
pub enum Room {
    /// The queue has room.
    Free,
    /// The queue is full; the reader is woken when there is room.
    Full,
    /// Nobody wants the body; the reader may drop its bytes.
    Unwanted,
}

/// A new queue for one body.
pub fn body_queue() -> (BodyFeed, BodyStream) {
    let inner = Arc::new(Mutex::new(Inner::default()));
    (BodyFeed(Arc::clone(&inner)), BodyStream(Some(inner)))
}

fn lock(inner: &Mutex<Inner>) -> MutexGuard<'_, Inner> {
    // A panic elsewhere leaves the queue's state whole: every change is a single statement.
    inner.lock().unwrap_or_else(PoisonError::into_inner)
}

impl BodyFeed {
    /// Whether there is room; if not, the task is woken when there is.
    pub fn room(&self, cx: &mut Context<'_>) -> Room {
        let mut inner = lock(&self.0);
        if inner.taker_gone {
            Room::Unwanted
        } else if inner.pieces.len() < CAPACITY {
            Room::Free
        } else {
            inner.reader = Some(cx.waker().clone());
            Room::Full
        }
    }

    /// Adds some of the body.
    pub fn push(&self, data: Bytes) {
        let mut inner = lock(&self.0);
        if !inner.taker_gone && inner.end.is_none() {
            inner.pieces.push(data);
            wake(inner.taker.take());
        }
    }

    /// Ends the body; the first end counts.
    pub fn end(&self, end: Result<(), BodyError>) {
        let mut inner = lock(&self.0);
        inner.end.get_or_insert(end);
        wake(inner.taker.take());
    }
}

impl Drop for BodyFeed {
    fn drop(&mut self) {
        self.end(Err(BodyError::Gone));
    }
}

impl BodyStream {
    /// A body that is complete and empty.
    pub fn empty() -> Self {
        Self(None)
    }

    /// The next of the body; `None` at its end.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BodyError>>> {
        let Some(inner) = &self.0 else {
            return Poll::Ready(None);
        };
        let mut inner = lock(inner);
        // An abandoned body ends immediately, even if the queue still has bytes.
        if inner.end == Some(Err(BodyError::Abandoned)) {
            return Poll::Ready(Some(Err(BodyError::Abandoned)));
        }
        if let Some(data) = inner.pieces.pop() {
            if inner.pieces.len() < CAPACITY {
                wake(inner.reader.take());
            }
            return Poll::Ready(Some(Ok(data)));
        }
        match inner.end {
            Some(Ok(())) => Poll::Ready(None),
            Some(Err(error)) => Poll::Ready(Some(Err(error))),
            None => {
                inner.taker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    /// Whether the end is there and all before it was taken.
    pub fn is_complete(&self) -> bool {
        self.0.as_ref().is_none_or(|inner| {
            let inner = lock(inner);
            inner.pieces.is_empty() && inner.end == Some(Ok(()))
        })
    }
}

impl Drop for BodyStream {
    fn drop(&mut self) {
        if let Some(inner) = &self.0 {
            let mut inner = lock(inner);
            inner.taker_gone = true;
            inner.pieces.clear();
            wake(inner.reader.take());
        }
    }
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}
