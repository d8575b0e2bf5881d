//! What the guard and the service of one connection share: the request that was read, and whose turn it is.

use std::cell::{Cell, RefCell};
use std::net::IpAddr;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use super::{BodyStream, Violation, WireHead};
use crate::proxy::Cut;

/// A request as it came off the wire.
#[derive(Debug)]
pub(crate) struct Inbound {
    /// Its head.
    pub(crate) head: Box<WireHead>,
    /// Its body, still arriving.
    pub(crate) body: BodyStream,
}

/// What a skeleton request stands for.
#[derive(Debug)]
pub(crate) enum Arrival {
    /// A request.
    Request(Inbound),
    /// Bytes that are none: a bare answer, and the connection closes.
    Violation(Violation),
}

/// The state of one connection.
#[derive(Debug)]
pub(crate) struct Connection {
    peer: IpAddr,
    waiting: RefCell<Option<(u64, Arrival)>>,
    in_flight: Cell<bool>,
    unread: Cell<Option<u64>>,
    reset: Cell<bool>,
    guard: RefCell<Option<Waker>>,
    cut: RefCell<Option<Cut>>,
}

/// The right to answer the request under way. Whoever encodes the answer drops it when the answer is complete; then
/// the guard reads the next head.
#[derive(Debug)]
pub(crate) struct Turn(Rc<Connection>);

impl Connection {
    /// A connection whose other end is this.
    pub(super) fn new(peer: IpAddr) -> Self {
        Self {
            peer,
            waiting: RefCell::default(),
            in_flight: Cell::default(),
            unread: Cell::default(),
            reset: Cell::default(),
            guard: RefCell::default(),
            cut: RefCell::default(),
        }
    }

    /// The arrival that the skeleton of this number stands for, and the turn to answer it.
    pub(crate) fn take(self: &Rc<Self>, number: u64) -> Option<(Arrival, Turn)> {
        let (waiting, arrival) = self.waiting.borrow_mut().take()?;
        // The numbers agree as long as actix-http hands on skeletons in order; if ever not, nothing is answered
        // under another request's name.
        (waiting == number).then(|| (arrival, Turn(Rc::clone(self))))
    }

    /// Puts an arrival up for the service.
    pub(super) fn put(&self, number: u64, arrival: Arrival) {
        self.in_flight.set(true);
        *self.waiting.borrow_mut() = Some((number, arrival));
    }

    /// Whether a request is under way; if so, the guard is woken at its end.
    pub(super) fn is_in_flight(&self, cx: &mut Context<'_>) -> bool {
        let in_flight = self.in_flight.get();
        if in_flight {
            *self.guard.borrow_mut() = Some(cx.waker().clone());
        }
        in_flight
    }

    /// Notes how much of the body is still unread.
    pub(super) fn note_unread(&self, unread: Option<u64>) {
        self.unread.set(unread);
    }

    /// Whether the answer under way is to be broken off; if not, the task is woken when it is.
    pub(super) fn poll_cut(&self, cx: &mut Context<'_>) -> Poll<()> {
        match self.cut.borrow_mut().as_mut() {
            Some(cut) => cut.poll(cx).map(|()| self.reset.set(true)),
            None => Poll::Pending,
        }
    }

    /// Whether the connection is to be reset instead of closed.
    pub(super) fn is_reset(&self) -> bool {
        self.reset.get()
    }
}

impl Turn {
    /// The connection's other end, or whom the PROXY protocol named.
    pub(crate) fn peer(&self) -> IpAddr {
        self.0.peer
    }

    /// Bytes of the request's body that were not read off the wire yet: `None` if it is complete, `u64::MAX` if only
    /// its end will tell.
    pub(crate) fn unread(&self) -> Option<u64> {
        self.0.unread.get()
    }

    /// Has the connection end in a reset when this resolves, also while the client takes nothing of the answer.
    pub(crate) fn cut_by(&self, cut: Option<Cut>) {
        *self.0.cut.borrow_mut() = cut;
    }

    /// Has the connection end in a reset, so that no client takes a truncated answer for a whole one: where the end of
    /// the connection is the end of the body (HTTP/1.0), a clean close would say so.
    pub(crate) fn reset(&self) {
        self.0.reset.set(true);
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.in_flight.set(false);
        self.0.cut.take();
        if let Some(waker) = self.0.guard.borrow_mut().take() {
            waker.wake();
        }
    }
}
