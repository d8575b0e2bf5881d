//! The enforcement point: the steps of one call, in the order of SEMANTICS section 5.
//!
//! `judge` decides as far as the head allows; `proceed` does the rest: body, record, call upstream. In between,
//! `100 Continue` is sent, but only for a head that passed.

mod ambiguity;
mod auth;
mod cors;
pub(crate) mod explain;
mod inspect;
mod judging;
mod own;
mod rehearse;
mod throttle;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use http::{HeaderName, HeaderValue};
use tokenward_audit::{End, Store, Verdict};
use tokenward_compiler::decide::{self, Decision, Denial, Grant};
use tokenward_compiler::ir::{LineId, TokenId};

pub(crate) use auth::AuthRules;
pub(crate) use judging::Judges;
pub(crate) use rehearse::would_allow;
pub(crate) use throttle::Throttle;

use crate::call::permit::Permit;
use crate::call::record::{OutcomeRecorder, Recorded, Undecided, Unrecorded, allowed, record};
use crate::call::validity::while_valid;
use crate::call::{Call, CallReporting, REQUEST_ID};
use crate::identity::Identities;
use crate::live::{Policies, SecretHash};
use crate::metrics::Metrics;
use crate::problem::{Denied, Problem};
use crate::proxy::{self, Answer, BodyBudget, BodyPace, NotForwarded, READ_AHEAD, RequestBody, Upstream};
use crate::request::{
    self, Canonical, Credentials, Method, Opened, RawHead, Reading, Rules, SELF_PATH, Trust,
};
use crate::respond;
use crate::wire::{BodyStream, WireHead};
use inspect::Inspection;
use judging::INLINE_BYTES;
use throttle::Pace;

/// Maximum size of the head of a preflight. Browsers' have some hundred bytes and the URL.
const PREFLIGHT_BYTES: usize = 8 * 1024;

/// State that all calls share.
pub(crate) struct Gate {
    pub(crate) rules: Arc<Rules>,
    pub(crate) trust: Trust,
    pub(crate) policies: Arc<Policies>,
    pub(crate) audit: Store,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) identities: Identities,
    pub(crate) auth: AuthRules,
    pub(crate) throttle: Throttle,
    /// Memory for the bodies of all calls.
    pub(crate) bodies: BodyBudget,
    /// Threads that judge large bodies.
    pub(crate) judges: Arc<Judges>,
    pub(crate) settings: GateSettings,
}

/// Settings that affect calls.
#[derive(Clone, Debug)]
pub(crate) struct GateSettings {
    /// The largest body that a policy inspects, in bytes.
    pub(crate) inspect_bytes: usize,
    /// The slowest accepted pace of a request body.
    pub(crate) pace: BodyPace,
    /// Whether denials show the closest line.
    pub(crate) show_policy: bool,
    /// Origins whose pages may make calls.
    pub(crate) cors_origins: Vec<String>,
    /// Where calls are reported, in addition to the audit.
    pub(crate) reporting: CallReporting,
}

/// Result of judging a head.
pub(crate) enum Headed {
    /// The call continues.
    Judged(Box<Judged>),
    /// The call is answered already.
    Settled(Answer),
}

/// A call whose head has passed.
pub(crate) struct Judged {
    call: Call,
    canonical: Canonical,
    token: TokenId,
    verdict: HeadVerdict,
    origin: Option<HeaderValue>,
}

enum HeadVerdict {
    Granted(Grant),
    NeedsBody,
    /// The proxy answers the call itself.
    Own,
}

