//! The responses of one connection that wait in memory for their client.
//!
//! A client decides how much of a response it takes, and a connection has many streams. So a stream reads from the
//! upstream only as its connection has room for the bytes. There are two kinds of them. Bytes that `h2` has and the
//! connection has not written wait for the client's TCP; they hold up all streams alike. Bytes that a stream has read
//! while its client gives it no window are one piece for each stream. They are needed, since only a further read shows
//! that a response has ended, and a client whose windows fit exactly gives no more. Each kind is bounded. If the
//! responses of all connections take too much memory, each connection gets by with little.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::metrics::Metrics;

/// Number of bytes of either kind from which on a connection reads no more from the upstream, …
const CONNECTION: usize = 256 * 1024;
/// … the same if all connections together hold this many bytes, …
const TOTAL: u64 = 128 << 20;
/// … in which case the number is this.
const LITTLE: usize = 16 * 1024;

const FRAME_HEAD: usize = 9;
const DATA: u8 = 0;

/// The waiting bytes of a connection. A clone is the same backlog.
#[derive(Clone)]
pub(super) struct Backlog(Rc<Inner>);

struct Inner {
    metrics: Arc<Metrics>,
    streams: RefCell<BTreeMap<u32, Stream>>,
    /// Number of bytes that `h2` has, of all streams.
    unwritten: Cell<usize>,
    /// Number of bytes that streams have read without a window, of all streams.
    ahead: Cell<usize>,
}

#[derive(Default)]
struct Stream {
    unwritten: usize,
    ahead: usize,
    waker: Option<Waker>,
}

/// The waiting bytes of one stream. They are gone when it is dropped: then the response is sent, or the stream is reset.
pub(super) struct Waiting {
    backlog: Backlog,
    stream: u32,
}

impl Backlog {
    pub(super) fn new(metrics: Arc<Metrics>) -> Self {
        Self(Rc::new(Inner {
            metrics,
            streams: RefCell::default(),
            unwritten: Cell::new(0),
            ahead: Cell::new(0),
        }))
    }

    /// Opens the part of a stream.
    pub(super) fn of(&self, stream: u32) -> Waiting {
        self.0.streams.borrow_mut().insert(stream, Stream::default());
        Waiting {
            backlog: self.clone(),
            stream,
        }
    }

    fn limit(&self) -> usize {
        match self.0.metrics.answers_held() >= TOTAL {
            true => LITTLE,
            false => CONNECTION,
        }
    }

    fn count(&self, unwritten: usize, ahead: usize) {
        let inner = &self.0;
        let change =
            |old: usize, new: usize| i64::try_from(new).unwrap_or(0) - i64::try_from(old).unwrap_or(0);
        let change = change(inner.unwritten.get(), unwritten) + change(inner.ahead.get(), ahead);
        inner.unwritten.set(unwritten);
        inner.ahead.set(ahead);
        inner.metrics.hold_answers(change);
    }

    /// Notes that bytes of a stream's data are written.
    fn written(&self, stream: u32, bytes: usize) {
        let inner = &self.0;
        let mut streams = inner.streams.borrow_mut();
        // Of a stream that is closed already, nothing is counted.
        let Some(of_stream) = streams.get_mut(&stream) else {
            return;
        };
        let bytes = bytes.min(of_stream.unwritten);
        of_stream.unwritten -= bytes;
        drop(streams);
        self.count(inner.unwritten.get().saturating_sub(bytes), inner.ahead.get());
        self.wake();
    }

    /// Wakes all streams that wait for something to change.
    fn wake(&self) {
        let mut streams = self.0.streams.borrow_mut();
        let wakers: Vec<Waker> = streams
            .values_mut()
            .filter_map(|stream| stream.waker.take())
            .collect();
        drop(streams);
        wakers.into_iter().for_each(Waker::wake);
    }
}

impl Waiting {
    /// Whether the stream may read from the upstream. If not, the task is woken when that changes on this connection.
    /// `has_window`: the client accepts more of the stream.
    pub(super) fn may_read(&self, cx: &mut Context<'_>, has_window: bool) -> bool {
        let inner = &self.backlog.0;
        let held = if has_window {
            &inner.unwritten
        } else {
            &inner.ahead
        };
        let may = held.get() < self.backlog.limit();
        if !may {
            self.register(cx);
        }
        may
    }

    /// Counts bytes that were read from the upstream.
    pub(super) fn read(&self, bytes: usize) {
        let inner = &self.backlog.0;
        if let Some(stream) = inner.streams.borrow_mut().get_mut(&self.stream) {
            stream.ahead += bytes;
        }
        self.backlog
            .count(inner.unwritten.get(), inner.ahead.get() + bytes);
    }

    /// Counts bytes that were handed to `h2`; those that were read before are no longer ahead.
    pub(super) fn handed_over(&self, bytes: usize) {
        let inner = &self.backlog.0;
        let mut ahead = 0;
        if let Some(stream) = inner.streams.borrow_mut().get_mut(&self.stream) {
            ahead = bytes.min(stream.ahead);
            stream.ahead -= ahead;
            stream.unwritten += bytes;
        }
        self.backlog.count(
            inner.unwritten.get() + bytes,
            inner.ahead.get().saturating_sub(ahead),
        );
        if ahead > 0 {
            self.backlog.wake();
        }
    }

    /// Whether the connection has written all of the stream. If not, the task is woken when that changes.
    pub(super) fn is_written(&self, cx: &mut Context<'_>) -> bool {
        let streams = self.backlog.0.streams.borrow();
        let written = streams
            .get(&self.stream)
            .is_none_or(|stream| stream.unwritten == 0);
        drop(streams);
        if !written {
            self.register(cx);
        }
        written
    }

