//! The upstream's answer on its way to the client.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, LOCATION};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};
use http_body::Body;
use hyper::body::Incoming;
use tokenward_audit::End;
use tokio::time::{Sleep, sleep};

use super::client::UpstreamSettings;
use super::fields::client_headers;
use super::links::Links;
use super::location::redirect;
use crate::live::Standing;
use crate::pep::{Ledger, Permit, RequestId};
use crate::respond::{Answer, AnswerBody, REQUEST_ID};

/// An answer of the upstream, and what of the request bears on it.
pub(crate) struct Forwarded {
    response: Response<Incoming>,
    target: String,
    head: bool,
    safe: bool,
    id: RequestId,
}

impl Forwarded {
    pub(super) fn new(response: Response<Incoming>, permit: &Permit) -> Self {
        let canonical = permit.canonical();
        Self {
            response,
            target: canonical.upstream_target().to_owned(),
            head: canonical.method_text == Method::HEAD.as_str(),
            safe: matches!(canonical.method_text.as_str(), "GET" | "HEAD"),
            id: *permit.id(),
        }
    }

    /// The answer for the client; the ledger is closed when its body ends.
    pub(crate) fn into_answer(self, upstream: &UpstreamSettings, mut ledger: Ledger) -> Answer {
        let (parts, incoming) = self.response.into_parts();
        let mut status = parts.status;
        let mut headers = client_headers(&parts.headers, upstream.cookies());
        for (_, value) in headers.iter_mut().filter(|(name, _)| name == LOCATION) {
            if let Ok(location) = value.to_str() {
                let (new_status, location) =
                    redirect(upstream.places(), self.safe, &self.target, status, location);
                status = new_status;
                *value = HeaderValue::from_str(&location).unwrap_or_else(|_| value.clone());
            }
        }
        headers.push((REQUEST_ID, self.id.header()));
        let links = upstream
            .links()
            .filter(|_| is_plain_json(&parts.headers))
            .map(Links::new);
        if links.is_some() {
            headers.retain(|(name, _)| !DIGESTS.contains(&name.as_str()));
        }
        ledger.status(status.as_u16());
        let body = if self.head {
            ledger.end(End::Complete);
            let length = announced(&parts.headers).filter(|_| links.is_none());
            length.map_or(AnswerBody::None, AnswerBody::Omitted)
        } else if has_no_body(status) {
            ledger.end(End::Complete);
            headers.extend(kept_length(&parts.headers, status).filter(|_| links.is_none()));
            AnswerBody::None
        } else if incoming.size_hint().exact() == Some(0) {
            ledger.end(End::Complete);
            AnswerBody::Whole(Vec::new())
        } else {
            AnswerBody::Upstream(Box::new(UpstreamBody {
                incoming,
                cut: ledger.standing().cloned().map(cut),
                ledger,
                pause: upstream.pause(),
                timer: None,
                links,
            }))
        };
        Answer {
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

/// A 304 may tell the length of what it stands for (RFC 9110 section 8.6).
fn kept_length(headers: &HeaderMap, status: StatusCode) -> Option<(HeaderName, HeaderValue)> {
    let length = announced(headers).filter(|_| status == StatusCode::NOT_MODIFIED)?;
    Some((CONTENT_LENGTH, HeaderValue::from(length)))
}

/// Digests of a body that is changed on the way.
const DIGESTS: [&str; 4] = ["content-digest", "content-md5", "digest", "repr-digest"];

/// Whether the body is JSON that can be looked into.
fn is_plain_json(headers: &HeaderMap) -> bool {
    let Some(Ok(kind)) = headers.get(CONTENT_TYPE).map(HeaderValue::to_str) else {
        return false;
    };
    let essence = kind
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    (essence == "application/json" || essence.ends_with("+json")) && !headers.contains_key(CONTENT_ENCODING)
}

/// A body that streams from the upstream. Dropped before its end it records that the client went away.
#[derive(Debug)]
pub(crate) struct UpstreamBody {
    incoming: Incoming,
    ledger: Ledger,
    cut: Option<Cut>,
    pause: Duration,
    timer: Option<Pin<Box<Sleep>>>,
    /// Links to the upstream's own origin are rewritten; gone when the end of the body was.
    links: Option<Links>,
}

/// Resolves when the call is to be broken off.
pub(crate) struct Cut(Pin<Box<dyn Future<Output = ()> + Send>>);

impl Cut {
    /// Whether it is; if not, the task is woken when it is.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.0.as_mut().poll(cx)
    }
}

impl fmt::Debug for Cut {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Cut")
    }
}

fn cut(standing: Standing) -> Cut {
    Cut(Box::pin(standing.lost()))
}

/// The upstream's body broke off, or paused for too long: the client must not take it for whole.
#[derive(Debug, thiserror::Error)]
#[error("the upstream's answer broke off: {0}")]
pub(crate) struct UpstreamEnd(String);

impl UpstreamBody {
    /// The length of what is still to come, if the upstream told it.
    pub(crate) fn length(&self) -> Option<u64> {
        self.incoming.size_hint().exact().filter(|_| self.links.is_none())
    }

    /// A second watch over what the call rests on, for whoever may be kept from polling the body by a client that takes
    /// nothing.
    pub(crate) fn cut(&self) -> Option<Cut> {
        self.ledger.standing().cloned().map(cut)
    }

    /// The next of the body; `None` at its end.
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, UpstreamEnd>>> {
        if self.cut.as_mut().is_some_and(|cut| cut.poll(cx).is_ready()) {
            self.cut = None;
            self.ledger.end(End::Revoked);
            return Poll::Ready(Some(Err(UpstreamEnd("its token was revoked".to_owned()))));
        }
        loop {
            let Poll::Ready(frame) = Pin::new(&mut self.incoming).poll_frame(cx) else {
                let pause = self.pause;
                let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(pause)));
                ready!(timer.as_mut().poll(cx));
                self.ledger.end(End::Timeout);
                return Poll::Ready(Some(Err(UpstreamEnd("it paused for too long".to_owned()))));
            };
            self.timer = None;
            match frame {
                None => {
                    let rest = self.links.take().map(|mut links| links.finish());
                    if let Some(rest) = rest.filter(|rest| !rest.is_empty()) {
                        return Poll::Ready(Some(Ok(Bytes::from(rest))));
                    }
                    self.ledger.end(End::Complete);
                    return Poll::Ready(None);
                }
                Some(Err(error)) => {
                    self.ledger.end(End::UpstreamFailed);
                    return Poll::Ready(Some(Err(UpstreamEnd(error.to_string()))));
                }
                // Trailers end here: a client that does not want them may take them for fields.
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        self.ledger.received(data.len());
                        let data = match &mut self.links {
                            Some(links) => Bytes::from(links.push(&data)),
                            None => data,
                        };
                        // All of it may be held back.
                        if !data.is_empty() {
                            return Poll::Ready(Some(Ok(data)));
                        }
                    }
                }
            }
        }
    }
}
