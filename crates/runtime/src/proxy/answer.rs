//! The upstream's response on its way to the client.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, LOCATION};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};
use http_body::{Body, Frame};
use hyper::body::Incoming;
use tokenward_audit::End;
use tokio::time::{Sleep, sleep};

use super::fields::client_headers;
use super::links::{Links, Watch};
use super::location::redirect;
use super::references::{self, characters, header};
use super::settings::UpstreamSettings;
use crate::call::permit::Permit;
use crate::call::record::OutcomeRecorder;
use crate::call::{REQUEST_ID, RequestId};
use crate::limiter::InFlight;
use crate::live::TokenValidity;

/// A response of the upstream, and the facts of the request that affect it.
pub(crate) struct Forwarded {
    response: Response<Incoming>,
    target: String,
    /// Whether the path is one whose responses are streams.
    streams: bool,
    head: bool,
    safe: bool,
    id: RequestId,
    /// The upstream's address that sent it.
    address: Arc<str>,
}

impl Forwarded {
    pub(super) fn new(
        response: Response<Incoming>,
        permit: &Permit,
        upstream: &UpstreamSettings,
        address: Arc<str>,
    ) -> Self {
        let canonical = permit.canonical();
        Self {
            streams: upstream.streams(&canonical.path) || is_event_stream(response.headers()),
            response,
            target: canonical.upstream_target().to_owned(),
            head: canonical.method_text == Method::HEAD.as_str(),
            safe: matches!(canonical.method_text.as_str(), "GET" | "HEAD"),
            id: *permit.id(),
            address,
        }
    }

    /// Makes the client's response. The outcome is recorded when its body ends.
    pub(crate) fn into_answer(self, upstream: &UpstreamSettings, mut outcome: OutcomeRecorder) -> Answer {
        let (parts, incoming) = self.response.into_parts();
        let mut status = parts.status;
        let mut headers = client_headers(&parts.headers, upstream.cookies());
        // Redirects must not lead around the proxy.
        for (_, value) in headers.iter_mut().filter(|(name, _)| name == LOCATION) {
            let (new_status, location) = redirect(
                upstream.places(),
                self.safe,
                &self.target,
                status,
                &characters(value),
            );
            status = new_status;
            *value = header(&location).unwrap_or_else(|| value.clone());
        }
        headers
            .iter_mut()
            .for_each(|field| references::rewrite(upstream.places(), field));
        headers.push((REQUEST_ID, self.id.header()));
        // A body with rewritten links no longer matches its digests.
        let links = upstream
            .links()
            .filter(|_| is_plain_json(&parts.headers))
            .map(Links::new);
        let watch = upstream
            .watch()
            .filter(|_| links.is_none() && is_text(&parts.headers));
        if links.is_some() {
            headers.retain(|(name, _)| !DIGESTS.contains(&name.as_str()));
        }
        outcome.status(status.as_u16());
        // A response without a body ends here; otherwise the body records the end.
        let body = if self.head {
            outcome.end(End::Complete);
            let length = announced(&parts.headers).filter(|_| links.is_none());
            length.map_or(AnswerBody::None, AnswerBody::Omitted)
        } else if has_no_body(status) {
            outcome.end(End::Complete);
            headers.extend(kept_length(&parts.headers, status).filter(|_| links.is_none()));
            AnswerBody::None
        } else if incoming.size_hint().exact() == Some(0) {
            outcome.end(End::Complete);
            AnswerBody::Whole(Vec::new())
        } else {
            AnswerBody::Upstream(Box::new(UpstreamBody {
                incoming,
                address: self.address,
                cut: outcome.validity().cloned().map(Cut::new),
                id: self.id,
                outcome,
                pause: upstream.pause(self.streams),
                timer: None,
                links,
                watch,
            }))
        };
        Answer {
            held: None,
            status,
            headers,
            body,
            close: false,
        }
    }
}

fn has_no_body(status: StatusCode) -> bool {
    matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
}

fn announced(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Keeps the length in a 304 response, which describes the body that a 200 would have (RFC 9110 section 8.6).
fn kept_length(headers: &HeaderMap, status: StatusCode) -> Option<(HeaderName, HeaderValue)> {
    let length = announced(headers).filter(|_| status == StatusCode::NOT_MODIFIED)?;
    Some((CONTENT_LENGTH, HeaderValue::from(length)))
}

/// Headers with digests of a body, which is changed here.
const DIGESTS: [&str; 4] = ["content-digest", "content-md5", "digest", "repr-digest"];

/// Whether the body is uncompressed JSON.
fn is_plain_json(headers: &HeaderMap) -> bool {
    let essence = essence(headers);
    (essence == "application/json" || essence.ends_with("+json")) && !headers.contains_key(CONTENT_ENCODING)
}

/// Whether the body is uncompressed text, in which an address of the upstream can be found.
fn is_text(headers: &HeaderMap) -> bool {
    let essence = essence(headers);
    let is_text = essence.starts_with("text/") || ["json", "xml"].iter().any(|end| essence.ends_with(end));
    is_text && !headers.contains_key(CONTENT_ENCODING)
}

/// Whether the body is a stream of events, which may pause for long.
fn is_event_stream(headers: &HeaderMap) -> bool {
    essence(headers) == "text/event-stream"
}

/// Gives the media type of the body in lower case, without parameters; empty if there is none.
fn essence(headers: &HeaderMap) -> String {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let essence = kind.unwrap_or_default().split(';').next();
    essence.unwrap_or_default().trim().to_ascii_lowercase()
}

/// A body that streams from the upstream. If it is dropped before its end, it records that the client closed the
/// connection.
#[derive(Debug)]
pub(crate) struct UpstreamBody {
    incoming: Incoming,
    /// The upstream's address that sends it.
    address: Arc<str>,
    id: RequestId,
    outcome: OutcomeRecorder,
    cut: Option<Cut>,
    pause: Duration,
    timer: Option<Pin<Box<Sleep>>>,
    /// Rewrites links to the upstream's own origin; `None` after the end of the body.
    links: Option<Links>,
    /// Looks for the upstream's own address, if links are not rewritten; `None` once it was found.
    watch: Option<Watch>,
}

/// Resolves when the token that the call depends on is revoked.
struct Cut(Pin<Box<dyn Future<Output = ()> + Send>>);

impl Cut {
    fn new(validity: TokenValidity) -> Self {
        Self(Box::pin(validity.lost()))
    }
}

impl fmt::Debug for Cut {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Cut")
    }
}

