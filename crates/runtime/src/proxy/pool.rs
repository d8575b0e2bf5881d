//! The connections of one worker to the upstream, and those of them that wait for a call.

use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use bytes::BytesMut;
use http::Uri;
use tokio::io::{AsyncReadExt, AsyncWrite};
use tokio::task::unconstrained;
use tokio::time::{Instant, Sleep, sleep, sleep_until};

use super::output::Output;
use super::stream::{ConnectError, Connector, Stream};

/// Time for which an idle connection is kept. It is shorter than Tomcat's (20 s), so that few requests meet a
/// connection that is being closed.
const IDLE: Duration = Duration::from_secs(15);
/// Interval at which idle connections are checked for their age, and for being closed by the upstream.
const SWEEP: Duration = Duration::from_secs(3);

/// Size of the read buffer.
const READ_BYTES: usize = 16 * 1024;
/// Minimum free space of the read buffer; with less, more is reserved.
const LEAST_ROOM: usize = 2 * 1024;

/// The connections to one address of the upstream that wait for a call.
#[derive(Clone)]
pub(super) struct Pool(Arc<Mutex<Idle>>);

struct Idle {
    /// Maximum number of them.
    most: usize,
    /// The last one was used last.
    connections: Vec<(Instant, Box<Connection>)>,
    /// Whether a task closes the connections that are idle for too long.
    swept: bool,
}

/// A connection to the upstream. It is large, and each call moves it several times, so it is boxed for as long as it lives.
pub(super) struct Connection {
    stream: Stream,
    /// Bytes that arrived.
    pub(super) input: BytesMut,
    /// Bytes to be sent.
    pub(super) output: Output,
    /// A timer for the call that uses the connection. It is kept, since making one costs more than moving it.
    timer: Option<Pin<Box<Sleep>>>,
}

impl Pool {
    /// Makes a pool that keeps at most so many idle connections.
    pub(super) fn new(most: usize) -> Self {
        Self(Arc::new(Mutex::new(Idle {
            most,
            connections: Vec::new(),
            swept: false,
        })))
    }

    /// Gives the connection that was used last, if it is still usable.
    pub(super) fn take(&self) -> Option<Box<Connection>> {
        let now = Instant::now();
        let mut cx = Context::from_waker(Waker::noop());
        let mut idle = self.lock();
        while let Some((since, mut connection)) = idle.connections.pop() {
            if now.duration_since(since) < IDLE && connection.is_quiet(&mut cx) {
                return Some(connection);
            }
        }
        None
    }

    /// Keeps a connection for the next call. Its last response must be complete.
    pub(super) fn give_back(&self, connection: Box<Connection>) {
        let mut idle = self.lock();
        if idle.connections.len() >= idle.most {
            return;
        }
        idle.connections.push((Instant::now(), connection));
        if !idle.swept
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            idle.swept = true;
            runtime.spawn(self.clone().sweep());
        }
    }

    /// Closes idle connections, until there are none.
    async fn sweep(self) {
        loop {
            sleep(SWEEP).await;
            let now = Instant::now();
            let mut cx = Context::from_waker(Waker::noop());
            let mut idle = self.lock();
            idle.connections.retain_mut(|(since, connection)| {
                now.duration_since(*since) < IDLE && connection.is_quiet(&mut cx)
            });
            if idle.connections.is_empty() {
                idle.swept = false;
                return;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Idle> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connection {
    /// Opens a connection.
    ///
    /// # Errors
    /// There is none.
    pub(super) async fn open(connector: Connector, to: Uri) -> Result<Self, ConnectError> {
        Ok(Self {
            stream: Stream::open(connector, to).await?,
            input: BytesMut::new(),
            output: Output::default(),
            timer: None,
        })
    }

    /// Whether the upstream has neither closed the connection nor sent bytes that nobody asked for. The next call would
    /// take such bytes for its response.
    fn is_quiet(&mut self, cx: &mut Context<'_>) -> bool {
        let read = poll_fn(|cx| self.poll_read(cx));
        // Without a limit of the task's work, which makes a stream seem to have nothing.
        let nothing = pin!(unconstrained(read)).poll(cx).is_pending();
        nothing && self.input.is_empty() && self.output.is_empty()
    }

    /// Reads once into the input; 0 at the end of the stream.
    pub(super) fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if self.input.capacity() - self.input.len() < LEAST_ROOM {
            self.input.reserve(READ_BYTES);
        }
        // The future holds nothing between polls: it is a single `poll_read` into the buffer.
        pin!(self.stream.read_buf(&mut self.input)).poll(cx)
    }

    /// Ready when the output is written.
    pub(super) fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.output.is_empty() {
            ready!(self.output.poll_write(cx, &mut self.stream))?;
        }
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    /// Ready at this time, or somewhat later.
    pub(super) fn poll_timer(&mut self, cx: &mut Context<'_>, at: Instant) -> Poll<()> {
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(at)));
        if timer.deadline() > at {
            timer.as_mut().reset(at);
        }
        // A timer that is due earlier is moved only then: most calls end before.
        while timer.as_mut().poll(cx).is_ready() {
            if timer.deadline() >= at {
                return Poll::Ready(());
            }
            timer.as_mut().reset(at);
        }
        Poll::Pending
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Connection").finish_non_exhaustive()
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("Pool")
            .field(&self.lock().connections.len())
            .finish()
    }
}
