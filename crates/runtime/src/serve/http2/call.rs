//! One request of an HTTP/2 connection.

use std::future::{Future, poll_fn};
use std::net::IpAddr;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

use bytes::Bytes;
use futures_util::FutureExt;
use h2::server::SendResponse;
use h2::{Reason, RecvStream};
use http::{Request, Response, StatusCode};
use tokenward_pdp::wire::queue::{BodyFeed, Room, body_queue};
use tokenward_pdp::wire::{BodyError, BodyStream, Violation, WireHead};

use super::backlog::Waiting;
use super::send::send;
use crate::pep::Headed;
use crate::proxy::Answer;
use crate::serve::places::{Kept, Place};
use crate::serve::reader_pace::ReaderLimits;
use crate::serve::worker::{Worker, caught};

/// How a request ended.
pub(super) enum Ended {
    /// The request was answered, as far as the proxy could.
    Answered,
    /// The client cancelled the request, or is gone.
    GivenUp,
}

/// The client cancelled the request, or is gone.
struct TakenBack;

/// A request, as it arrived.
pub(super) struct Arrived {
    /// Address of the connection's other end, or the one named by the PROXY protocol.
    pub(super) peer: IpAddr,
    /// The request, as `h2` parsed it.
    pub(super) request: Request<RecvStream>,
    /// The request's `:path`, as it was sent.
    pub(super) path: Option<Bytes>,
    /// The bytes of its response that wait for the client.
    pub(super) waiting: Waiting,
}

/// Serves one request to its end. The unread rest of its body is refused.
pub(super) async fn call(
    worker: Rc<Worker>,
    place: &Place,
    arrived: Arrived,
    mut respond: SendResponse<Bytes>,
    reading: ReaderLimits,
) -> Ended {
    let Arrived {
        peer,
        request,
        path,
        waiting,
    } = arrived;
    let (parts, body) = request.into_parts();
    let bare = body.is_end_stream();
    let head = path.and_then(|path| WireHead::http2(&parts, &path, !bare));
    let Some(head) = head else {
        worker.gate.metrics.violated(Violation::Http2);
        respond.send_reset(Reason::PROTOCOL_ERROR);
        return Ended::Answered;
    };
    let (pump, stream) = if bare {
        (None, BodyStream::empty())
    } else {
        let (feed, stream) = body_queue();
        (Some(pump(body, feed)), stream)
    };
    // Pinned where they are made, here and below: these futures are large, and each hand that they pass through would copy
    // them. The copies would be the larger part of the memory of a call.
    let served = pin!(async {
        let (answer, _kept) = answer(&worker, peer, place, &head, stream, &mut respond).await?;
        let answer = if head.method() == "HEAD" {
            answer.without_body()
        } else {
            answer
        };
        send(answer, &mut respond, (reading, waiting), worker.dates.now())
            .await
            .map_err(|_| TakenBack)
    });
    match beside(served, pump).await {
        Ok(()) => Ended::Answered,
        Err(TakenBack) => Ended::GivenUp,
    }
}

/// Judges the head, asks for the body if the client waits for that, and makes the call. A call that is made keeps the
/// connection's place until its answer is sent.
async fn answer<'p>(
    worker: &Worker,
    peer: IpAddr,
    place: &'p Place,
    head: &WireHead,
    body: BodyStream,
    respond: &mut SendResponse<Bytes>,
) -> Result<(Answer, Option<Kept<'p>>), TakenBack> {
    let gate = &worker.gate;
    let judged = {
        let judging = pin!(gate.judge(head, peer));
        unless_taken_back(respond, caught(gate, judging)).await?
    };
    let judged = match judged {
        Ok(Headed::Judged(judged)) => judged,
        Ok(Headed::Settled(answer)) | Err(answer) => return Ok((answer, None)),
    };
    let kept = place.keep();
    if head.expects_continue {
        let mut proceed = Response::new(());
        *proceed.status_mut() = StatusCode::CONTINUE;
        respond.send_informational(proceed).map_err(|_| TakenBack)?;
    }
    let proceeding = pin!(gate.proceed(*judged, body, &worker.upstream));
    let answered = unless_taken_back(respond, caught(gate, proceeding)).await?;
    Ok((answered.unwrap_or_else(|failed| failed), Some(kept)))
}

/// Runs a future, and drops it when the client cancels its request.
async fn unless_taken_back<T>(
    respond: &mut SendResponse<Bytes>,
    future: impl Future<Output = T>,
) -> Result<T, TakenBack> {
    let mut future = pin!(future);
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Ok(output)),
        Poll::Pending => respond.poll_reset(cx).map(|_| Err(TakenBack)),
    })
    .await
}

/// Runs the call with the pump that feeds its body, until the call ends.
async fn beside<T>(call: impl Future<Output = T>, pump: Option<impl Future<Output = ()>>) -> T {
    let mut call = pin!(call);
    let mut pump = pin!(
        async {
            if let Some(pump) = pump {
                pump.await;
            }
        }
        .fuse()
    );
    poll_fn(|cx| {
        // The pump stays pending after its end.
        let _ = pump.as_mut().poll(cx);
        call.as_mut().poll(cx)
    })
    .await
}

/// Moves a body to the queue. The client's window grows by the moved bytes as the queue has room.
///
/// Frames are taken from `h2` in any case, as far as the window goes: a client may fill the window with frames of one
/// byte, and only the queue keeps these together.
async fn pump(mut body: RecvStream, feed: BodyFeed) {
    // Bytes that were moved and are not in the window again.
    let mut owed = 0;
    loop {
        let next = poll_fn(|cx| {
            if owed > 0 {
                match feed.room(cx) {
                    Room::Full => {}
                    Room::Free => {
                        let released = body.flow_control().release_capacity(std::mem::take(&mut owed));
                        if released.is_err() {
                            return Poll::Ready(Moved::End(Err(BodyError::Gone)));
                        }
                    }
                    Room::Unwanted => return Poll::Ready(Moved::Unwanted),
                }
            }
            body.poll_data(cx).map(Moved::Data)
        });
        match next.await {
            Moved::Data(Some(Ok(data))) => {
                owed += data.len();
                feed.push(data);
            }
            Moved::Data(Some(Err(error))) => return feed.end(Err(broken(&error))),
            // Trailers are dropped; they end the body, unless they break it.
            Moved::Data(None) => match body.trailers().await {
                Ok(_) => return feed.end(Ok(())),
                Err(error) => return feed.end(Err(broken(&error))),
            },
            Moved::End(end) => return feed.end(end),
            Moved::Unwanted => return,
        }
    }
}

/// The next event of the pump.
enum Moved {
    Data(Option<Result<Bytes, h2::Error>>),
    End(Result<(), BodyError>),
    Unwanted,
}

/// Gives the error for a stream that ended before its body was complete: reset by the client, or by `h2` for invalid
/// HTTP/2 (a `content-length` that differs from the body's).
fn broken(error: &h2::Error) -> BodyError {
    if error.is_library() && error.reason() == Some(Reason::PROTOCOL_ERROR) {
        BodyError::Broken(Violation::Http2Body)
    } else {
        BodyError::Gone
    }
}
