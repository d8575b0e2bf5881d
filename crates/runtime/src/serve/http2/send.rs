//! Sends a response as frames.

use std::future::{Future, poll_fn};
use std::ops::ControlFlow;
use std::pin::Pin;
use std::task::Poll;

use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason, SendStream};
use http::header::{CONTENT_LENGTH, DATE};
use http::{HeaderValue, Response};
use tokio::task::yield_now;
use tokio::time::error::Elapsed;
use tokio::time::timeout;

use super::backlog::Waiting;
use crate::proxy::{Answer, AnswerBody, UpstreamBody};
use crate::serve::reader_pace::{ReaderLimits, ReaderPace};

/// The response was not sent completely: the client reset the stream, is gone, or accepts no bytes.
pub(super) struct NotTaken;

/// A response that is being sent.
struct Sending {
    stream: SendStream<Bytes>,
    pace: ReaderPace,
    waiting: Waiting,
}

/// Sends a response, until the connection has written it. If the upstream's body ends early, the stream is reset, so that
/// no client takes a part for the whole. A response that no place in the budget of calls is held for waits for nobody: if
/// the client has no window for it, the stream is refused.
///
/// # Errors
/// The client does not accept it.
pub(super) async fn send(
    mut answer: Answer,
    respond: &mut SendResponse<Bytes>,
    (reading, waiting): (ReaderLimits, Waiting),
    date: Option<HeaderValue>,
) -> Result<(), NotTaken> {
    let held = answer.held.take();
    let (head, body) = split(answer, date);
    let empty = match &body {
        AnswerBody::None | AnswerBody::Omitted(_) => true,
        AnswerBody::Whole(body) => body.is_empty(),
        AnswerBody::Upstream(_) => false,
    };
    let stream = respond.send_response(head, empty).map_err(|_| NotTaken)?;
    let sending = Sending {
        stream,
        pace: ReaderPace::new(reading),
        waiting,
    };
    match body {
        AnswerBody::Whole(body) if !empty && held.is_some() => sending.send_whole(Bytes::from(body)).await,
        AnswerBody::Whole(body) if !empty => sending.send_at_once(Bytes::from(body)),
        AnswerBody::Upstream(body) => sending.send_upstream(*body).await,
        _ => Ok(()),
    }
}

impl Sending {
    async fn send_whole(mut self, body: Bytes) -> Result<(), NotTaken> {
        self.send_data(body).await.map_err(|_| NotTaken)?;
        self.end().await.map_err(|_| NotTaken)
    }

    fn send_at_once(mut self, body: Bytes) -> Result<(), NotTaken> {
        self.stream.reserve_capacity(body.len());
        if self.stream.capacity() < body.len() {
            self.stream.send_reset(Reason::REFUSED_STREAM);
            return Ok(());
        }
        self.stream.send_data(body, true).map_err(|_| NotTaken)
    }

    async fn send_upstream(mut self, mut body: UpstreamBody) -> Result<(), NotTaken> {
        loop {
            if self.while_valid(&mut body, Self::room).await?.is_break() {
                break;
            }
            let next = poll_fn(|cx| match body.poll_next(cx) {
                Poll::Ready(next) => Poll::Ready(Ok(next)),
                Poll::Pending => self.stream.poll_reset(cx).map(|_| Err(NotTaken)),
            });
            let data = match next.await? {
                Some(Ok(data)) => data,
                Some(Err(_)) => break,
                None => {
                    let ended = self.end().await;
                    return ended.map_err(|unsent| unsent.of(&mut body));
                }
            };
            self.waiting.read(data.len());
            let sent = self.while_valid(&mut body, |sending| sending.send_data(data));
            if sent.await?.is_break() {
                break;
            }
        }
        // A reset takes back what is not written yet, and the client learns the status if the connection writes first. It is
        // polled in the same task, in any order: once the task was left twice, it was polled.
        yield_now().await;
        yield_now().await;
        self.stream.send_reset(Reason::INTERNAL_ERROR);
        Ok(())
    }

