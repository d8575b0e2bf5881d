//! One call under way: its id, when and whence it came, and what is known of it so far.

pub(crate) mod access_log;
pub(crate) mod evidence;
mod id;
pub(crate) mod meter;
pub(crate) mod permit;
pub(crate) mod record;
mod reporting;
mod trace;
pub(crate) mod validity;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokenward_audit::{Record, Verdict};
use tokenward_compiler::ir::LineId;

use self::evidence::{Evidence, line_ref};
pub(crate) use self::id::{REQUEST_ID, RequestId};
pub(crate) use self::reporting::CallReporting;
pub(crate) use self::trace::{TRACEPARENT, TRACESTATE, Trace};
use crate::live::{Live, TokenValidity};
use crate::request::{Framing, RawHead, Reading};
use crate::text::{SHORT, bounded};

/// A call under way.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) id: RequestId,
    pub(crate) began: Instant,
    pub(crate) client: IpAddr,
    /// What the call began with; a reload changes nothing for it.
    pub(crate) live: Arc<Live>,
    /// The recognised token's name.
    pub(crate) token: Option<String>,
    /// The user whom the call is made as.
    pub(crate) user: Option<String>,
    /// The user whom the caller acts for.
    pub(crate) on_behalf_of: Option<String>,
    /// The token works for this caller.
    pub(crate) authenticated: bool,
    /// What it rests on, once it is authenticated.
    pub(crate) validity: Option<TokenValidity>,
    /// The line that denied it.
    pub(crate) line: Option<LineId>,
    /// Time that decisions took.
    pub(crate) deciding: Duration,
    /// What the decision looked at.
    pub(crate) evidence: Evidence,
    /// The trace that it is part of.
    pub(crate) trace: Trace,
    /// Who is told of it beside the audit.
    pub(crate) reporting: CallReporting,
    time_ms: i64,
    method: String,
    url: String,
    client_request_id: Option<String>,
    request_bytes: Option<u64>,
}

impl Call {
    /// A call that has just arrived and been read.
    pub(crate) fn new(
        raw: &RawHead<'_>,
        reading: &Reading,
        client: IpAddr,
        live: Arc<Live>,
        reporting: CallReporting,
    ) -> Self {
        let time_ms = now_ms();
        let id = RequestId::new(time_ms);
        let traced = if reading.traceable { raw.headers } else { &[] };
        Self {
            trace: Trace::of(traced, &id, reporting.spans.is_some()),
            reporting,
            id,
            began: Instant::now(),
            client,
            live,
            token: None,
            user: None,
            on_behalf_of: None,
            authenticated: false,
            validity: None,
            line: None,
            deciding: Duration::ZERO,
            evidence: Evidence::default(),
            time_ms,
            method: reading.shown_method.clone(),
            url: reading.shown_url.clone(),
            client_request_id: reading.client_request_id.clone(),
            request_bytes: match raw.body {
                Framing::None => Some(0),
                Framing::Length(length) => Some(length),
                Framing::Chunked => None,
            },
        }
    }

    /// Now, milliseconds since 1970 UTC, as far as this call is concerned.
    pub(crate) fn time_ms(&self) -> i64 {
        self.time_ms
    }

    /// Whom the upstream is to see: the user acted for, else the token's.
    pub(crate) fn effective_user(&self) -> &str {
        self.on_behalf_of
            .as_deref()
            .or(self.user.as_deref())
            .unwrap_or_default()
    }

    /// The method as sent.
    pub(crate) fn method(&self) -> &str {
        &self.method
    }

    /// The canonical URL, as the audit has it.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Method and URL, for a person.
    pub(crate) fn shown(&self) -> String {
        format!("{} {}", self.method, self.url)
    }

    /// Whether the call changes nothing at the upstream and may pass unrecorded where that is set.
    pub(crate) fn is_safe(&self) -> bool {
        matches!(self.method.as_str(), "GET" | "HEAD")
    }

    /// What the audit gets.
    pub(crate) fn record(&self, verdict: Verdict, reason: &str, line: Option<LineId>) -> Record {
        Record {
            time_ms: self.time_ms,
            request_id: self.id.bytes(),
            client_request_id: self.client_request_id.as_deref().map(|id| bounded(id, SHORT)),
            token: self.token.clone(),
            user: self.user.as_deref().map(|user| bounded(user, SHORT)),
            on_behalf_of: self.on_behalf_of.as_deref().map(|user| bounded(user, SHORT)),
            client: self.client,
            method: bounded(&self.method, SHORT),
            url: bounded(&self.url, LONG),
            line: line.map(|line| line_ref(self.live.program(), line)),
            verdict,
            reason: reason.to_owned(),
            policy: self.live.program().digest().to_owned(),
            request_bytes: self.request_bytes,
            decision_ns: u64::try_from(self.deciding.as_nanos()).unwrap_or(u64::MAX),
            authenticated: self.authenticated,
            nodes: self.evidence.nodes.clone(),
            tried: self.evidence.tried.clone(),
        }
    }
}

/// Bytes of a URL that are recorded as they are, …
const LONG: usize = 16 * 1024;
/// Milliseconds since 1970 UTC.
pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