impl Gate {
    /// Judges a head that came from `peer`, before a byte of the body is read. A refusal is recorded before it is
    /// answered.
    pub(crate) async fn judge(&self, head: &WireHead, peer: IpAddr) -> Headed {
        let fields = head.fields();
        let raw = head.raw(&fields);
        let mut opened = request::open(&raw, &self.rules);
        let client = self.trust.client(peer, &raw).unwrap_or_else(|refusal| {
            // Check the client's address first, since later steps depend on it. A refusal of the framing takes
            // precedence.
            opened.framing = opened.framing.clone().and(Err(refusal));
            peer
        });
        let mut call = Call::new(
            &raw,
            &opened,
            client,
            self.policies.current(),
            self.settings.reporting.clone(),
        );
        let origin = cors::origin(&raw, &self.settings.cors_origins);
        if let Some((headers, url)) = self.preflight(&raw, &opened, origin.as_ref()) {
            call.set_url(url);
            return Headed::Settled(self.answer_preflight(&call, headers).await);
        }
        // The rest of the head is read only for a caller with a valid token.
        let judged = match self.recognise(&mut call, &opened) {
            Ok(token) => {
                let mut reading = opened.read(&raw, &self.rules);
                call.set_url(std::mem::take(&mut reading.shown_url));
                self.judge_reading(&mut call, token, reading)
            }
            Err(problem) => {
                call.set_url(opened.shown_url(&raw, &self.rules));
                Err(problem)
            }
        };
        match judged {
            Ok((token, _, HeadVerdict::Own)) => Headed::Settled(self.answer_own(&call, token).await),
            Ok((token, canonical, verdict)) => Headed::Judged(Box::new(Judged {
                call,
                canonical,
                token,
                verdict,
                origin,
            })),
            Err(problem) => {
                let mut answer = self.refuse(&call, &problem).await;
                cors::mark(&mut answer, origin);
                Headed::Settled(answer)
            }
        }
    }

    /// Completes a judged call: the body as far as it is inspected, the record, the upstream.
    pub(crate) async fn proceed(&self, judged: Judged, body: BodyStream, upstream: &Upstream) -> Answer {
        let Judged {
            call,
            canonical,
            token,
            verdict,
            origin,
        } = judged;
        let close = canonical.close;
        let share = self.bodies.share(call.live.program().token(token).secret_hash);
        let mut body = RequestBody::new(body, canonical.body, self.settings.pace).within(share);
        let mut undecided = Undecided::new(&self.audit, &self.metrics, call);
        let validity = undecided.call.validity.clone();
        let granting = self.grant(&mut undecided.call, canonical, token, verdict, &mut body);
        let granted = while_valid(validity, granting).await.flatten();
        let call = undecided.decided();
        let identity = granted.and_then(|granted| {
            let headers = self.identities.headers(call.effective_user());
            headers
                .map(|headers| (granted, headers))
                .map_err(|_| Problem::NoUpstreamIdentity)
        });
        let mut answer = match identity {
            Err(problem) => self.refuse(call, &problem).await,
            Ok(((grant, canonical), identity)) => {
                self.send(call, canonical, grant, identity, body, upstream).await
            }
        };
        answer.close |= close;
        cors::mark(&mut answer, origin);
        answer
    }

    /// Records the call, and sends it upstream.
    async fn send(
        &self,
        call: &Call,
        canonical: Canonical,
        grant: Grant,
        identity: Vec<(HeaderName, HeaderValue)>,
        body: RequestBody,
        upstream: &Upstream,
    ) -> Answer {
        let mut outcome = OutcomeRecorder::open(&self.audit, &self.metrics, call, Arc::clone(body.meter()));
        let recorded = self
            .record(call, &mut outcome, Verdict::Allow, allowed(call), grant.line())
            .await;
        let Ok(recorded) = recorded else {
            return self.fail(call, &Problem::Audit, outcome);
        };
        let permit = Permit::new(grant, recorded, call, canonical, identity);
        let forwarding = proxy::forward(upstream, permit, body, &mut outcome);
        match while_valid(call.validity.clone(), forwarding).await {
            Err(revoked) => {
                outcome.end(End::Revoked);
                self.fail(call, &revoked, outcome)
            }
            Ok(Ok(forwarded)) => forwarded.into_answer(upstream.settings(), outcome),
            Ok(Err(failed)) => {
                let NotForwarded { address, error } = failed;
                tracing::warn!(
                    request_id = %call.id,
                    address = address.as_deref(),
                    error = error.to_string(),
                    "call not forwarded"
                );
                outcome.end(error.end());
                self.fail(call, &error.problem(), outcome)
            }
        }
    }

    /// Takes the steps that come before the reading, in order.
    fn recognise(&self, call: &mut Call, opened: &Opened<'_>) -> Result<TokenId, Problem> {
        // Ambiguous framing and paths that are not served are refused for everyone.
        if let Err(refusal) = &opened.framing {
            return Err(Problem::Framing(refusal.clone()));
        }
        if !opened.in_endpoints {
            return Err(Problem::OutsideEndpoints);
        }
        // The token, and whether it works from this address.
        let token = self.authenticate(call, &opened.credentials)?;
        if !call.live.program().token(token).allows_address(call.client) {
            return Err(Problem::Address);
        }
        if call.live.refuses(token) {
            return Err(Problem::PolicyError);
        }
        Ok(token)
    }

