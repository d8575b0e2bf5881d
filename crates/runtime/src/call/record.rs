//! The record before the call, and the outcome after it (SEMANTICS section 7).

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokenward_audit::{AppendError, Appended, End, OnFailure, Outcome, Store, Verdict};
use tokenward_compiler::ir::LineId;
use tokenward_pdp::problem::Problem;

use super::access_log::Line;
use super::meter::Meter;
use super::{Call, RequestId};
use crate::limiter::{Admitted, InFlight};
use crate::live::TokenValidity;
use crate::metrics::Metrics;

/// Proof that the call is recorded, or that the configuration allows it unrecorded. Only this module makes it.
#[derive(Debug)]
pub(crate) struct Recorded(());

/// The record was not taken, so the call must not continue.
#[derive(Debug)]
pub(crate) struct Unrecorded;

/// Appends the call's record and waits until it counts as recorded.
///
/// # Errors
/// The audit cannot be written, and its `on_failure` does not allow this call.
pub(crate) async fn record(
    audit: &Store,
    metrics: &Metrics,
    call: &mut Call,
    outcome: &mut OutcomeRecorder,
    (verdict, reason): (Verdict, &'static str),
    line: Option<LineId>,
) -> Result<Recorded, Unrecorded> {
    outcome.decided(verdict, reason);
    let started = Instant::now();
    let entry = call.record(verdict, reason, line);
    let call = &*call;
    let mut count = Count {
        metrics,
        call,
        decided: (verdict, reason),
    };
    let appended = if call.authenticated && Problem::is_over_limit(reason) {
        audit.append_over_limit(entry).await
    } else {
        audit.append(entry).await
    };
    metrics.recorded(started.elapsed());
    match appended {
        Ok(appended) => {
            outcome.appended(appended);
            Ok(Recorded(()))
        }
        Err(error) => {
            // If a caller makes the record too large, this does not count as a disk failure. Otherwise
            // callers could avoid being recorded.
            let failure = !matches!(error, AppendError::TooLarge { .. });
            let passes = failure && audit.config().on_failure == OnFailure::AllowSafe && call.is_safe();
            tracing::error!(
                request_id = %call.id,
                passes,
                error = error.to_string(),
                "call not recorded"
            );
            if passes {
                audit.count_unrecorded();
                Ok(Recorded(()))
            } else {
                // The call is refused now, so its recorded outcome is the refusal.
                let refused = (Problem::Audit.verdict(), Problem::Audit.audit_code());
                outcome.decided(refused.0, refused.1);
                outcome.end(Problem::Audit.end());
                count.decided = refused;
                Err(Unrecorded)
            }
        }
    }
}

/// Counts the decision when dropped, even if the client closed the connection before the call was recorded.
struct Count<'c> {
    metrics: &'c Metrics,
    call: &'c Call,
    decided: (Verdict, &'static str),
}

impl Drop for Count<'_> {
    fn drop(&mut self) {
        let (verdict, reason) = self.decided;
        let (token, took) = (self.call.token_name(), self.call.deciding);
        self.metrics.decided(verdict, reason, token, took);
    }
}

/// The reason code of a call that was allowed with the secret before a rotation, while the overlap lasts.
pub(crate) const PREVIOUS_SECRET: &str = "previous-secret";

/// Gives the reason code of a call that goes upstream. It shows which callers still use the secret before a
/// rotation.
pub(crate) fn allowed(call: &Call) -> &'static str {
    match &call.validity {
        Some(validity) if validity.is_previous() => PREVIOUS_SECRET,
        _ => "allowed",
    }
}

/// Appends the outcome of a call when it is dropped. Unless [`OutcomeRecorder::end`] sets another end, the outcome is
/// that the client closed the connection: in that case everything that belongs to the call is dropped.
#[derive(Debug)]
pub(crate) struct OutcomeRecorder {
    audit: Store,
    metrics: Arc<Metrics>,
    id: RequestId,
    validity: Option<TokenValidity>,
    // The call is in progress until its outcome is recorded.
    _admitted: Option<Admitted>,
    _in_flight: Option<InFlight>,
    line: Option<Line>,
    began: Instant,
    /// `None` if the request has no body.
    sent: Option<Arc<Meter>>,
    status: Option<u16>,
    upstream_status: Option<u16>,
    upstream: Option<Duration>,
    received: u64,
    end: End,
    // The record of a refused call beyond the quota was only counted, so its outcome is only counted too.
    counted: bool,
}

impl OutcomeRecorder {
    /// Opens the recorder of a call whose record is being made. `sent` is the meter of its body, if something is sent.
    pub(crate) fn open(audit: &Store, metrics: &Arc<Metrics>, call: &Call, sent: Option<Arc<Meter>>) -> Self {
        metrics.in_flight(1);
        Self {
            audit: audit.clone(),
            metrics: Arc::clone(metrics),
            id: call.id,
            validity: call.validity.clone(),
            _admitted: call.admitted.clone(),
            _in_flight: call.in_flight.clone(),
            line: Line::of(call),
            began: call.began,
            sent,
            status: None,
            upstream_status: None,
            upstream: None,
            received: 0,
            end: End::ClientGone,
            counted: false,
        }
    }

