//! One client's connection: reading, writing and waiting.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokenward_pdp::wire::parse::{Event, Parser};
use tokenward_pdp::wire::queue::{BodyFeed, Room, body_queue};
use tokenward_pdp::wire::{BodyError, BodyStream, Violation, WireHead};
use tokio::io::{AsyncReadExt, AsyncWrite};
use tokio::time::timeout;

use super::deadline::{Deadlines, Wait};
use super::settings::Http1Settings;
use crate::proxy::Output;
use crate::serve::reader_pace::ReaderPace;
use crate::serve::stream::Stream;

/// Size of the read buffer.
const READ_BYTES: usize = 16 * 1024;
/// Minimum free space of the read buffer; with less, more is reserved.
const LEAST_ROOM: usize = 4 * 1024;
/// Time for which the rest of a body that was answered early is read and dropped before the connection is closed.
/// Closing with unread bytes is a reset, which can lose the response for the client (RFC 9112 section 9.6).
const LINGER: Duration = Duration::from_secs(10);
/// A client that sends nothing for this time while lingering has the response, or will never get it.
const LINGER_PAUSE: Duration = Duration::from_secs(2);
/// Interval at which the proxy checks for a client's close while it reads nothing.
const LOOK: Duration = Duration::from_secs(1);
/// The interim response that asks for the body.
const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// A connection that is open.
pub(super) struct Connection {
    stream: Stream,
    settings: Http1Settings,
    parser: Parser,
    pub(super) output: Output,
    deadlines: Deadlines,
    pace: ReaderPace,
    /// The client read a response too slowly.
    too_slow: bool,
    /// The body in transit, while it may be wanted.
    feed: Option<BodyFeed>,
    /// Whether a head has been read.
    served: bool,
    /// The client will send nothing more.
    ended: bool,
    /// Whether a part of a response is not written yet.
    pub(super) answering: bool,
}

/// The next input of a client without a request in progress.
pub(super) enum Next {
    /// The head of a request.
    Head(WireHead),
    /// Bytes that are not a request.
    Broken(Violation),
    /// Nothing; the connection is to be closed.
    End,
}

/// The client is gone, or accepts no bytes. A part of a response may have been sent.
#[derive(Debug)]
pub(super) struct Lost;

impl Connection {
    /// Makes a connection in front of its first request.
    pub(super) fn new(stream: Stream, settings: Http1Settings) -> Self {
        Self {
            stream,
            settings,
            parser: Parser::new(settings.head),
            output: Output::default(),
            deadlines: Deadlines::default(),
            pace: ReaderPace::new(settings.reading),
            too_slow: false,
            feed: None,
            served: false,
            ended: false,
            answering: false,
        }
    }

