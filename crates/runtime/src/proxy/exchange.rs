//! One request to the upstream and its response, on one connection, in the task of the call.
//!
//! The request's body is sent as long as the upstream takes it, also while the response arrives. Whoever does not wait
//! for the response polls [`Exchange::poll_send`] meanwhile: an upstream may want all of the request first.

use std::io;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use tokenward_pdp::wire::BodyError;
use tokenward_pdp::wire::encode::BodyEncoder;
use tokenward_pdp::wire::response::{BodyReader, HeadReader, ResponseHead};
use tokio::time::Instant;

use super::body::RequestBody;
use super::pool::{Connection, Pool};

/// Maximum size of a response's head.
const HEAD_BYTES: usize = 64 * 1024;
/// Maximum number of interim responses (1xx) to one request, …
const INTERIMS: usize = 32;
/// … and of their bytes. They are dropped, and they do not end the wait for the response.
const INTERIM_BYTES: usize = 64 * 1024;

/// A request on its way, or its response.
#[derive(Debug)]
pub(crate) struct Exchange {
    /// The connection; `None` once the response is complete or broken.
    connection: Option<Box<Connection>>,
    /// The pool that the connection returns to.
    pool: Pool,
    body: RequestBody,
    encoder: BodyEncoder,
    /// How much of the request is sent.
    sending: Sending,
    to_head: bool,
    heads: HeadReader,
    /// Number of interim responses, and of their bytes.
    interims: (usize, usize),
    response: BodyReader,
    persists: bool,
    stall: Stall,
}

#[derive(Debug, PartialEq, Eq)]
enum Sending {
    /// Parts of the body are missing.
    Body,
    /// All is in the connection's output.
    Encoded,
    /// All is written.
    Done,
    /// The upstream takes no more, but it may still respond.
    Refused,
}

/// The time since which no byte has moved.
#[derive(Debug)]
struct Stall {
    limit: Duration,
    moved: u64,
    since: Instant,
}