    /// Notes how the record was appended.
    fn appended(&mut self, appended: Appended) {
        self.counted = appended == Appended::Counted;
    }

    /// Notes the decision.
    fn decided(&mut self, verdict: Verdict, reason: &'static str) {
        if let Some(line) = &mut self.line {
            line.decided(verdict, reason);
        }
    }

    /// Notes that the upstream answered with this status after this time.
    pub(crate) fn answered(&mut self, upstream_status: u16, after: Duration) {
        self.metrics.answered(after);
        self.upstream_status = Some(upstream_status);
        self.upstream = Some(after);
    }

    /// Notes the status that the client gets.
    pub(crate) fn status(&mut self, status: u16) {
        self.status = Some(status);
    }

    /// Counts more bytes received from the upstream's body.
    pub(crate) fn received(&mut self, bytes: usize) {
        self.received += bytes as u64;
    }

    /// Counts that the response shows the upstream's own address.
    pub(crate) fn shows_upstream(&self) {
        self.metrics.shown_upstream();
    }

    /// Validity of the call's token; `None` if nobody was authenticated.
    pub(crate) fn validity(&self) -> Option<&TokenValidity> {
        self.validity.as_ref()
    }

    /// Counts a response that its client read too slowly.
    pub(crate) fn read_too_slowly(&self) {
        self.metrics.slow_reader();
    }

    /// Sets the end of the call.
    pub(crate) fn end(&mut self, end: End) {
        self.end = end;
    }
}

impl Drop for OutcomeRecorder {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.end = End::Internal;
        } else if self.end == End::ClientGone && self.validity.as_ref().is_some_and(TokenValidity::is_lost) {
            // The proxy cancelled the call.
            self.end = End::Revoked;
        }
        self.metrics.ended(self.end);
        let outcome = Outcome {
            request_id: self.id.bytes(),
            status: self.status,
            upstream_status: self.upstream_status,
            sent_bytes: self.sent.as_ref().map_or(0, |sent| sent.bytes()),
            received_bytes: self.received,
            total_us: micros(self.began.elapsed()),
            upstream_us: self.upstream.map(micros),
            end: self.end,
        };
        if let Some(line) = &self.line {
            line.write(&outcome);
        }
        if !self.counted
            && let Err(error) = self.audit.append_outcome(outcome)
        {
            tracing::warn!(
                request_id = %self.id,
                error = error.to_string(),
                "outcome of a call not recorded"
            );
        }
        // This comes last: the audit is closed at shutdown when no call is in flight.
        self.metrics.in_flight(-1);
    }
}

/// A call that is not decided yet. If it is dropped first, because the client closed the connection within the body,
/// the call is recorded afterwards: nothing went upstream.
pub(crate) struct Undecided<'g> {
    audit: &'g Store,
    metrics: &'g Arc<Metrics>,
    pub(crate) call: Call,
    decided: bool,
}

impl<'g> Undecided<'g> {
    pub(crate) fn new(audit: &'g Store, metrics: &'g Arc<Metrics>, call: Call) -> Self {
        Self {
            audit,
            metrics,
            call,
            decided: false,
        }
    }

    /// Marks the call as decided. The caller records the decision.
    pub(crate) fn decided(&mut self) -> &mut Call {
        self.decided = true;
        &mut self.call
    }
}

impl Drop for Undecided<'_> {
    fn drop(&mut self) {
        // Without a runtime the process is stopping, so nothing can be recorded.
        let (false, Ok(runtime)) = (self.decided, tokio::runtime::Handle::try_current()) else {
            return;
        };
        let mut outcome = OutcomeRecorder::open(self.audit, self.metrics, &self.call, None);
        outcome.decided(Verdict::Refuse, GONE);
        let record = self.call.record(Verdict::Refuse, GONE, None);
        let (audit, metrics) = (self.audit.clone(), Arc::clone(self.metrics));
        let (token, took) = (self.call.token_name().map(str::to_owned), self.call.deciding);
        runtime.spawn(async move {
            metrics.decided(Verdict::Refuse, GONE, token.as_deref(), took);
            match audit.append(record).await {
                Ok(appended) => outcome.appended(appended),
                Err(error) => {
                    tracing::error!(
                        request_id = %outcome.id,
                        error = error.to_string(),
                        "call that its client cancelled not recorded"
                    );
                }
            }
        });
    }
}

/// The reason code of [`tokenward_pdp::problem::Problem::ClientGone`].
const GONE: &str = "client-gone";

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