    /// The next head, unless none comes in time or before the proxy stops.
    pub(super) async fn next(&mut self, mut stop: Pin<&mut impl Future<Output = ()>>) -> Next {
        self.deadlines.clear_reading();
        let next = poll_fn(|cx| match self.poll_next(cx) {
            Poll::Pending => stop.as_mut().poll(cx).map(|()| Next::End),
            next => next,
        });
        let next = next.await;
        self.deadlines.clear_reading();
        self.served = true;
        next
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Next> {
        while !self.ended {
            match self.parser.next() {
                Ok(Some(Event::Head(head))) => return Poll::Ready(Next::Head(head)),
                Ok(Some(Event::Data(_) | Event::End)) => {}
                Ok(None) => match self.poll_read(cx) {
                    Poll::Ready(Ok(1..)) => {}
                    Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(Next::End),
                    Poll::Pending => return self.poll_late(cx),
                },
                Err(violation) => return Poll::Ready(Next::Broken(violation)),
            }
        }
        Poll::Ready(Next::End)
    }

    /// Ready when the next head, or the rest of one, is overdue.
    fn poll_late(&mut self, cx: &mut Context<'_>) -> Poll<Next> {
        let Http1Settings {
            head_timeout,
            idle_timeout,
            ..
        } = self.settings;
        let begun = self.parser.has_begun_head();
        let (wait, after) = match (begun, self.served) {
            (true, _) => (Wait::Head, head_timeout),
            (false, false) => (Wait::Idle, head_timeout),
            (false, true) => (Wait::Idle, idle_timeout),
        };
        ready!(self.deadlines.poll_reading(cx, wait, after));
        if begun {
            self.parser.fail(Violation::HeadTimeout);
            Poll::Ready(Next::Broken(Violation::HeadTimeout))
        } else {
            Poll::Ready(Next::End)
        }
    }

    /// Begins the body after this head.
    pub(super) fn begin_body(&mut self, head: &WireHead) -> BodyStream {
        if !head.body.has_body() {
            return BodyStream::empty();
        }
        let (feed, stream) = body_queue();
        self.feed = Some(feed);
        stream
    }

    /// Asks for the body of the request in progress.
    pub(super) fn put_continue(&mut self) {
        self.output.buffer().extend_from_slice(CONTINUE);
    }

    /// Runs the call, while its body is received and a close of the client is noticed.
    ///
    /// # Errors
    /// The client closed the connection before the call's end, and the call is dropped.
    pub(super) async fn beside<T>(&mut self, call: impl Future<Output = T>) -> Result<T, Lost> {
        let mut call = pin!(call);
        poll_fn(|cx| {
            let gone = self.poll_inbound(cx).is_ready();
            if let Poll::Ready(output) = call.as_mut().poll(cx) {
                return Poll::Ready(Ok(output));
            }
            // `100 Continue`, if anything.
            let untaken = matches!(self.poll_write(cx), Poll::Ready(Err(_)));
            if gone || untaken {
                Poll::Ready(Err(Lost))
            } else {
                Poll::Pending
            }
        })
        .await
    }

    /// Receives bytes while the client's request is in progress; ready when the client has closed the connection.
    pub(super) fn poll_inbound(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while !self.ended {
            ready!(match &self.feed {
                Some(feed) => match feed.room(cx) {
                    Room::Full => self.poll_look(cx),
                    Room::Free | Room::Unwanted => self.poll_body(cx),
                },
                None => self.poll_watch(cx),
            });
        }
        Poll::Ready(())
    }

    /// Moves a part of the body to its queue.
    fn poll_body(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.deadlines.clear_reading();
        let end = match self.parser.next() {
            Ok(Some(Event::Data(data))) => {
                if let Some(feed) = &self.feed {
                    feed.push(data);
                }
                return Poll::Ready(());
            }
            Ok(Some(Event::Head(_))) => return Poll::Ready(()),
            Ok(Some(Event::End)) => Ok(()),
            Err(violation) => Err(BodyError::Broken(violation)),
            Ok(None) => {
                match ready!(self.poll_read(cx)) {
                    Ok(1..) => {}
                    Ok(0) | Err(_) => self.end_of_stream(),
                }
                return Poll::Ready(());
            }
        };
        self.end_body(end);
        Poll::Ready(())
    }

    /// Watches for the client closing the connection. Bytes sent ahead are kept, up to one head.
    fn poll_watch(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.parser.has_failed() || self.parser.buffered() >= self.settings.head.bytes {
            return self.poll_look(cx);
        }
        self.deadlines.clear_reading();
        if !matches!(ready!(self.poll_read(cx)), Ok(1..)) {
            self.end_of_stream();
        }
        Poll::Ready(())
    }

    /// Ready when the client has closed, as far as that shows without reading.
    fn poll_look(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            ready!(self.deadlines.poll_reading(cx, Wait::Look, LOOK));
            self.deadlines.clear_reading();
            if self.stream.is_closed_behind() {
                self.end_of_stream();
                return Poll::Ready(());
            }
        }
    }

    fn end_of_stream(&mut self) {
        self.end_body(Err(BodyError::Gone));
        self.ended = true;
    }

    fn end_body(&mut self, end: Result<(), BodyError>) {
        if let Some(feed) = self.feed.take() {
            feed.end(end);
        }
    }

    /// Number of bytes missing of the request's body: `u64::MAX` if its length is unknown or it is broken.
    pub(super) fn unread(&self) -> u64 {
        self.parser.body_left().unwrap_or_default()
    }

    /// Reads and drops the rest of a body whose request has been answered.
    pub(super) async fn drain(&mut self) {
        self.end_body(Err(BodyError::Abandoned));
        self.deadlines.clear_reading();
        poll_fn(|cx| self.poll_drain(cx)).await;
    }

    fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while !self.ended && self.parser.body_left().is_some() {
            match self.parser.next() {
                Ok(Some(_)) => {}
                Ok(None) => match self.poll_read(cx) {
                    Poll::Ready(Ok(1..)) => {}
                    Poll::Ready(Ok(0) | Err(_)) => self.ended = true,
                    Poll::Pending => {
                        ready!(self.deadlines.poll_reading(cx, Wait::Leftover, LINGER_PAUSE));
                        self.ended = true;
                    }
                },
                // The request has its answer; a second one would be taken for the next request's.
                Err(_) => self.ended = true,
            }
        }
        Poll::Ready(())
    }

    /// Writes all waiting bytes, while the client's body is received.
    ///
    /// # Errors
    /// The client accepts no bytes.
    pub(super) async fn flush(&mut self) -> Result<(), Lost> {
        poll_fn(|cx| {
            // Whether it still sends does not matter here.
            let _ = self.poll_inbound(cx);
            self.poll_write(cx)
        })
        .await
    }

    /// Ready when everything is written.
    pub(super) fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Lost>> {
        while !self.output.is_empty() {
            let written = self.output.poll_write(cx, &mut self.stream);
            ready!(self.poll_taken(cx, written))?;
        }
        let flushed = Pin::new(&mut self.stream).poll_flush(cx).map_ok(|()| 0);
        self.poll_taken(cx, flushed)
    }

    /// Begins a response: its client is waited for as long as its limits allow.
    pub(super) fn begin_answer(&mut self) {
        self.pace = ReaderPace::new(self.settings.reading);
        self.answering = true;
    }

    /// Whether the connection is lost because the client read a response too slowly.
    pub(super) fn is_too_slow(&self) -> bool {
        self.too_slow
    }

    /// Tries to write to the client, within the time limits. `taken` is the number of bytes that it took.
    fn poll_taken(&mut self, cx: &mut Context<'_>, taken: Poll<io::Result<usize>>) -> Poll<Result<(), Lost>> {
        match taken {
            Poll::Ready(taken) => {
                self.deadlines.clear_writing();
                self.pace.took(*taken.as_ref().unwrap_or(&0));
                Poll::Ready(taken.map(|_| ()).map_err(|_| Lost))
            }
            Poll::Pending => {
                let limit = self.pace.wait();
                ready!(self.deadlines.poll_writing(cx, limit));
                self.too_slow = true;
                Poll::Ready(Err(Lost))
            }
        }
    }

    /// Closes the connection so that the client gets its last response.
    pub(super) async fn close(&mut self) {
        let closed = poll_fn(|cx| {
            let closed = Pin::new(&mut self.stream).poll_shutdown(cx).map_ok(|()| 0);
            self.poll_taken(cx, closed)
        });
        let closed = closed.await.is_ok();
        let unread = self.feed.is_some() || self.parser.has_failed() || self.parser.buffered() > 0;
        self.end_body(Err(BodyError::Abandoned));
        if closed && unread && !self.ended {
            self.deadlines.clear_reading();
            let _ = timeout(LINGER, poll_fn(|cx| self.poll_linger(cx))).await;
        }
    }

    /// Reads and drops the client's remaining bytes; ready when it has closed or pauses.
    fn poll_linger(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            self.parser.input().clear();
            match self.poll_read(cx) {
                Poll::Ready(Ok(1..)) => self.deadlines.clear_reading(),
                Poll::Ready(_) => return Poll::Ready(()),
                Poll::Pending => return self.deadlines.poll_reading(cx, Wait::Leftover, LINGER_PAUSE),
            }
        }
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let input = self.parser.input();
        if input.capacity() - input.len() < LEAST_ROOM {
            input.reserve(READ_BYTES.saturating_sub(input.len()).max(LEAST_ROOM));
        }
        // The future holds nothing between polls: it is a single `poll_read` into the buffer.
        pin!(self.stream.read_buf(input)).poll(cx)
    }
}

impl Drop for Connection {
    /// A client must not take a truncated response for a complete one. If the end of the connection is the end of the
    /// body (HTTP/1.0), a clean close would do that.
    fn drop(&mut self) {
        if self.answering {
            self.stream.reset_on_drop();
        }
    }
}