/// The response ended early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Broken {
    /// The connection failed.
    #[error(transparent)]
    Connection(#[from] io::Error),
    /// The upstream closed the connection before the end.
    #[error("connection closed before message completed")]
    Closed,
    /// The response is malformed.
    #[error(transparent)]
    Malformed(#[from] tokenward_pdp::wire::response::BadResponse),
    /// The request's body failed.
    #[error(transparent)]
    Body(BodyError),
}

/// There is no response.
#[derive(Debug)]
pub(super) enum Unanswered {
    /// The connection or the request's body broke, or the response is malformed.
    Broken(Broken),
    /// No response came in time.
    Timeout,
    /// Too many interim responses came, or too large ones.
    Interims,
}

impl From<Broken> for Unanswered {
    fn from(broken: Broken) -> Self {
        Self::Broken(broken)
    }
}

impl Exchange {
    /// Begins an exchange on a connection whose output has the request's head. `to_head`: the request is a HEAD.
    pub(super) fn begin(
        connection: Box<Connection>,
        pool: Pool,
        body: RequestBody,
        to_head: bool,
        limit: Duration,
    ) -> Self {
        let encoder = match body.length() {
            Some(length) => BodyEncoder::Length(length),
            None => BodyEncoder::Chunked,
        };
        Self {
            connection: Some(connection),
            pool,
            body,
            encoder,
            sending: Sending::Body,
            to_head,
            heads: HeadReader::default(),
            interims: (0, 0),
            response: BodyReader::Length(0),
            persists: false,
            stall: Stall {
                limit,
                moved: 0,
                since: Instant::now(),
            },
        }
    }

    /// Ready with the head of the response. Interim responses are dropped.
    ///
    /// # Errors
    /// There is no response, or none in time.
    pub(super) fn poll_head(&mut self, cx: &mut Context<'_>) -> Poll<Result<ResponseHead, Unanswered>> {
        let polled = self.poll_response(cx);
        if polled.is_ready() {
            return polled;
        }
        ready!(self.poll_stall(cx));
        Poll::Ready(Err(Unanswered::Timeout))
    }

    fn poll_response(&mut self, cx: &mut Context<'_>) -> Poll<Result<ResponseHead, Unanswered>> {
        self.send(cx)?;
        let Some(connection) = &mut self.connection else {
            return Poll::Ready(Err(Broken::Closed.into()));
        };
        loop {
            let arrived = connection.input.len();
            let head = self
                .heads
                .next(&mut connection.input, self.to_head, HEAD_BYTES)
                .map_err(Broken::Malformed)?;
            match head {
                // A switch of protocols is no interim response; the caller refuses it.
                Some(head) if head.status.is_informational() && head.status.as_u16() != 101 => {
                    self.interims.0 += 1;
                    self.interims.1 += arrived - connection.input.len();
                    if self.interims.0 > INTERIMS || self.interims.1 > INTERIM_BYTES {
                        return Poll::Ready(Err(Unanswered::Interims));
                    }
                }
                Some(mut head) => {
                    self.persists = head.persists && !head.status.is_informational();
                    self.response = std::mem::replace(&mut head.body, BodyReader::Ended);
                    if self.response.is_complete() {
                        self.finish();
                    }
                    return Poll::Ready(Ok(head));
                }
                None => match ready!(connection.poll_read(cx)) {
                    Ok(1..) => {}
                    Ok(0) => return Poll::Ready(Err(Broken::Closed.into())),
                    Err(error) => return Poll::Ready(Err(Broken::Connection(error).into())),
                },
            }
        }
    }

    /// Whether the response is complete.
    pub(crate) fn is_complete(&self) -> bool {
        self.response.is_complete()
    }

    /// Number of missing bytes of the response's body, if it is known.
    pub(crate) fn length(&self) -> Option<u64> {
        self.response.length()
    }

    /// Gives the next data of the response's body; `None` at its end. The connection is ready for the next call as soon as
    /// the last data is taken.
    ///
    /// # Errors
    /// The response ended early.
    pub(crate) fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Broken>>> {
        let polled = self.poll_part(cx);
        match &polled {
            Poll::Ready(Some(Ok(_))) if !self.response.is_complete() => {}
            Poll::Ready(Some(Err(_))) => self.connection = None,
            Poll::Ready(_) => self.finish(),
            Poll::Pending => {}
        }
        polled
    }

    fn poll_part(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Broken>>> {
        self.send(cx)?;
        loop {
            if self.response.is_complete() {
                return Poll::Ready(None);
            }
            let Some(connection) = &mut self.connection else {
                return Poll::Ready(Some(Err(Broken::Closed)));
            };
            if let Some(data) = self.response.next(&mut connection.input)? {
                return Poll::Ready(Some(Ok(data)));
            }
            if self.response.is_complete() {
                continue;
            }
            match ready!(connection.poll_read(cx))? {
                1.. => {}
                0 if self.response.is_until_close() => {
                    self.persists = false;
                    self.response = BodyReader::Ended;
                }
                0 => return Poll::Ready(Some(Err(Broken::Closed))),
            }
        }
    }

    /// Sends more of the request, as far as the upstream takes it. Pending while some is left, or if there is none.
    ///
    /// # Errors
    /// The request's body failed, so the upstream must not take it for complete.
    pub(crate) fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<Broken> {
        match self.send(cx) {
            Ok(()) => Poll::Pending,
            Err(broken) => Poll::Ready(broken),
        }
    }

    fn send(&mut self, cx: &mut Context<'_>) -> Result<(), Broken> {
        let Some(connection) = &mut self.connection else {
            return Ok(());
        };
        while matches!(self.sending, Sending::Body | Sending::Encoded) {
            if self.sending == Sending::Body {
                match encode(&mut self.body, &mut self.encoder, connection, cx) {
                    Ok(sending) => self.sending = sending,
                    Err(broken) => {
                        self.connection = None;
                        return Err(broken);
                    }
                }
            }
            let waits = connection.output.is_empty() && self.sending == Sending::Body;
            match connection.poll_write(cx) {
                Poll::Ready(Ok(())) if waits => return Ok(()),
                Poll::Ready(Ok(())) if self.sending == Sending::Encoded => self.sending = Sending::Done,
                Poll::Ready(Ok(())) => {}
                // An upstream may respond, and close its side before it has read all.
                Poll::Ready(Err(_)) => self.sending = Sending::Refused,
                Poll::Pending => return Ok(()),
            }
        }
        Ok(())
    }

    /// Gives the connection back, if the next call can use it.
    fn finish(&mut self) {
        let connection = self.connection.take();
        if let Some(connection) = connection
            && self.persists
            && self.sending == Sending::Done
            && connection.input.is_empty()
        {
            self.pool.give_back(connection);
        }
    }

    /// Ready when no byte has moved between client and upstream for the limit, and the upstream is the one to act.
    fn poll_stall(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(connection) = &mut self.connection else {
            return Poll::Pending;
        };
        let meter = self.body.meter();
        let stall = &mut self.stall;
        loop {
            ready!(connection.poll_timer(cx, stall.since + stall.limit));
            let bytes = meter.map_or(0, |meter| meter.bytes());
            if bytes == stall.moved && !meter.is_some_and(|meter| meter.waits_for_client()) {
                return Poll::Ready(());
            }
            stall.moved = bytes;
            stall.since = Instant::now();
        }
    }
}

/// Moves parts of the body to the output, as long as there is room.
fn encode(
    body: &mut RequestBody,
    encoder: &mut BodyEncoder,
    connection: &mut Connection,
    cx: &mut Context<'_>,
) -> Result<Sending, Broken> {
    let output = &mut connection.output;
    while output.has_room() {
        let Poll::Ready(data) = body.poll_next(cx) else {
            return Ok(Sending::Body);
        };
        match data {
            Some(Ok(data)) => {
                let framed = encoder.frame(data, output.buffer());
                output.push(framed);
            }
            Some(Err(error)) => return Err(Broken::Body(error)),
            None => {
                encoder
                    .end(output.buffer())
                    .map_err(|_| Broken::Body(BodyError::Gone))?;
                return Ok(Sending::Encoded);
            }
        }
    }
    Ok(Sending::Body)
}