/// The body ended early: the client must not take it for complete.
#[derive(Debug)]
pub(crate) struct BrokenOff;

impl UpstreamBody {
    /// Gives the length of the rest of the body, if the upstream sent it.
    pub(crate) fn length(&self) -> Option<u64> {
        self.incoming.size_hint().exact().filter(|_| self.links.is_none())
    }

    /// Ready if the call must be cancelled; otherwise the task is woken when it must. [`Self::poll_next`] checks this
    /// too. This function is for a sender that waits for its client and does not ask for more.
    pub(crate) fn poll_cut(&mut self, cx: &mut Context<'_>) -> Poll<BrokenOff> {
        let Some(cut) = &mut self.cut else {
            return Poll::Pending;
        };
        ready!(cut.0.as_mut().poll(cx));
        self.cut = None;
        Poll::Ready(self.break_off(End::Revoked, &"its token was revoked"))
    }

    /// Ends the body because the client reads it too slowly.
    pub(crate) fn read_too_slowly(&mut self) {
        self.outcome.read_too_slowly();
        self.break_off(End::Timeout, &"the client reads it too slowly");
    }

    /// Gives the next part of the body; `None` at its end.
    ///
    /// # Errors
    /// The upstream closed the connection early or paused for too long, or the token was revoked. The log has the
    /// reason.
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BrokenOff>>> {
        if let Poll::Ready(broken) = self.poll_cut(cx) {
            return Poll::Ready(Some(Err(broken)));
        }
        loop {
            let Poll::Ready(frame) = self.poll_frame(cx) else {
                let pause = self.pause;
                let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(pause)));
                ready!(timer.as_mut().poll(cx));
                let broken = self.break_off(End::Timeout, &"the upstream paused for too long");
                return Poll::Ready(Some(Err(broken)));
            };
            self.timer = None;
            match frame {
                None => {
                    let rest = self.links.take().map(|mut links| links.finish());
                    if let Some(rest) = rest.filter(|rest| !rest.is_empty()) {
                        return Poll::Ready(Some(Ok(Bytes::from(rest))));
                    }
                    self.outcome.end(End::Complete);
                    return Poll::Ready(None);
                }
                Some(Err(error)) => {
                    return Poll::Ready(Some(Err(self.break_off(End::UpstreamFailed, &error))));
                }
                // Trailers are dropped: a client that does not expect them may take them for fields.
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        self.outcome.received(data.len());
                        if let Some(watch) = &mut self.watch
                            && watch.finds(&data)
                        {
                            watch.report();
                            self.outcome.shows_upstream();
                            self.watch = None;
                        }
                        let data = match &mut self.links {
                            Some(links) => Bytes::from(links.push(&data)),
                            None => data,
                        };
                        // The rewriter may hold all of it back.
                        if !data.is_empty() {
                            return Poll::Ready(Some(Ok(data)));
                        }
                    }
                }
            }
        }
    }

    /// Gives the next frame. A body is complete when its announced length has arrived; hyper reports that only after
    /// its own task has run again.
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<hyper::Result<Frame<Bytes>>>> {
        if self.incoming.is_end_stream() {
            return Poll::Ready(None);
        }
        Pin::new(&mut self.incoming).poll_frame(cx)
    }

    fn break_off(&mut self, end: End, reason: &dyn fmt::Display) -> BrokenOff {
        tracing::warn!(
            request_id = %self.id,
            address = &*self.address,
            error = reason.to_string(),
            "response cut short"
        );
        self.outcome.end(end);
        BrokenOff
    }
}

/// A response on its way to the client.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The call, in the budget of calls, until the response is sent. If there is none, nothing waits for the client.
    pub(crate) held: Option<InFlight>,
    pub(crate) status: StatusCode,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) body: AnswerBody,
    /// Whether the connection is closed after it.
    pub(crate) close: bool,
}

/// The body of a response.
#[derive(Debug)]
pub(crate) enum AnswerBody {
    /// No body, and no `Content-Length` except one among the headers.
    None,
    /// No body, in response to HEAD, but its length is sent.
    Omitted(u64),
    /// A complete body.
    Whole(Vec<u8>),
    /// A body that streams from the upstream.
    Upstream(Box<UpstreamBody>),
}

impl Answer {
    /// Removes the body, for a response to HEAD.
    pub(crate) fn without_body(self) -> Self {
        let body = match self.body {
            AnswerBody::Whole(body) => AnswerBody::Omitted(body.len() as u64),
            body => body,
        };
        Self { body, ..self }
    }
}
