//! Sends a response as frames.

use std::future::poll_fn;
use std::task::Poll;

use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason, SendStream};
use http::header::{CONTENT_LENGTH, DATE};
use http::{HeaderValue, Response};
use tokio::task::yield_now;
use tokio::time::timeout;

use crate::proxy::{Answer, AnswerBody, UpstreamBody};
use crate::serve::reader_pace::{ReaderLimits, ReaderPace};

/// The response was not sent completely: the client reset the stream, is gone, or accepts no bytes.
pub(super) struct NotTaken;

/// Sends a response. If the upstream's body ends early, the stream is reset, so that no client takes a part for the
/// whole.
///
/// # Errors
/// The client does not accept it.
pub(super) async fn send(
    answer: Answer,
    respond: &mut SendResponse<Bytes>,
    reading: ReaderLimits,
    date: Option<HeaderValue>,
) -> Result<(), NotTaken> {
    let (head, body) = split(answer, date);
    let empty = match &body {
        AnswerBody::None | AnswerBody::Omitted(_) => true,
        AnswerBody::Whole(body) => body.is_empty(),
        AnswerBody::Upstream(_) => false,
    };
    let mut pace = ReaderPace::new(reading);
    let mut stream = respond.send_response(head, empty).map_err(|_| NotTaken)?;
    match body {
        AnswerBody::Whole(body) if !empty => {
            send_data(&mut stream, Bytes::from(body), &mut pace)
                .await
                .map_err(|_| NotTaken)?;
        }
        AnswerBody::Upstream(body) => return send_upstream(*body, &mut stream, pace).await,
        _ => return Ok(()),
    }
    stream.send_data(Bytes::new(), true).map_err(|_| NotTaken)
}

async fn send_upstream(
    mut body: UpstreamBody,
    stream: &mut SendStream<Bytes>,
    mut pace: ReaderPace,
) -> Result<(), NotTaken> {
    loop {
        let next = poll_fn(|cx| match body.poll_next(cx) {
            Poll::Ready(next) => Poll::Ready(Ok(next)),
            Poll::Pending => stream.poll_reset(cx).map(|_| Err(NotTaken)),
        });
        let data = match next.await? {
            Some(Ok(data)) => data,
            Some(Err(_)) => break,
            None => return stream.send_data(Bytes::new(), true).map_err(|_| NotTaken),
        };
        // The body is not polled while the client accepts nothing. Cancellation is checked here, and the request's rest sent.
        let cut = poll_fn(|cx| body.poll_aside(cx));
        tokio::select! {
            biased;
            _ = cut => break,
            sent = send_data(stream, data, &mut pace) => match sent {
                Ok(()) => {}
                Err(Unsent::Gone) => return Err(NotTaken),
                Err(Unsent::TooSlow) => {
                    body.read_too_slowly();
                    return Err(NotTaken);
                }
            },
        }
    }
    // A reset takes back what is not written yet, and the client learns the status if the connection writes first. It is
    // polled in the same task, in any order: once the task was left twice, it was polled.
    yield_now().await;
    yield_now().await;
    stream.send_reset(Reason::INTERNAL_ERROR);
    Ok(())
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

async fn send_data(
    stream: &mut SendStream<Bytes>,
    mut data: Bytes,
    pace: &mut ReaderPace,
) -> Result<(), Unsent> {
    while !data.is_empty() {
        stream.reserve_capacity(data.len());
        let capacity = poll_fn(|cx| match stream.poll_capacity(cx) {
            Poll::Ready(Some(Ok(capacity))) => Poll::Ready(Ok(capacity)),
            Poll::Ready(_) => Poll::Ready(Err(Unsent::Gone)),
            Poll::Pending => stream.poll_reset(cx).map(|_| Err(Unsent::Gone)),
        });
        let Ok(capacity) = timeout(pace.wait(), capacity).await else {
            stream.send_reset(Reason::CANCEL);
            return Err(Unsent::TooSlow);
        };
        let part = data.split_to(capacity?.min(data.len()));
        pace.took(part.len());
        stream.send_data(part, false).map_err(|_| Unsent::Gone)?;
    }
    Ok(())
}