    /// Waits for the client. Breaks if the call is cancelled meanwhile. The body is not polled then, so that the request's rest is
    /// sent here.
    async fn while_valid<'s, F: Future<Output = Result<(), Unsent>> + 's>(
        &'s mut self,
        body: &mut UpstreamBody,
        work: impl FnOnce(&'s mut Self) -> F,
    ) -> Result<ControlFlow<()>, NotTaken> {
        let sent = {
            let cut = poll_fn(|cx| body.poll_aside(cx));
            tokio::select! {
                biased;
                _ = cut => return Ok(ControlFlow::Break(())),
                sent = work(self) => sent,
            }
        };
        sent.map(ControlFlow::Continue).map_err(|unsent| unsent.of(body))
    }

    /// Waits until more may be read from the upstream.
    async fn room(&mut self) -> Result<(), Unsent> {
        // The window is assigned at once, as far as the client gives one.
        self.stream.reserve_capacity(1);
        let mut room = poll_fn(|cx| {
            loop {
                if self.waiting.may_read(cx, self.stream.capacity() > 0) {
                    return Poll::Ready(Ok(()));
                }
                match self.stream.poll_capacity(cx) {
                    Poll::Ready(Some(Ok(_))) => {}
                    Poll::Ready(_) => return Poll::Ready(Err(Unsent::Gone)),
                    Poll::Pending => return self.stream.poll_reset(cx).map(|_| Err(Unsent::Gone)),
                }
            }
        });
        // While the upstream is waited for, the client is not.
        if let Poll::Ready(room) = poll_fn(|cx| Poll::Ready(Pin::new(&mut room).poll(cx))).await {
            return room;
        }
        let waited = timeout(self.pace.wait(), room).await;
        self.pace.took(0);
        self.in_time(waited)
    }

    async fn send_data(&mut self, mut data: Bytes) -> Result<(), Unsent> {
        while !data.is_empty() {
            self.stream.reserve_capacity(data.len());
            let capacity = poll_fn(|cx| {
                loop {
                    // `poll_capacity` tells of a window only once.
                    match self.stream.capacity() {
                        0 => {}
                        capacity => return Poll::Ready(Ok(capacity)),
                    }
                    match self.stream.poll_capacity(cx) {
                        Poll::Ready(Some(Ok(_))) => {}
                        Poll::Ready(_) => return Poll::Ready(Err(Unsent::Gone)),
                        Poll::Pending => return self.stream.poll_reset(cx).map(|_| Err(Unsent::Gone)),
                    }
                }
            });
            let capacity = timeout(self.pace.wait(), capacity).await;
            let capacity = self.in_time(capacity)?;
            let part = data.split_to(capacity.min(data.len()));
            self.pace.took(part.len());
            self.waiting.handed_over(part.len());
            self.stream.send_data(part, false).map_err(|_| Unsent::Gone)?;
        }
        Ok(())
    }

    /// Ends the response, and waits until the connection has written it.
    async fn end(&mut self) -> Result<(), Unsent> {
        self.stream
            .send_data(Bytes::new(), true)
            .map_err(|_| Unsent::Gone)?;
        let written = poll_fn(|cx| match self.waiting.is_written(cx) {
            true => Poll::Ready(Ok(())),
            false => self.stream.poll_reset(cx).map(|_| Err(Unsent::Gone)),
        });
        let written = timeout(self.pace.wait(), written).await;
        self.in_time(written)
    }

    /// Resets the stream if the time for the client is over.
    fn in_time<T>(&mut self, waited: Result<Result<T, Unsent>, Elapsed>) -> Result<T, Unsent> {
        waited.unwrap_or_else(|_| {
            self.stream.send_reset(Reason::CANCEL);
            Err(Unsent::TooSlow)
        })
    }
}

/// Splits off the head, and adds the fields that HTTP/1's encoder adds.
fn split(answer: Answer, date: Option<HeaderValue>) -> (Response<()>, AnswerBody) {
    let mut response = Response::new(());
    *response.status_mut() = answer.status;
    let headers = response.headers_mut();
    for (name, value) in answer.headers {
        headers.append(name, value);
    }
    let length = match &answer.body {
        AnswerBody::None => None,
        AnswerBody::Omitted(length) => Some(*length),
        AnswerBody::Whole(body) => Some(body.len() as u64),
        AnswerBody::Upstream(body) => body.length(),
    };
    if let Some(length) = length {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    if let Some(date) = date.filter(|_| !headers.contains_key(DATE)) {
        headers.insert(DATE, date);
    }
    (response, answer.body)
}

/// Reason why data was not sent.
enum Unsent {
    /// The client reset the stream, or is gone.
    Gone,
    /// The client reads too slowly. The stream is reset.
    TooSlow,
}

impl Unsent {
    /// Notes in the call's outcome that its client reads too slowly, if that is the reason.
    fn of(self, body: &mut UpstreamBody) -> NotTaken {
        if matches!(self, Self::TooSlow) {
            body.read_too_slowly();
        }
        NotTaken
    }
}