    fn register(&self, cx: &mut Context<'_>) {
        if let Some(stream) = self.backlog.0.streams.borrow_mut().get_mut(&self.stream) {
            stream.waker = Some(cx.waker().clone());
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let inner = &self.backlog.0;
        let Some(stream) = inner.streams.borrow_mut().remove(&self.stream) else {
            return;
        };
        self.backlog.count(
            inner.unwritten.get().saturating_sub(stream.unwritten),
            inner.ahead.get().saturating_sub(stream.ahead),
        );
        self.backlog.wake();
    }
}

/// A byte stream that notes in a backlog which data is written. It parses the frames that `h2` writes only as far as
/// needed, and does not change them.
pub(super) struct Writer<S> {
    stream: S,
    backlog: Backlog,
    place: Place,
}

/// Part of a frame that the next byte belongs to.
#[derive(Clone, Copy)]
enum Place {
    /// The header, of which so many bytes are known.
    Head([u8; FRAME_HEAD], usize),
    /// The payload, of which so many bytes are left. `Some`: it is data of this stream.
    Payload(Option<u32>, usize),
}

impl<S> Writer<S> {
    pub(super) fn new(stream: S, backlog: Backlog) -> Self {
        Self {
            stream,
            backlog,
            place: Place::Head([0; FRAME_HEAD], 0),
        }
    }

    /// Notes the next bytes that were written.
    fn note(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let taken = match &mut self.place {
                Place::Head(head, known) => {
                    let room = head.get_mut(*known..).unwrap_or_default();
                    let taken = room.len().min(bytes.len());
                    room.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
                    *known += taken;
                    taken
                }
                Place::Payload(stream, left) => {
                    let taken = (*left).min(bytes.len());
                    *left -= taken;
                    if let Some(stream) = *stream {
                        self.backlog.written(stream, taken);
                    }
                    taken
                }
            };
            bytes = bytes.get(taken..).unwrap_or_default();
            self.turn();
        }
    }

    /// Goes on to the next part if this one is complete.
    fn turn(&mut self) {
        if let Place::Head(head, FRAME_HEAD) = self.place {
            let [a, b, c, kind, _, d, e, f, g] = head;
            let left = usize::try_from(u32::from_be_bytes([0, a, b, c])).unwrap_or_default();
            let stream = u32::from_be_bytes([d & 0x7f, e, f, g]);
            self.place = Place::Payload((kind == DATA).then_some(stream), left);
        }
        if let Place::Payload(_, 0) = self.place {
            self.place = Place::Head([0; FRAME_HEAD], 0);
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Writer<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(cx, out)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Writer<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let taken = ready!(Pin::new(&mut this.stream).poll_write(cx, bytes))?;
        this.note(bytes.get(..taken).unwrap_or_default());
        Poll::Ready(Ok(taken))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;

    use super::*;

    fn frame(kind: u8, stream: u32, payload: usize) -> Vec<u8> {
        let length = u32::try_from(payload).unwrap().to_be_bytes();
        let mut frame = vec![length[1], length[2], length[3], kind, 0];
        frame.extend(stream.to_be_bytes());
        frame.extend(vec![0; payload]);
        frame
    }

    fn backlog() -> (Backlog, Arc<Metrics>) {
        let metrics = Arc::<Metrics>::default();
        (Backlog::new(Arc::clone(&metrics)), metrics)
    }

    fn may_read(waiting: &Waiting, has_window: bool) -> bool {
        waiting.may_read(&mut Context::from_waker(Waker::noop()), has_window)
    }

    fn is_written(waiting: &Waiting) -> bool {
        waiting.is_written(&mut Context::from_waker(Waker::noop()))
    }

    #[tokio::test]
    async fn data_is_counted_until_it_is_written_however_the_bytes_come() {
        let bytes: Vec<u8> = [
            frame(4, 0, 6),
            frame(1, 1, 30),
            frame(DATA, 1, 100),
            frame(DATA, 3, 0),
            frame(DATA, 3, 50),
            frame(8, 1, 4),
            frame(DATA, 5, 10),
        ]
        .concat();
        for step in [1, 2, 7, 64, bytes.len()] {
            let (backlog, metrics) = backlog();
            let (one, three) = (backlog.of(1), backlog.of(3));
            one.read(140);
            one.handed_over(100);
            three.handed_over(50);
            assert_eq!(metrics.answers_held(), 190);
            let mut writer = Writer::new(Vec::new(), backlog);
            assert!(!is_written(&one) && !is_written(&three));
            for part in bytes.chunks(step) {
                writer.write_all(part).await.unwrap();
            }
            assert!(is_written(&one) && is_written(&three));
            assert_eq!(metrics.answers_held(), 40);
            drop(one);
            assert_eq!(metrics.answers_held(), 0);
        }
    }

    #[test]
    fn a_connection_reads_as_long_as_there_is_room() {
        let (backlog, metrics) = backlog();
        let (one, two) = (backlog.of(1), backlog.of(3));
        one.read(CONNECTION);
        assert!(may_read(&two, true) && !may_read(&two, false));
        one.handed_over(CONNECTION - 1);
        assert!(may_read(&two, true) && may_read(&two, false));
        one.handed_over(1);
        assert!(!may_read(&two, true) && may_read(&two, false));
        drop(one);
        assert!(may_read(&two, true));
        // Much that other connections hold.
        metrics.hold_answers(i64::try_from(TOTAL).unwrap());
        two.handed_over(LITTLE - 1);
        assert!(may_read(&two, true));
        two.handed_over(1);
        assert!(!may_read(&two, true) && may_read(&two, false));
    }
}
