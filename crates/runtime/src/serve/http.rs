//! The service that actix-http drives: skeleton requests to calls, answers to responses.

use std::convert::Infallible;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_http::body::{BodySize, BoxBody, MessageBody};
use actix_http::error::DispatchError;
use actix_http::header::{HeaderName, HeaderValue};
use actix_http::{
    ConnectionType, HttpMessage, HttpService, KeepAlive, Request, Response, StatusCode, Version,
};
use actix_server::GracefulShutdownSignal;
use actix_service::{ServiceFactory, fn_service};
use bytes::Bytes;
use futures_util::FutureExt;

use super::stream::Stream;
use super::wire::{Arrival, BodyStream, Connection, Guard, Inbound, Turn};
use crate::admin::Metrics;
use crate::config::Methods;
use crate::pep::{Gate, Headed, Judged, RequestId, now_ms};
use crate::proxy::{Upstream, UpstreamEnd};
use crate::respond::{self, Answer, AnswerBody, Problem};

/// After an answer a body of which no more than this is missing is read to its end, so that the connection is kept.
const DRAINED: u64 = 64 * 1024;

/// What one worker serves with.
pub(super) struct Worker {
    pub(super) gate: std::sync::Arc<Gate>,
    pub(super) upstream: Upstream,
}

/// The service of HTTP/1 connections.
pub(super) fn http1(
    worker: Rc<Worker>,
    shutdown: GracefulShutdownSignal,
) -> impl ServiceFactory<
    (Guard<Stream>, Option<SocketAddr>),
    Config = (),
    Response = (),
    Error = DispatchError,
    InitError = (),
> {
    let expecting = Rc::clone(&worker);
    HttpService::build()
        // The guard keeps all times that concern the client.
        .keep_alive(KeepAlive::Os)
        .client_request_timeout(Duration::ZERO)
        .h1_allow_half_closed(false)
        .graceful_shutdown_signal(move || {
            let shutdown = shutdown.clone();
            async move { shutdown.notified().await }
        })
        .on_connect_ext(|guard: &Guard<Stream>, data| {
            data.insert(Rc::clone(guard.connection()));
        })
        .expect(fn_service(move |request| expect(Rc::clone(&expecting), request)))
        .h1(fn_service(move |request| serve(Rc::clone(&worker), request)))
}

/// A call whose head was judged before its `100 Continue`.
struct Continued {
    judged: Box<Judged>,
    body: BodyStream,
    turn: Turn,
}

/// Judges the head of a request that waits for `100 Continue`; actix-http sends that if the request comes back.
async fn expect(worker: Rc<Worker>, request: Request) -> Result<Request, Refused> {
    let Some((Arrival::Request(Inbound { head, body }), turn)) = arrival(&request) else {
        return Err(Refused(response(respond::bare(400), None, &request)));
    };
    match caught(&worker.gate, worker.gate.judge(&head, turn.peer())).await {
        Ok(Headed::Judged(judged)) => {
            request.extensions_mut().insert(Continued { judged, body, turn });
            Ok(request)
        }
        Ok(Headed::Settled(mut answer)) | Err(mut answer) => {
            // Whether the body comes all the same cannot be known (RFC 9110 section 10.1.1).
            answer.close = true;
            Err(Refused(response(answer, Some(turn), &request)))
        }
    }
}

async fn serve(worker: Rc<Worker>, request: Request) -> Result<Response<AnswerStream>, Infallible> {
    let continued = request.extensions_mut().remove::<Continued>();
    let (answer, turn) = match continued {
        Some(Continued { judged, body, turn }) => {
            let call = worker.gate.proceed(*judged, body, &worker.upstream);
            (
                caught(&worker.gate, call).await.unwrap_or_else(|failed| failed),
                Some(turn),
            )
        }
        None => match arrival(&request) {
            Some((Arrival::Request(inbound), turn)) => {
                let call = whole(&worker, inbound, turn.peer());
                (
                    caught(&worker.gate, call).await.unwrap_or_else(|failed| failed),
                    Some(turn),
                )
            }
            Some((Arrival::Violation(violation), turn)) => {
                worker.gate.metrics.violated(violation);
                (respond::bare(violation.status()), Some(turn))
            }
            None => (respond::bare(400), None),
        },
    };
    Ok(response(answer, turn, &request))
}

async fn whole(worker: &Worker, inbound: Inbound, peer: IpAddr) -> Answer {
    match worker.gate.judge(&inbound.head, peer).await {
        Headed::Judged(judged) => worker.gate.proceed(*judged, inbound.body, &worker.upstream).await,
        Headed::Settled(answer) => answer,
    }
}

