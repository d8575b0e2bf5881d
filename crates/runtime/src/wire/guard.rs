//! The stream that actix-http reads and writes: it reads the client's bytes itself, and hands on skeletons.

use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, Bytes};
use futures_util::FutureExt;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until};

use super::parse::{Event, HeadLimits, Parser};
use super::queue::{BodyFeed, Room, body_queue};
use super::{Arrival, BodyError, BodyStream, Connection, Inbound, Violation, WireHead};
use crate::request::Version;

/// Read off the socket at once, at most about so much.
const READ_BYTES: usize = 16 * 1024;
/// What remains of a body that was answered early is read and dropped for so long before the connection is closed: a
/// close with bytes unread is a reset, which can take the answer from the client (RFC 9112 section 9.6).
const LINGER: Duration = Duration::from_secs(10);
/// A client that sends nothing for so long in that time has got its answer or will not.
const LINGER_PAUSE: Duration = Duration::from_secs(2);

/// While nothing is read from a client, its going away is looked for so often.
const LOOK: Duration = Duration::from_secs(1);

/// A byte stream of a client.
pub(crate) trait Transport: AsyncRead + AsyncWrite + Unpin {
    /// Has the stream end in a reset when it is dropped.
    fn reset_on_drop(&self);

    /// Whether the other side has closed, as far as can be told without reading what it sent before.
    fn is_closed_behind(&self) -> bool;
}

impl Transport for TcpStream {
    fn reset_on_drop(&self) {
        // Without it the stream ends in a clean close: worse for the client, no reason to do anything else.
        let _ = self.set_zero_linger();
    }

    fn is_closed_behind(&self) -> bool {
        let ready = self.ready(Interest::READABLE).now_or_never();
        ready.is_some_and(|ready| ready.map_or(true, |ready| ready.is_read_closed()))
    }
}

/// The guard's limits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GuardSettings {
    /// How large a head may be.
    pub(crate) head: HeadLimits,
    /// From the connection's opening to the first head's first byte, and from any head's first byte to its last.
    pub(crate) head_timeout: Duration,
    /// From the end of a request to the next one's first byte.
    pub(crate) idle_timeout: Duration,
    /// How long the client may take nothing of an answer.
    pub(crate) write_timeout: Duration,
}

/// A client's stream, guarded.
pub(crate) struct Guard<S: Transport> {
    stream: S,
    parser: Parser,
    connection: Rc<Connection>,
    settings: GuardSettings,
    skeleton: Bytes,
    heads: u64,
    feed: Option<BodyFeed>,
    body_broken: bool,
    closed: bool,
    reading: Deadline,
    writing: Deadline,
    lingering: Option<Instant>,
}

impl<S: Transport> Guard<S> {
    /// Guards a stream whose first request is still to come, of a client at `peer`.
    pub(crate) fn new(stream: S, peer: IpAddr, settings: GuardSettings) -> Self {
        Self {
            stream,
            parser: Parser::new(settings.head),
            connection: Rc::new(Connection::new(peer)),
            settings,
            skeleton: Bytes::new(),
            heads: 0,
            feed: None,
            body_broken: false,
            closed: false,
            reading: Deadline::default(),
            writing: Deadline::default(),
            lingering: None,
        }
    }

    /// What the guard and the service share.
    pub(crate) fn connection(&self) -> &Rc<Connection> {
        &self.connection
    }

    /// Reads on until there is a skeleton, the end, or nothing to do.
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Filled>> {
        loop {
            if !self.skeleton.is_empty() {
                return Poll::Ready(Ok(Filled::Skeleton));
            }
            if self.closed {
                return Poll::Ready(Ok(Filled::End));
            }
            let step = match (self.feed.is_some(), self.connection.is_in_flight(cx)) {
                (true, true) => self.poll_body(cx),
                (true, false) => self.poll_leftover(cx),
                (false, true) => self.poll_watch(cx),
                (false, false) => self.poll_head(cx),
            };
            ready!(step)?;
        }
    }

