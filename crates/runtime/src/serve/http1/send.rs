//! Sends a response as bytes on the connection.

use std::future::poll_fn;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::HeaderValue;
use tokenward_pdp::buffers::give_back_fields;
use tokenward_pdp::request::Version;
use tokenward_pdp::wire::WireHead;
use tokenward_pdp::wire::encode::{AnswerHead, BodyEncoder, BodySize};
use tokio::task::yield_now;

use super::connection::{Connection, Lost};
use crate::proxy::{Answer, AnswerBody, UpstreamBody};

/// After a response, the rest of a body is read to its end if it is at most this long, so that the connection is kept.
const DRAINED: u64 = 64 * 1024;

/// The facts of a request that affect how its response is written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Request {
    version: Version,
    is_head: bool,
    persists: bool,
}

impl Request {
    /// Takes the facts from the head of a request.
    pub(super) fn of(head: &WireHead) -> Self {
        Self {
            version: head.version(),
            is_head: head.method() == "HEAD",
            persists: head.persists,
        }
    }

    /// Facts for bytes that are not a request.
    pub(super) fn broken() -> Self {
        Self {
            version: Version::Http11,
            is_head: false,
            persists: false,
        }
    }
}

/// Whether the connection is kept after a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Persistence {
    Keep,
    Close,
}

/// Sends an answer. If its body breaks off, the connection is reset when it is dropped.
///
/// # Errors
/// The client does not accept the complete response, or the upstream's body broke off.
pub(super) async fn send(
    connection: &mut Connection,
    mut answer: Answer,
    request: Request,
    stopping: bool,
    date: Option<HeaderValue>,
) -> Result<Persistence, Lost> {
    let close = stopping || answer.close || !request.persists || connection.unread() > DRAINED;
    let head = AnswerHead {
        version: request.version,
        to_head: request.is_head,
        status: answer.status,
        headers: &answer.headers,
        size: size(&answer.body),
        close,
        date: date.as_ref(),
    };
    connection.begin_answer();
    let mut encoder = head.encode(connection.output.buffer());
    give_back_fields(std::mem::take(&mut answer.headers));
    let until_close = encoder.is_until_close();
    match answer.body {
        AnswerBody::Whole(body) => {
            let framed = encoder.frame(Bytes::from(body), connection.output.buffer());
            connection.output.push(framed);
        }
        AnswerBody::Upstream(body) if !request.is_head => {
            let mut sending = Sending { body, encoder };
            sending.send(connection).await?;
        }
        AnswerBody::None | AnswerBody::Omitted(_) | AnswerBody::Upstream(_) => {}
    }
    connection.flush().await?;
    connection.answering = false;
    Ok(if close || until_close {
        Persistence::Close
    } else {
        Persistence::Keep
    })
}

fn size(body: &AnswerBody) -> BodySize {
    match body {
        AnswerBody::None => BodySize::None,
        AnswerBody::Omitted(length) => BodySize::Known(*length),
        AnswerBody::Whole(body) => BodySize::Known(body.len() as u64),
        AnswerBody::Upstream(body) => body.length().map_or(BodySize::Unknown, BodySize::Known),
    }
}

/// A body on its way from the upstream to the client.
struct Sending {
    body: Box<UpstreamBody>,
    encoder: BodyEncoder,
}

/// State of the output after filling it.
#[derive(PartialEq, Eq)]
enum Filled {
    /// The output has no room for more.
    Full,
    /// The upstream has no more yet; the task is woken when it has.
    Waiting,
    /// The body is complete.
    Ended,
}

impl Sending {
    /// Puts all of the body into the output, and writes it as long as there is more.
    ///
    /// # Errors
    /// The body ended early, or the client does not accept it.
    async fn send(&mut self, connection: &mut Connection) -> Result<(), Lost> {
        match poll_fn(|cx| Poll::Ready(self.fill(cx, connection))).await? {
            Filled::Ended => return Ok(()),
            Filled::Full => {}
            // Many upstreams write the head and a small body one after the other. After a turn of the worker both are there,
            // and then one write takes all.
            Filled::Waiting => yield_now().await,
        }
        poll_fn(|cx| self.poll(cx, connection)).await
    }

    /// Ready when all of the body is in the output.
    fn poll(&mut self, cx: &mut Context<'_>, connection: &mut Connection) -> Poll<Result<(), Lost>> {
        let gone = connection.poll_inbound(cx).is_ready();
        loop {
            let filled = match self.fill(cx, connection) {
                Ok(Filled::Ended) => return Poll::Ready(Ok(())),
                Ok(filled) => filled,
                Err(lost) => return Poll::Ready(Err(lost)),
            };
            if gone {
                return Poll::Ready(Err(Lost));
            }
            match connection.poll_write(cx) {
                Poll::Ready(Ok(())) if filled == Filled::Full => {}
                Poll::Ready(Ok(())) => return Poll::Pending,
                Poll::Ready(Err(lost)) => {
                    if connection.is_too_slow() {
                        self.body.read_too_slowly();
                    }
                    return Poll::Ready(Err(lost));
                }
                // The body is not polled while the client accepts nothing. Cancellation is checked here, and the request's rest sent.
                Poll::Pending => return self.body.poll_aside(cx).map(|_| Err(Lost)),
            }
        }
    }

    fn fill(&mut self, cx: &mut Context<'_>, connection: &mut Connection) -> Result<Filled, Lost> {
        let output = &mut connection.output;
        while output.has_room() {
            match self.body.poll_next(cx) {
                Poll::Pending => return Ok(Filled::Waiting),
                Poll::Ready(Some(Ok(data))) => {
                    let framed = self.encoder.frame(data, output.buffer());
                    output.push(framed);
                }
                Poll::Ready(Some(Err(_))) => return Err(Lost),
                Poll::Ready(None) => {
                    self.encoder.end(output.buffer()).map_err(|_| Lost)?;
                    return Ok(Filled::Ended);
                }
            }
        }
        Ok(Filled::Full)
    }
}