/// Runs a call; a panic in it is counted, and answered.
pub(super) async fn caught<T>(gate: &Gate, call: impl Future<Output = T>) -> Result<T, Answer> {
    catch(&gate.metrics, gate.auth.methods(), call).await
}

async fn catch<T>(metrics: &Metrics, methods: Methods, call: impl Future<Output = T>) -> Result<T, Answer> {
    match AssertUnwindSafe(call).catch_unwind().await {
        Ok(value) => Ok(value),
        Err(_) => {
            let id = RequestId::new(now_ms());
            metrics.panicked();
            tracing::error!(request_id = %id, "a request met a fault of the proxy");
            let mut answer = respond::problem(&Problem::Internal, &id, methods);
            answer.close = true;
            Err(answer)
        }
    }
}

/// What the skeleton stands for.
fn arrival(request: &Request) -> Option<(Arrival, Turn)> {
    let connection = request.conn_data::<Rc<Connection>>()?;
    let number = request.path().strip_prefix('/')?.parse().ok()?;
    connection.take(number)
}

/// The response that actix-http encodes.
fn response(answer: Answer, turn: Option<Turn>, request: &Request) -> Response<AnswerStream> {
    let left = turn.as_ref().and_then(Turn::unread).unwrap_or_default();
    let mut close = answer.close || left > DRAINED;
    if let (Some(turn), AnswerBody::Upstream(body)) = (&turn, &answer.body) {
        turn.cut_by(body.cut());
    }
    let body = AnswerStream {
        body: answer.body,
        turn,
    };
    let status = StatusCode::from_u16(answer.status.as_u16()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let http10 = request.version() < Version::HTTP_11;
    let until_close = http10 && body.size() == BodySize::Stream;
    close |= until_close;
    let mut response = Response::with_body(status, body);
    let head = response.head_mut();
    for (name, value) in &answer.headers {
        let name = HeaderName::from_bytes(name.as_str().as_bytes());
        let value = HeaderValue::from_bytes(value.as_bytes());
        if let (Ok(name), Ok(value)) = (name, value) {
            head.headers_mut().append(name, value);
        }
    }
    // HTTP/1.0 has no chunks.
    head.no_chunking(until_close);
    if close {
        head.set_connection_type(ConnectionType::Close);
    }
    response
}

/// An answer instead of `100 Continue`.
#[derive(Debug)]
struct Refused(Response<AnswerStream>);

impl From<Refused> for Response<BoxBody> {
    fn from(refused: Refused) -> Self {
        refused.0.map_body(|_, body| BoxBody::new(body))
    }
}

/// A body that actix-http encodes. It is dropped when the answer is complete, and the turn with it.
#[derive(Debug)]
struct AnswerStream {
    body: AnswerBody,
    turn: Option<Turn>,
}

impl MessageBody for AnswerStream {
    type Error = UpstreamEnd;

    fn size(&self) -> BodySize {
        match &self.body {
            AnswerBody::None => BodySize::None,
            AnswerBody::Omitted(length) => BodySize::Sized(*length),
            AnswerBody::Whole(body) => BodySize::Sized(body.len() as u64),
            AnswerBody::Upstream(body) => body.length().map_or(BodySize::Stream, BodySize::Sized),
        }
    }

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, UpstreamEnd>>> {
        let this = self.get_mut();
        match &mut this.body {
            AnswerBody::None | AnswerBody::Omitted(_) => Poll::Ready(None),
            AnswerBody::Whole(body) if body.is_empty() => Poll::Ready(None),
            AnswerBody::Whole(body) => Poll::Ready(Some(Ok(Bytes::from(std::mem::take(body))))),
            AnswerBody::Upstream(body) => {
                let next = body.poll_next(cx);
                if let (Poll::Ready(Some(Err(_))), Some(turn)) = (&next, &this.turn) {
                    turn.reset();
                }
                next
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_answered_and_counted() {
        let metrics = Metrics::default();
        let answer = catch(&metrics, Methods::Basic, async { panic!("on purpose") }).await;
        let answer: Answer = answer.map(|(): ()| ()).unwrap_err();
        assert_eq!(answer.status.as_u16(), 500);
        assert!(answer.close);
        let text = metrics.render(&prometheus_client::registry::Registry::default());
        assert!(text.contains("tokenward_panics_total 1"), "{text}");
    }
}