    /// A body of the request under way.
    fn poll_body(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let room = self.feed.as_ref().map_or(Room::Unwanted, |feed| feed.room(cx));
        if room == Room::Full {
            return self.poll_without_reading(cx);
        }
        self.reading.clear();
        self.advance_body(cx)
    }

    /// Ready when the client is found to have gone away.
    fn poll_without_reading(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.reading.poll(cx, Purpose::Look, LOOK).is_ready() {
            self.reading.clear();
            if self.stream.is_closed_behind() {
                self.end_of_stream();
                return Poll::Ready(Ok(()));
            }
        }
        Poll::Pending
    }

    fn end_of_stream(&mut self) {
        if let Some(feed) = self.feed.take() {
            feed.end(Err(BodyError::Gone));
        }
        self.closed = true;
    }

    /// The rest of a body whose request has been answered.
    fn poll_leftover(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Some(feed) = &self.feed {
            feed.end(Err(BodyError::Abandoned));
        }
        if self.reading.poll(cx, Purpose::Leftover, LINGER_PAUSE).is_ready() {
            self.closed = true;
            return Poll::Ready(Ok(()));
        }
        self.advance_body(cx)
    }

    fn advance_body(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let event = self.parser.next();
        self.connection.note_unread(self.parser.body_left());
        let Some(feed) = &self.feed else {
            return Poll::Ready(Ok(()));
        };
        match event {
            Ok(Some(Event::Data(data))) => feed.push(data),
            Ok(Some(Event::End)) => {
                feed.end(Ok(()));
                self.feed = None;
                self.reading.clear();
            }
            Ok(Some(Event::Head(_))) => {}
            Err(violation) => {
                feed.end(Err(BodyError::Broken(violation)));
                self.feed = None;
                self.body_broken = true;
            }
            Ok(None) => {
                if ready!(self.poll_read_socket(cx))? == 0 {
                    self.end_of_stream();
                }
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Nothing is wanted from the client but the news that it went away. What it sends ahead is kept, up to a head.
    fn poll_watch(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.parser.has_failed() || self.parser.buffered() >= self.settings.head.bytes {
            return self.poll_without_reading(cx);
        }
        self.reading.clear();
        if ready!(self.poll_read_socket(cx))? == 0 {
            self.closed = true;
        }
        Poll::Ready(Ok(()))
    }

    /// The next head.
    fn poll_head(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.parser.next() {
            Ok(Some(Event::Head(head))) => self.arrive(head),
            Ok(Some(Event::Data(_) | Event::End)) => {}
            // A body broke the grammar: that was told to whoever took it, and is not to be told twice.
            Err(_) if self.body_broken => self.closed = true,
            Err(violation) => self.break_off(violation),
            Ok(None) => {
                let (purpose, after) = match (self.parser.buffered(), self.heads) {
                    (0, 0) => (Purpose::Idle, self.settings.head_timeout),
                    (0, _) => (Purpose::Idle, self.settings.idle_timeout),
                    _ => (Purpose::Head, self.settings.head_timeout),
                };
                match self.poll_read_socket(cx) {
                    Poll::Ready(Ok(0)) => self.closed = true,
                    Poll::Ready(Ok(_)) => {}
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                    Poll::Pending => {
                        ready!(self.reading.poll(cx, purpose, after));
                        match purpose {
                            Purpose::Head => self.break_off(Violation::HeadTimeout),
                            _ => self.closed = true,
                        }
                    }
                }
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Puts the request up for the service, and its skeleton for actix-http.
    fn arrive(&mut self, head: Box<WireHead>) {
        self.reading.clear();
        self.connection.note_unread(self.parser.body_left());
        let version = match head.version() {
            Version::Http10 => "1.0",
            Version::Http11 | Version::Http2 => "1.1",
        };
        // The method matters to the encoder only as far as an answer to HEAD has no body.
        let method = if head.method() == "HEAD" { "HEAD" } else { "GET" };
        let persistence = if head.persists { "keep-alive" } else { "close" };
        let expect = if head.expects_continue {
            "expect: 100-continue\r\n"
        } else {
            ""
        };
        let body = if head.body.has_body() {
            let (feed, stream) = body_queue();
            self.feed = Some(feed);
            stream
        } else {
            BodyStream::empty()
        };
        let number = self.announce(Arrival::Request(Inbound { head, body }));
        self.skeleton = Bytes::from(format!(
            "{method} /{number} HTTP/{version}\r\nhost: -\r\nconnection: {persistence}\r\n{expect}\r\n"
        ));
    }

    /// Has the service give a bare answer; nothing more is read.
    fn break_off(&mut self, violation: Violation) {
        self.reading.clear();
        self.parser.fail(violation);
        let number = self.announce(Arrival::Violation(violation));
        self.skeleton = Bytes::from(format!(
            "GET /{number} HTTP/1.1\r\nhost: -\r\nconnection: close\r\n\r\n"
        ));
    }

    fn announce(&mut self, arrival: Arrival) -> u64 {
        self.heads += 1;
        self.connection.put(self.heads, arrival);
        self.heads
    }

    fn poll_read_socket(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let input = self.parser.input();
        input.reserve(READ_BYTES);
        // The future holds nothing between polls: it is a single `poll_read` into the buffer.
        pin!(self.stream.read_buf(input)).poll(cx)
    }

    /// Reads and drops what the client still sends; ready when it has closed or time is up.
    fn poll_linger(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let now = Instant::now();
        let until = *self.lingering.get_or_insert(now + LINGER);
        loop {
            self.parser.input().clear();
            match self.poll_read_socket(cx) {
                Poll::Ready(Ok(read)) if read > 0 && Instant::now() < until => self.reading.clear(),
                Poll::Ready(_) => return Poll::Ready(()),
                Poll::Pending => return self.reading.poll(cx, Purpose::Leftover, LINGER_PAUSE),
            }
        }
    }
}

/// What [`Guard::poll_fill`] came to.
enum Filled {
    Skeleton,
    End,
}

impl<S: Transport> AsyncRead for Guard<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        match ready!(this.poll_fill(cx))? {
            Filled::Skeleton => {
                let take = this.skeleton.len().min(out.remaining());
                out.put_slice(this.skeleton.get(..take).unwrap_or_default());
                this.skeleton.advance(take);
            }
            Filled::End => {}
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: Transport> AsyncWrite for Guard<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        match Pin::new(&mut this.stream).poll_write(cx, bytes) {
            Poll::Ready(written) => {
                this.writing.clear();
                Poll::Ready(written)
            }
            Poll::Pending => {
                if this.connection.poll_cut(cx).is_ready() {
                    return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
                }
                ready!(this.writing.poll(cx, Purpose::Write, this.settings.write_timeout));
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.lingering.is_none() {
            ready!(Pin::new(&mut this.stream).poll_shutdown(cx))?;
        }
        let unread = this.feed.is_some() || this.parser.has_failed() || this.parser.buffered() > 0;
        if this.lingering.is_some() || (unread && !this.closed) {
            if let Some(feed) = this.feed.take() {
                feed.end(Err(BodyError::Abandoned));
            }
            ready!(this.poll_linger(cx));
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: Transport> Drop for Guard<S> {
    fn drop(&mut self) {
        if let Some(feed) = self.feed.take() {
            feed.end(Err(BodyError::Gone));
        }
        if self.connection.is_reset() {
            self.stream.reset_on_drop();
        }
    }
}

/// What a deadline is for; a change of purpose starts it anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    Idle,
    Head,
    Leftover,
    Look,
    Write,
}

/// A timer that runs from when it is first polled for a purpose until it is cleared.
#[derive(Default)]
struct Deadline {
    running: Option<Purpose>,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Deadline {
    fn poll(&mut self, cx: &mut Context<'_>, purpose: Purpose, after: Duration) -> Poll<()> {
        let at = Instant::now() + after;
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep_until(at)));
        if self.running != Some(purpose) {
            self.running = Some(purpose);
            sleep.as_mut().reset(at);
        }
        sleep.as_mut().poll(cx)
    }

    fn clear(&mut self) {
        self.running = None;
    }
}
