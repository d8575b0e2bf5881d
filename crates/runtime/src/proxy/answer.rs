//! The upstream's response on its way to the client.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, LOCATION};
use http::{HeaderName, HeaderValue, StatusCode};
use tokenward_audit::End;
use tokenward_pdp::wire::response::ResponseHead;
use tokio::time::{Sleep, sleep};

use super::exchange::Exchange;
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
    status: StatusCode,
    fields: Vec<(HeaderName, HeaderValue)>,
    exchange: Exchange,
    /// Path and query that were sent upstream, if the response is a redirect.
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
        head: ResponseHead,
        exchange: Exchange,
        permit: &Permit,
        upstream: &UpstreamSettings,
        address: Arc<str>,
    ) -> Self {
        let canonical = permit.canonical();
        Self {
            streams: upstream.streams(&canonical.path) || is_event_stream(&head.fields),
            status: head.status,
            target: match find(&head.fields, &LOCATION) {
                Some(_) => canonical.upstream_target().to_owned(),
                None => String::new(),
            },
            fields: head.fields,
            exchange,
            head: canonical.method_text == "HEAD",
            safe: matches!(&*canonical.method_text, "GET" | "HEAD"),
            id: *permit.id(),
            address,
        }
    }

    /// Makes the client's response. The outcome is recorded when its body ends.
    pub(crate) fn into_answer(self, upstream: &UpstreamSettings, mut outcome: OutcomeRecorder) -> Answer {
        let (mut status, mut headers, exchange) = (self.status, self.fields, self.exchange);
        let announced = announced(&headers);
        let (is_json, is_text) = (is_plain_json(&headers), is_text(&headers));
        client_headers(&mut headers, upstream.cookies());
        let names_upstream = |headers: &[(HeaderName, HeaderValue)]| {
            let watch = upstream.watch()?;
            headers
                .iter()
                .any(|(_, value)| watch.is_in(value))
                .then_some(watch)
        };
        let named = names_upstream(&headers);
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
        let shown = named.is_some() && names_upstream(&headers).is_some();
        match named {
            Some(watch) if shown => {
                watch.report(upstream.links().is_some());
                outcome.shows_upstream();
            }
            Some(watch) => watch.report_rewritten(),
            None => {}
        }
        headers.push((REQUEST_ID, self.id.header()));
        // A body with rewritten links no longer matches its digests.
        let links = upstream.links().filter(|_| is_json).map(Links::new);
        // A response that is counted for its headers is not counted again for its body.
        let watch = upstream
            .watch()
            .filter(|_| !shown && links.is_none() && is_text)
            .cloned();
        if links.is_some() {
            headers.retain(|(name, _)| !DIGESTS.contains(&name.as_str()));
        }
        outcome.status(status.as_u16());
        // A response without a body ends here; otherwise the body records the end.
        let body = if self.head {
            outcome.end(End::Complete);
            let length = announced.filter(|_| links.is_none());
            length.map_or(AnswerBody::None, AnswerBody::Omitted)
        } else if has_no_body(status) {
            outcome.end(End::Complete);
            headers.extend(kept_length(announced, status).filter(|_| links.is_none()));
            AnswerBody::None
        } else if exchange.is_complete() {
            outcome.end(End::Complete);
            AnswerBody::Whole(Vec::new())
        } else {
            AnswerBody::Upstream(Box::new(UpstreamBody {
                exchange,
                address: self.address,
                cut: outcome.validity().cloned().map(Cut::new),
                id: self.id,
                outcome,
                pause: upstream.pause(self.streams),
                timer: None,
                rewriting: upstream.links().is_some(),
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

fn announced(fields: &[(HeaderName, HeaderValue)]) -> Option<u64> {
    find(fields, &CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn find<'f>(fields: &'f [(HeaderName, HeaderValue)], wanted: &HeaderName) -> Option<&'f HeaderValue> {
    let found = fields.iter().find(|(name, _)| name == wanted);
    found.map(|(_, value)| value)
}

/// Keeps the length in a 304 response, which describes the body that a 200 would have (RFC 9110 section 8.6).
fn kept_length(announced: Option<u64>, status: StatusCode) -> Option<(HeaderName, HeaderValue)> {
    let length = announced.filter(|_| status == StatusCode::NOT_MODIFIED)?;
    Some((CONTENT_LENGTH, HeaderValue::from(length)))
}

/// Headers with digests of a body, which is changed here.
const DIGESTS: [&str; 4] = ["content-digest", "content-md5", "digest", "repr-digest"];

/// Whether the body is uncompressed JSON.
fn is_plain_json(fields: &[(HeaderName, HeaderValue)]) -> bool {
    let essence = essence(fields);
    (essence.eq_ignore_ascii_case(b"application/json") || ends(essence, b"+json"))
        && find(fields, &CONTENT_ENCODING).is_none()
}

/// Whether the body is uncompressed text, in which an address of the upstream can be found.
fn is_text(fields: &[(HeaderName, HeaderValue)]) -> bool {
    let essence = essence(fields);
    let begins = essence
        .get(..5)
        .is_some_and(|begin| begin.eq_ignore_ascii_case(b"text/"));
    (begins || ends(essence, b"json") || ends(essence, b"xml")) && find(fields, &CONTENT_ENCODING).is_none()
}

/// Whether the body is a stream of events, which may pause for long.
fn is_event_stream(fields: &[(HeaderName, HeaderValue)]) -> bool {
    essence(fields).eq_ignore_ascii_case(b"text/event-stream")
}

/// Whether the text ends so, in any letter case.
fn ends(text: &[u8], end: &[u8]) -> bool {
    let at = text.len().checked_sub(end.len());
    at.and_then(|at| text.get(at..))
        .is_some_and(|last| last.eq_ignore_ascii_case(end))
}

/// Gives the media type of the body, without parameters; empty if there is none.
fn essence(fields: &[(HeaderName, HeaderValue)]) -> &[u8] {
    let kind = find(fields, &CONTENT_TYPE).map(HeaderValue::as_bytes);
    let essence = kind.unwrap_or_default().split(|byte| *byte == b';').next();
    essence.unwrap_or_default().trim_ascii()
}

/// A body that streams from the upstream. If it is dropped before its end, it records that the client closed the
/// connection.
#[derive(Debug)]
pub(crate) struct UpstreamBody {
    exchange: Exchange,
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
    /// Whether links in JSON are rewritten. This body may be of another type.
    rewriting: bool,
}

/// The end of a call whose token is revoked.
struct Cut {
    validity: TokenValidity,
    /// Wakes the task; `None` as long as nothing has waited.
    lost: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl Cut {
    fn new(validity: TokenValidity) -> Self {
        Self { validity, lost: None }
    }

    /// Whether the token is revoked. A body that never waits learns it only here: by the time at which [`Self::poll`] is asked,
    /// the task may have used up its turn, and then everything in it seems to wait.
    fn is_due(&self) -> bool {
        self.validity.is_lost()
    }

    /// Ready when the token is revoked; otherwise the task is woken when it is.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Self { validity, lost } = self;
        let lost = lost.get_or_insert_with(|| Box::pin(validity.clone().lost()));
        lost.as_mut().poll(cx)
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
        self.exchange.length().filter(|_| self.links.is_none())
    }

    /// Ready if the call must be cancelled; otherwise the task is woken when it must. Sends what is left of the request
    /// meanwhile. [`Self::poll_next`] does both too. This function is for a sender that waits for its client and does not
    /// ask for more.
    pub(crate) fn poll_aside(&mut self, cx: &mut Context<'_>) -> Poll<BrokenOff> {
        if let Poll::Ready(broken) = self.exchange.poll_send(cx) {
            return Poll::Ready(self.break_off(End::UpstreamFailed, &broken));
        }
        self.poll_cut(cx)
    }

    fn poll_cut(&mut self, cx: &mut Context<'_>) -> Poll<BrokenOff> {
        let Some(cut) = &mut self.cut else {
            return Poll::Pending;
        };
        ready!(cut.poll(cx));
        Poll::Ready(self.cut_off())
    }

    fn cut_off(&mut self) -> BrokenOff {
        self.cut = None;
        self.break_off(End::Revoked, &"its token was revoked")
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
        if self.cut.as_ref().is_some_and(Cut::is_due) {
            return Poll::Ready(Some(Err(self.cut_off())));
        }
        loop {
            let Poll::Ready(data) = self.exchange.poll_data(cx) else {
                if let Poll::Ready(broken) = self.poll_cut(cx) {
                    return Poll::Ready(Some(Err(broken)));
                }
                let pause = self.pause;
                let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(pause)));
                ready!(timer.as_mut().poll(cx));
                let broken = self.break_off(End::Timeout, &"the upstream paused for too long");
                return Poll::Ready(Some(Err(broken)));
            };
            self.timer = None;
            match data {
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
                Some(Ok(data)) => {
                    self.outcome.received(data.len());
                    if let Some(watch) = &mut self.watch
                        && watch.finds(&data)
                    {
                        watch.report(self.rewriting);
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

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;
    use crate::live::Revocations;

    #[tokio::test]
    async fn a_revocation_is_noticed_by_a_task_that_has_used_up_its_turn() {
        let folder = tempfile::tempdir().unwrap();
        let revocations = Arc::new(Revocations::open(&folder.path().join("revoked")).unwrap());
        let mut cut = Cut::new(revocations.validity([[1; 32], [1; 32]]));
        let mut cx = Context::from_waker(Waker::noop());
        assert!(!cut.is_due() && cut.poll(&mut cx).is_pending());
        revocations.add([[1; 32]]).unwrap();
        while tokio::task::coop::has_budget_remaining() {
            tokio::task::consume_budget().await;
        }
        assert!(cut.poll(&mut cx).is_pending(), "everything seems to wait");
        assert!(cut.is_due());
    }
}