    /// Takes the steps that depend on the whole head, in order.
    fn judge_reading(
        &self,
        call: &mut Call,
        token: TokenId,
        reading: Reading,
    ) -> Result<(TokenId, Canonical, HeadVerdict), Problem> {
        let live = Arc::clone(&call.live);
        let definition = live.program().token(token);
        // Errors of the reading are only shown to callers with a valid token.
        let canonical = reading.head.map_err(Problem::Reading)?;
        inspect::check_query(live.program(), token, &canonical, &self.rules)?;
        // Rights that lines do not express: acting for others, and issuing credentials.
        if let Some(user) = reading.context_user {
            if !definition.on_behalf_of.contains(&user) || self.auth.never(&user) {
                return Err(Problem::ContextUser);
            }
            call.on_behalf_of = Some(user);
        }
        if let Some(lacking) = self
            .rules
            .needs(&canonical)
            .lacking(definition.mint, definition.escalate)
        {
            return Err(Problem::Lacks(lacking));
        }
        // The path that the proxy answers itself.
        if canonical.path == SELF_PATH {
            let own = canonical.method == Method::Get;
            return if own {
                Ok((token, canonical, HeadVerdict::Own))
            } else {
                Err(Problem::OutsideEndpoints)
            };
        }
        // The decision, as far as the head allows it.
        let started = Instant::now();
        let decision = inspect::decide(live.program(), token, &canonical, inspect::unread(&canonical));
        call.deciding += started.elapsed();
        call.evidence = inspect::evidence_unread(&decision, live.program(), token, &canonical, &self.rules);
        let verdict = match decision {
            Decision::Deny(denial) => return Err(self.denied(call, (token, &canonical), &denial)),
            Decision::Allow(grant) if !inspect::product_reads(&canonical, &self.rules) => {
                HeadVerdict::Granted(grant)
            }
            Decision::Allow(_) | Decision::NeedsBody(_) => HeadVerdict::NeedsBody,
        };
        // Bodies that are announced as too large are refused before they are read.
        let most = self.settings.pace.most;
        if matches!(canonical.body, request::Framing::Length(length) if length > most) {
            return Err(Problem::BodyOverLimit(most));
        }
        if matches!(verdict, HeadVerdict::NeedsBody)
            && matches!(canonical.body, request::Framing::Length(length) if length > self.inspect_limit() as u64)
        {
            return Err(Problem::BodyTooLarge(self.inspect_limit()));
        }
        Ok((token, canonical, verdict))
    }

    fn authenticate(&self, call: &mut Call, credentials: &Credentials) -> Result<TokenId, Problem> {
        let live = Arc::clone(&call.live);
        let program = live.program();
        let is_revoked = |secret: &SecretHash| self.policies.revocations().has(secret);
        let found = auth::authenticate(program, credentials, &self.auth, is_revoked, call.time_ms());
        let token = match &found {
            Ok(authenticated) => Some(authenticated.token),
            Err((_, token)) => *token,
        };
        call.token = token.map(|token| program.token(token).name.clone());
        match found {
            Ok(authenticated) => {
                let definition = program.token(authenticated.token);
                call.validity = Some(self.policies.validity(authenticated.secret, definition));
                call.user = Some(authenticated.user);
                call.authenticated = true;
                Ok(authenticated.token)
            }
            Err((failure, _)) => {
                if let Credentials::Basic { user, .. } = credentials {
                    call.user = token.map(|_| self.rules.shown_user(user));
                }
                Err(Problem::Unauthenticated(failure))
            }
        }
    }

    /// Reads as much of the body as needed before the upstream is contacted, and completes the decision.
    async fn grant(
        &self,
        call: &mut Call,
        canonical: Canonical,
        token: TokenId,
        verdict: HeadVerdict,
        body: &mut RequestBody,
    ) -> Result<(Grant, Canonical), Problem> {
        if let HeadVerdict::Granted(grant) = verdict {
            body.read_ahead(READ_AHEAD).await.map_err(inspect::problem)?;
            return Ok((grant, canonical));
        }
        inspect::read_whole(body, self.inspect_limit()).await?;
        let inspection = Inspection {
            rules: Arc::clone(&self.rules),
            live: Arc::clone(&call.live),
            token,
            canonical,
            body: body.ahead(),
        };
        let inspected = if body.ahead_len() <= INLINE_BYTES {
            inspection.judge()
        } else {
            let turns_of = call.live.program().token(token).secret_hash;
            self.judges.run(turns_of, move || inspection.judge()).await
        };
        call.deciding += inspected.took;
        if !inspected.evidence.is_empty() {
            call.evidence = inspected.evidence;
        }
        match inspected.verdict? {
            inspect::Verdict::Allow(grant) => Ok((grant, inspected.canonical)),
            inspect::Verdict::Deny(denial) => Err(self.denied(call, (token, &inspected.canonical), &denial)),
        }
    }

