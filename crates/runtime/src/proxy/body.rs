//! The client's body on its way upstream: read ahead before the call, then streamed under back-pressure.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use tokenward_pdp::request::Framing;
use tokenward_pdp::wire::pieces::Pieces;
use tokenward_pdp::wire::{BodyError, BodyStream};
use tokio::time::{Instant, Sleep, sleep};

use super::budget::Share;
use crate::call::meter::Meter;

/// Number of bytes of a body that are read before the upstream is contacted.
pub(crate) const READ_AHEAD: usize = 64 * 1024;

/// The minimum pace and the maximum size of a body.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BodyPace {
    /// Maximum pause within the body. It is also the total time to wait, in addition to the time that `rate` allows.
    pub(crate) pause: Duration,
    /// Minimum number of bytes per second while the proxy waits for the client; 0 for none.
    pub(crate) rate: u32,
    /// Maximum number of bytes.
    pub(crate) most: u64,
}

impl BodyPace {
    /// Gives the total time for which the client may be waited for, after this number of bytes.
    fn grants(self, bytes: u64) -> Option<Duration> {
        let seconds = bytes.checked_div(u64::from(self.rate))?;
        Some(self.pause.saturating_add(Duration::from_secs(seconds)))
    }
}

/// A request's body. It fails and does not end early, so that the upstream never takes a part for the whole.
#[derive(Debug)]
pub(crate) struct RequestBody {
    ahead: Pieces,
    /// The part of the process's budget that the bytes in `ahead` use.
    share: Option<Share>,
    stream: BodyStream,
    ended: bool,
    left: Option<u64>,
    pace: BodyPace,
    /// Number of bytes that the client has sent.
    arrived: u64,
    /// Total time of completed waits for the client.
    waited: Duration,
    /// Start of the current wait, and its timer.
    wait: Option<(Instant, Pin<Box<Sleep>>)>,
    /// `None` if the body is empty, so that nothing is ever sent.
    meter: Option<Arc<Meter>>,
}

impl RequestBody {
    /// Makes the body that arrives in `stream`, with this framing and minimum pace.
    pub(crate) fn new(stream: BodyStream, framing: Framing, pace: BodyPace) -> Self {
        let is_empty = stream.is_complete();
        Self {
            ahead: Pieces::default(),
            share: None,
            ended: is_empty,
            stream,
            left: match framing {
                Framing::None => Some(0),
                Framing::Length(length) => Some(length),
                Framing::Chunked => None,
            },
            pace,
            arrived: 0,
            waited: Duration::ZERO,
            wait: None,
            meter: (!is_empty).then(Arc::default),
        }
    }

    /// Counts the bytes that are read ahead within a budget.
    pub(crate) fn within(self, share: Share) -> Self {
        Self {
            share: Some(share),
            ..self
        }
    }

    /// Gives the meter of the bytes sent upstream; `None` if there are none.
    pub(crate) fn meter(&self) -> Option<&Arc<Meter>> {
        self.meter.as_ref()
    }

    /// Gives the length of the unsent rest, if known.
    pub(crate) fn length(&self) -> Option<u64> {
        if self.ended {
            Some(self.ahead.len() as u64)
        } else {
            self.left
        }
    }

    /// Reads until `bytes` have arrived, or to the end; gives `true` if that is the complete body.
    ///
    /// # Errors
    /// The body ends early or is malformed within these bytes, or the budget has no room for them.
    pub(crate) async fn read_ahead(&mut self, bytes: usize) -> Result<bool, BodyError> {
        while !self.ended && self.ahead.len() < bytes {
            match poll_fn(|cx| self.poll_stream(cx)).await {
                Some(Ok(data)) => {
                    let length = self.ahead.len() + data.len();
                    if let Some(share) = &mut self.share {
                        share.cover(length).map_err(|_| BodyError::Unaffordable)?;
                    }
                    self.ahead.push(data);
                }
                Some(Err(error)) => return Err(error),
                None => self.ended = true,
            }
        }
        Ok(self.ended)
    }

    /// Gives the bytes that were read ahead, in one piece.
    pub(crate) fn ahead(&mut self) -> Bytes {
        self.ahead.join()
    }

    /// Gives the number of bytes that were read ahead.
    pub(crate) fn ahead_len(&self) -> usize {
        self.ahead.len()
    }

    /// Gives the next part of the stream. Fails if the client pauses for too long, or sends too little in the time that
    /// it was waited for. Time in which the upstream accepts nothing does not count.
    fn poll_stream(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BodyError>>> {
        if let Poll::Ready(next) = self.stream.poll_next(cx) {
            if let Some((since, _)) = self.wait.take() {
                self.waited += since.elapsed();
            }
            if let Some(Ok(data)) = &next {
                self.arrived += data.len() as u64;
                if self.arrived > self.pace.most {
                    return Poll::Ready(Some(Err(BodyError::TooLarge(self.pace.most))));
                }
            }
            return Poll::Ready(next);
        }
        let granted = self.pace.grants(self.arrived);
        let left = granted.map_or(Duration::MAX, |granted| granted.saturating_sub(self.waited));
        let pause = self.pace.pause;
        let (_, timer) = self
            .wait
            .get_or_insert_with(|| (Instant::now(), Box::pin(sleep(left.min(pause)))));
        ready!(timer.as_mut().poll(cx));
        Poll::Ready(Some(Err(if left < pause {
            BodyError::TooSlow
        } else {
            BodyError::Slow
        })))
    }

    /// Gives the next part of the body on its way upstream; `None` at its end.
    ///
    /// # Errors
    /// The body ended early. It must not be polled again, so that the upstream never takes a part for the whole.
    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BodyError>>> {
        let data = if let Some(data) = self.ahead.pop() {
            if self.ahead.is_empty() {
                self.share = None;
            }
            data
        } else if self.ended {
            return Poll::Ready(None);
        } else {
            let polled = self.poll_stream(cx);
            if let Some(meter) = &self.meter {
                meter.set_waits_for_client(polled.is_pending());
            }
            match ready!(polled) {
                Some(Ok(data)) => data,
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => {
                    self.ended = true;
                    return Poll::Ready(None);
                }
            }
        };
        if let Some(left) = &mut self.left {
            *left = left.saturating_sub(data.len() as u64);
        }
        if let Some(meter) = &self.meter {
            meter.add(data.len());
        }
        Poll::Ready(Some(Ok(data)))
    }
}

#[cfg(test)]
mod tests;
