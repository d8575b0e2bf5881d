//! One call in progress: its id, time and client, and the facts known so far.

pub(crate) mod access_log;
mod id;
pub(crate) mod meter;
pub(crate) mod permit;
mod random;
pub(crate) mod record;
mod reporting;
mod trace;
pub(crate) mod validity;

use std::borrow::Cow;
use std::fmt::Write as _;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokenward_audit::{LineText, PackedRecord, RecordRef, Verdict};
use tokenward_compiler::ir::{LineId, TokenId};
use tokenward_pdp::buffers::TextBuffer;
use tokenward_pdp::evidence::Evidence;
use tokenward_pdp::problem::{Level, Shortfall};
use tokenward_pdp::request::{Framing, Opened, RawHead};
use tokenward_pdp::secret::SecretHash;
use tokenward_pdp::text::{SHORT, shortened};

pub(crate) use self::id::{REQUEST_ID, RequestId};
pub(crate) use self::reporting::CallReporting;
pub(crate) use self::trace::Trace;
use crate::limiter::{Admitted, InFlight};
use crate::live::{Live, TokenValidity};

/// A call in progress.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) id: RequestId,
    pub(crate) began: Instant,
    pub(crate) client: IpAddr,
    /// The policy at the beginning of the call. A reload does not change it.
    pub(crate) live: Arc<Live>,
    /// The recognised token.
    pub(crate) token: Option<TokenId>,
    /// User that the call is made as.
    pub(crate) user: Option<TextBuffer>,
    /// User that the caller acts for.
    pub(crate) on_behalf_of: Option<String>,
    /// Hash of the token's current secret, by which tokens of the same name differ; present once the call is
    /// authenticated.
    pub(crate) secret: Option<SecretHash>,
    /// Whether the token works for this caller.
    pub(crate) authenticated: bool,
    /// Whether the token is still valid; present once the call is authenticated.
    pub(crate) validity: Option<TokenValidity>,
    /// Proof that the call is within its token's limits. The call counts as in progress until this is
    /// dropped.
    pub(crate) admitted: Option<Admitted>,
    /// The call in the budget of calls, if there is room for it.
    pub(crate) in_flight: Option<InFlight>,
    /// The rest of the token's rate, if it has a rate.
    pub(crate) level: Option<Level>,
    /// The largest body that the token may send, in bytes.
    pub(crate) max_body: Option<u64>,
    /// The line that denied the call.
    pub(crate) line: Option<LineId>,
    /// Time spent on decisions.
    pub(crate) deciding: Duration,
    /// Evidence that the decision used.
    pub(crate) evidence: Evidence,
    /// The trace that the call belongs to.
    pub(crate) trace: Trace,
    /// Destinations of reports about the call, in addition to the audit.
    pub(crate) reporting: CallReporting,
    time_ms: i64,
    method: Cow<'static, str>,
    url: TextBuffer,
    client_request_id: Option<String>,
    request_bytes: Option<u64>,
}

impl Call {
    /// Makes a call that has just arrived, and takes the method and the client's id from the head. Its URL is set later, when its
    /// secrets are masked.
    pub(crate) fn new(
        raw: &RawHead<'_>,
        opened: &mut Opened<'_>,
        client: IpAddr,
        live: Arc<Live>,
        reporting: CallReporting,
    ) -> Self {
        let time_ms = now_ms();
        let id = RequestId::new(time_ms);
        let traced = if opened.traceable { raw.headers } else { &[] };
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
            secret: None,
            authenticated: false,
            validity: None,
            admitted: None,
            in_flight: None,
            level: None,
            max_body: None,
            line: None,
            deciding: Duration::ZERO,
            evidence: Evidence::default(),
            time_ms,
            method: std::mem::take(&mut opened.shown_method),
            url: TextBuffer::default(),
            client_request_id: opened.client_request_id.take(),
            request_bytes: match raw.body {
                Framing::None => Some(0),
                Framing::Length(length) => Some(length),
                Framing::Chunked => None,
            },
        }
    }

    /// Notes that the body is empty; the head did not show its length.
    pub(crate) fn found_empty(&mut self) {
        self.request_bytes = Some(0);
    }

    /// Gives the time at which the call arrived, milliseconds since 1970 UTC.
    pub(crate) fn time_ms(&self) -> i64 {
        self.time_ms
    }

    /// Gives the name of the recognised token.
    pub(crate) fn token_name(&self) -> Option<&str> {
        let token = self.token.map(|token| self.live.program().token(token));
        token.map(|token| token.name.as_str())
    }

    /// The user that the upstream sees: the one that the caller acts for, otherwise the token's.
    pub(crate) fn effective_user(&self) -> &str {
        self.on_behalf_of
            .as_deref()
            .or(self.user.as_deref())
            .unwrap_or_default()
    }

    /// Sets the URL for the audit.
    pub(crate) fn set_url(&mut self, url: TextBuffer) {
        self.url = url;
    }

    /// Method of the request, as sent.
    pub(crate) fn method(&self) -> &str {
        &self.method
    }

    /// Gives the canonical URL, as in the audit.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Formats method and URL for people.
    pub(crate) fn shown(&self) -> String {
        format!("{} {}", self.method, self.url)
    }

    /// Whether the method is safe, so that the call may pass unrecorded if the configuration allows that.
    pub(crate) fn is_safe(&self) -> bool {
        matches!(&*self.method, "GET" | "HEAD")
    }

    /// Makes the audit record of the call. It takes the values and lines of the evidence, which nothing else needs.
    pub(crate) fn record(&mut self, verdict: Verdict, reason: &str, line: Option<LineId>) -> PackedRecord {
        let nodes = std::mem::take(&mut self.evidence.nodes);
        let tried = std::mem::take(&mut self.evidence.tried);
        let lacking = self.evidence.lacking.as_deref().map(Shortfall::recorded);
        let short = |text| shortened(text, SHORT);
        let client_request_id = self.client_request_id.as_deref().map(short);
        let (user, on_behalf_of) = (
            self.user.as_deref().map(short),
            self.on_behalf_of.as_deref().map(short),
        );
        let unread = self.evidence.unread.as_deref().map(short);
        let program = self.live.program();
        let line = line.map(|line| program.line(line));
        let digest = line.as_ref().map(|line| {
            let mut digest = TextBuffer::with_room(DIGEST_BYTES);
            // Writing to a text cannot fail.
            let _ = write!(digest.text(), "{}", line.digest);
            digest
        });
        let record = PackedRecord::from(RecordRef {
            time_ms: self.time_ms,
            request_id: self.id.bytes(),
            client_request_id: client_request_id.as_deref(),
            token: self.token_name(),
            user: user.as_deref(),
            on_behalf_of: on_behalf_of.as_deref(),
            client: self.client,
            method: &short(&self.method),
            url: &shortened(&self.url, LONG),
            line: line
                .as_ref()
                .zip(digest.as_deref())
                .map(|(line, digest)| LineText {
                    file: line.file,
                    number: line.number,
                    digest,
                }),
            verdict,
            reason,
            policy: program.digest(),
            request_bytes: self.request_bytes,
            decision_ns: u64::try_from(self.deciding.as_nanos()).unwrap_or(u64::MAX),
            authenticated: self.authenticated,
            nodes: &[],
            tried: &[],
            lacking: None,
            unread: unread.as_deref(),
        });
        record.with_evidence(nodes, tried, lacking)
    }
}

/// Number of characters of a line's digest.
const DIGEST_BYTES: usize = 16;
/// Maximum number of bytes of a URL that are recorded unchanged, …
const LONG: usize = 16 * 1024;
/// Current time, milliseconds since 1970 UTC.
pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