    fn denied(&self, call: &mut Call, (token, canonical): (TokenId, &Canonical), denial: &Denial) -> Problem {
        call.line = denial.line;
        let program = call.live.program();
        let nearest = || decide::nearest(program, token, canonical.method, &canonical.path);
        let shown = if self.settings.show_policy {
            denial.line.or_else(nearest)
        } else {
            None
        };
        Problem::Denied(Denied {
            reason: denial.reason,
            call: call.shown(),
            line: shown.map(|line| {
                let line = program.line(line);
                format!("{}:{}: {}", line.file, line.number, line.text)
            }),
        })
    }

    async fn record(
        &self,
        call: &Call,
        outcome: &mut OutcomeRecorder,
        verdict: Verdict,
        reason: &'static str,
        line: Option<LineId>,
    ) -> Result<Recorded, Unrecorded> {
        let decided = (verdict, reason);
        record(&self.audit, &self.metrics, call, outcome, decided, line).await
    }

    /// Records a refusal and responds to it, with a delay after many failed credentials.
    async fn refuse(&self, call: &Call, problem: &Problem) -> Answer {
        let mut outcome = OutcomeRecorder::open(&self.audit, &self.metrics, call, Arc::default());
        let recorded = self
            .record(
                call,
                &mut outcome,
                problem.verdict(),
                problem.audit_code(),
                call.line,
            )
            .await;
        let problem = match (recorded, self.pace(call, problem)) {
            (Err(Unrecorded), _) => &Problem::Audit,
            (Ok(_), Pace::AtOnce) => problem,
            (Ok(_), Pace::Held(held)) => {
                held.wait().await;
                problem
            }
            (Ok(_), Pace::TooMany) => &Problem::TooManyFailures(self.throttle.retry_after()),
        };
        outcome.end(problem.end());
        self.fail(call, problem, outcome)
    }

    fn pace(&self, call: &Call, problem: &Problem) -> Pace<'_> {
        match problem {
            Problem::Unauthenticated(failure) if failure.is_attempt() => {
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
    fn fail(&self, call: &Call, problem: &Problem, mut outcome: OutcomeRecorder) -> Answer {
        let answer = respond::problem(problem, &call.id, self.auth.methods());
        outcome.status(answer.status.as_u16());
        answer
    }

    async fn answer_own(&self, call: &Call, token: TokenId) -> Answer {
        let mut outcome = OutcomeRecorder::open(&self.audit, &self.metrics, call, Arc::default());
        outcome.end(End::Complete);
        if self
            .record(call, &mut outcome, Verdict::Allow, "self", None)
            .await
            .is_err()
        {
            return self.fail(call, &Problem::Audit, outcome);
        }
        let answer = respond::json(&call.id, &own::describe(call, token));
        outcome.status(answer.status.as_u16());
        answer
    }

    /// Gives the headers of the response to a preflight, and the URL for the audit. A preflight has no token, so that a
    /// large one is not read.
    fn preflight(
        &self,
        raw: &RawHead<'_>,
        opened: &Opened<'_>,
        origin: Option<&HeaderValue>,
    ) -> Option<(Vec<(HeaderName, HeaderValue)>, String)> {
        let headers = cors::preflight(raw, origin?)?;
        if opened.framing.is_err() || !opened.in_endpoints || raw.size() > PREFLIGHT_BYTES {
            return None;
        }
        let reading = request::read(raw, &self.rules);
        reading.head.is_ok().then_some((headers, reading.shown_url))
    }

    async fn answer_preflight(&self, call: &Call, mut headers: Vec<(HeaderName, HeaderValue)>) -> Answer {
        let mut outcome = OutcomeRecorder::open(&self.audit, &self.metrics, call, Arc::default());
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

    /// The largest body that is inspected, in bytes.
    fn inspect_limit(&self) -> usize {
        self.settings.inspect_bytes
    }
}
