//! Calls that the proxy answers itself: refusals, preflights and a token's own page. Each is recorded first.

use http::{HeaderName, HeaderValue};
use tokenward_audit::{End, Verdict};
use tokenward_compiler::ir::TokenId;
use tokenward_pdp::buffers::TextBuffer;
use tokenward_pdp::preflight;
use tokenward_pdp::problem::Problem;
use tokenward_pdp::request::{self, Opened, RawHead};

use super::{Gate, Pace, denials, own};
use crate::call::record::{OutcomeRecorder, Unrecorded};
use crate::call::{Call, REQUEST_ID};
use crate::proxy::Answer;
use crate::respond;

/// Maximum size of the head of a preflight. Browsers' have some hundred bytes and the URL.
const PREFLIGHT_BYTES: usize = 8 * 1024;

impl Gate {
    /// Records a refusal and responds to it, with a delay after many failed credentials.
    pub(super) async fn refuse(&self, call: &mut Call, problem: &Problem) -> Answer {
        let mut outcome = OutcomeRecorder::open(&self.audit, &self.metrics, call, None);
        let (reason, line) = (problem.audit_code(), call.line);
        let recorded = self
            .record(call, &mut outcome, problem.verdict(), reason, line)
            .await;
        let problem = match (recorded, self.pace(call, problem)) {
            (Err(Unrecorded), _) => &Problem::Audit,
            // Nothing waits for a call that the budget has no room for.
            (Ok(_), Pace::AtOnce | Pace::Held(_)) if call.in_flight.is_none() => &Problem::CallBudget,
            (Ok(_), Pace::AtOnce) => problem,
            (Ok(_), Pace::Held(held)) => {
                held.wait().await;
                problem
            }
            (Ok(_), Pace::TooMany) => &Problem::TooManyFailures(self.throttle.retry_after()),
        };
        outcome.end(problem.end());
        let answer = self.fail(call, problem, outcome);
        self.remember(call, problem, answer.status.as_u16());
        answer
    }

    fn pace(&self, call: &Call, problem: &Problem) -> Pace<'_> {
        match problem {
            Problem::Unauthenticated(failure) | Problem::NotAccepted(failure) if failure.is_attempt() => {
                let pace = self.throttle.failed(call.client);
                if !matches!(pace, Pace::AtOnce) {
                    self.metrics.slowed();
                }
                pace
            }
            _ => Pace::AtOnce,
        }
    }

    /// Responds to a problem of a call that is recorded, or cannot be.
    pub(super) fn fail(&self, call: &Call, problem: &Problem, mut outcome: OutcomeRecorder) -> Answer {
        let answer = respond::problem(problem, &call.id, self.auth.help());
        outcome.status(answer.status.as_u16());
        answer
    }

    pub(super) async fn answer_own(&self, call: &mut Call, token: TokenId) -> Answer {
        let mut outcome = OutcomeRecorder::open(&self.audit, &self.metrics, call, None);
        outcome.end(End::Complete);
        if self
            .record(call, &mut outcome, Verdict::Allow, "self", None)
            .await
            .is_err()
        {
            return self.fail(call, &Problem::Audit, outcome);
        }
        let denials = call.secret.map(|secret| {
            let user = call.user.as_deref().unwrap_or_default();
            self.denials.of(&secret, user)
        });
        let page = own::describe(
            call,
            token,
            (&self.limiter, self.settings.show_policy),
            &denials.unwrap_or_default(),
        );
        let answer = respond::json(&call.id, &page);
        outcome.status(answer.status.as_u16());
        answer
    }

    /// Gives the headers of the response to a preflight, and the URL for the audit. A preflight has no token, so that a
    /// large one is not read.
    pub(super) fn preflight(
        &self,
        raw: &RawHead<'_>,
        opened: &Opened<'_>,
        origin: Option<&HeaderValue>,
    ) -> Option<(Vec<(HeaderName, HeaderValue)>, TextBuffer)> {
        let headers = preflight::preflight(raw, origin?)?;
        if opened.framing.is_err() || !opened.in_endpoints || raw.size() > PREFLIGHT_BYTES {
            return None;
        }
        let reading = request::read(raw, &self.rules);
        reading.head.is_ok().then_some((headers, reading.shown_url))
    }

    pub(super) async fn answer_preflight(
        &self,
        call: &mut Call,
        mut headers: Vec<(HeaderName, HeaderValue)>,
    ) -> Answer {
        let mut outcome = OutcomeRecorder::open(&self.audit, &self.metrics, call, None);
        outcome.end(End::Complete);
        if self
            .record(call, &mut outcome, Verdict::Allow, "cors-preflight", None)
            .await
            .is_err()
        {
            return self.fail(call, &Problem::Audit, outcome);
        }
        headers.push((REQUEST_ID, call.id.header()));
        let answer = respond::no_content(headers);
        outcome.status(answer.status.as_u16());
        answer
    }

    /// Keeps a denial for the token's own page. Refusals because of the client's address are not shown there,
    /// nor failures that the caller cannot change.
    fn remember(&self, call: &Call, problem: &Problem, status: u16) {
        let is_callers = !matches!(
            problem,
            Problem::Address
                | Problem::Audit
                | Problem::ClientGone
                | Problem::Internal
                | Problem::NotAccepted(_)
                | Problem::Unauthenticated(_)
        );
        if let Some(token) = call.secret.filter(|_| call.authenticated && is_callers) {
            let denial = denials::Noted::new(call, problem, status, self.settings.show_policy);
            self.denials
                .add(token, call.user.as_deref().unwrap_or_default(), denial);
        }
    }
}
