//! The enforcement point: the steps of one call, in the order of SEMANTICS section 5.
//!
//! `judge` decides as far as the head allows. `proceed` reads the body, records the call and sends it
//! upstream. In between, the server sends `100 Continue`, but only for a head that passed.

mod cors;
mod denials;
mod explained;
mod inspection;
mod judging;
mod own;
mod settle;
mod throttle;

use std::net::IpAddr;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use http::HeaderValue;
use tokenward_audit::{End, Store, Verdict};
use tokenward_compiler::decide::{Decision, Denial, Grant};
use tokenward_compiler::ir::{LineId, Token, TokenId};
use tokenward_pdp::auth::{self, AuthRules};
use tokenward_pdp::evidence::Evidence;
use tokenward_pdp::problem::{Denied, Problem, Shown};
use tokenward_pdp::request::{
    self, Canonical, Credentials, Framing, Method, Opened, Reading, Refusal, Rules, SELF_PATH, Trust,
};
use tokenward_pdp::secret::SecretHash;
use tokenward_pdp::wire::{BodyStream, WireHead};
use tokenward_pdp::{inspect, preflight};

pub(crate) use denials::Denials;
pub(crate) use judging::Judges;
pub(crate) use throttle::{Pace, Throttle};

use crate::call::permit::Permit;
use crate::call::record::{OutcomeRecorder, Recorded, Undecided, Unrecorded, allowed, record};
use crate::call::validity::while_valid;
use crate::call::{Call, CallReporting};
use crate::fleet::Fleet;
use crate::identity::{Identities, IdentityHeaders};
use crate::limiter::{CallBudget, Limiter};
use crate::live::Policies;
use crate::metrics::Metrics;
use crate::proxy::{self, Answer, BodyBudget, BodyPace, NotForwarded, READ_AHEAD, RequestBody, Upstream};
use crate::respond;
use inspection::Inspection;
use judging::INLINE_BYTES;

/// State that all calls share.
pub(crate) struct Gate {
    pub(crate) rules: Arc<Rules>,
    pub(crate) trust: Trust,
    pub(crate) policies: Arc<Policies>,
    /// The fleet that the policy comes from, if it does.
    pub(crate) fleet: Option<Arc<Fleet>>,
    pub(crate) audit: Store,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) identities: Identities,
    pub(crate) auth: AuthRules,
    pub(crate) throttle: Throttle,
    /// Memory for the bodies of all calls.
    pub(crate) bodies: BodyBudget,
    /// Threads that judge large bodies.
    pub(crate) judges: Arc<Judges>,
    pub(crate) limiter: Limiter,
    /// The calls that may be in progress.
    pub(crate) calls: CallBudget,
    pub(crate) denials: Denials,
    pub(crate) settings: GateSettings,
}

/// Settings that affect calls.
#[derive(Clone, Debug)]
pub(crate) struct GateSettings {
    /// The largest body that a policy inspects, in bytes.
    pub(crate) inspect_bytes: usize,
    /// The slowest accepted pace of a request body.
    pub(crate) pace: BodyPace,
    /// Whether callers see policy text: denials name the nearest line, and a token's own page shows its
    /// lines.
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
    token: TokenId,
    passed: Passed,
    origin: Option<HeaderValue>,
    /// Whether the connection is closed after the response.
    close: bool,
}

/// A request after its head was judged.
enum Passed {
    /// The head says whether there is a body.
    Head(Box<Canonical>, HeadVerdict),
    /// The body is chunked, so the head does not show whether it is empty. Both readings of the request were
    /// judged, and at least one of them passes. The first byte decides between them.
    Either(Box<Either>),
}

/// The two readings of a request whose body may turn out to be empty.
#[derive(Clone)]
struct Either {
    full: Result<Canonical, Refusal>,
    empty: Result<Canonical, Refusal>,
    context_user: Option<String>,
}

/// The way in which an allowed call is answered.
enum Decided {
    /// It is sent upstream.
    Send(Box<Canonical>, Grant),
    /// The proxy answers it itself.
    Own,
}

enum HeadVerdict {
    Granted(Grant),
    NeedsBody,
    /// The proxy answers the call itself.
    Own,
}

/// Converts the problem of a body that is too large to the one of the token's own limit, if that limit was
/// exceeded.
fn of_token(call: &Call, problem: Problem) -> Problem {
    match problem {
        Problem::BodyOverLimit(most) if call.max_body == Some(most) => Problem::BodyOverTokenLimit(most),
        other => other,
    }
}

impl Gate {
    /// Judges a head that came from `peer`, before a byte of the body is read. A refusal is recorded before it is
    /// answered.
    pub(crate) async fn judge(&self, head: &WireHead, peer: IpAddr) -> Headed {
        let fields = head.fields();
        let raw = head.raw(&fields);
        let live = self.policies.current();
        let mut opened =
            request::open_knowing(&raw, &self.rules, |text| auth::is_token(live.program(), text));
        let client = self.trust.client(peer, &raw).unwrap_or_else(|refusal| {
            // Check the client's address first, since later steps depend on it. A refusal of the framing takes
            // precedence.
            opened.framing = opened.framing.clone().and(Err(refusal));
            peer
        });
        let mut call = Call::new(&raw, &mut opened, client, live, self.settings.reporting.clone());
        let origin = preflight::origin(&raw, &self.settings.cors_origins);
        if let Some((headers, url)) = self.preflight(&raw, &opened, origin.as_ref()) {
            call.set_url(url);
            call.in_flight = self.calls.of_stranger(call.client).ok();
            let mut answer = match call.in_flight {
                Some(_) => self.answer_preflight(&mut call, headers).await,
                None => self.refuse(&mut call, &Problem::CallBudget).await,
            };
            answer.held = call.in_flight;
            return Headed::Settled(answer);
        }
        // A client that offers another protocol must not wait for it on this connection, so every response
        // closes it.
        let close = raw.values("upgrade").next().is_some();
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
            Ok((token, passed)) => Headed::Judged(Box::new(Judged {
                call,
                token,
                passed,
                origin,
                close,
            })),
            Err(problem) => {
                self.count_stranger(&mut call, &problem);
                let mut answer = self.refuse(&mut call, &problem).await;
                answer.held = call.in_flight;
                answer.close |= close;
                respond::mark_level(&mut answer, call.level);
                cors::mark(&mut answer, origin);
                Headed::Settled(answer)
            }
        }
    }

    /// Completes a judged call: the body as far as it is inspected, the record, the upstream.
    pub(crate) async fn proceed(&self, judged: Judged, body: BodyStream, upstream: &Rc<Upstream>) -> Answer {
        let Judged {
            call,
            token,
            passed,
            origin,
            close,
        } = judged;
        let (level, held) = (call.level, call.in_flight.clone());
        let framing = match &passed {
            Passed::Head(canonical, _) => canonical.body,
            Passed::Either(_) => Framing::Chunked,
        };
        let share = self.bodies.share(call.live.program().token(token).secret_hash);
        let mut body = RequestBody::new(body, framing, self.pace_of(&call)).within(share);
        let mut undecided = Undecided::new(&self.audit, &self.metrics, call);
        let validity = undecided.call.validity.clone();
        // Pinned in a block of its own, like the sending: the memory of a call would have room for copies of them.
        let decided = {
            let deciding = pin!(self.decide(&mut undecided.call, token, passed, &mut body));
            while_valid(validity, deciding).await.flatten()
        };
        let call = undecided.decided();
        let mut answer = match decided {
            Ok(Decided::Send(canonical, grant)) => match self.identities.headers(call.effective_user()) {
                Ok(identity) => self.send(call, canonical, grant, identity, body, upstream).await,
                Err(_) => self.refuse(call, &Problem::NoUpstreamIdentity).await,
            },
            Ok(Decided::Own) => self.answer_own(call, token).await,
            Err(problem) => {
                let problem = of_token(call, problem);
                self.refuse(call, &problem).await
            }
        };
        answer.held = held;
        answer.close |= close;
        respond::mark_level(&mut answer, level);
        cors::mark(&mut answer, origin);
        answer
    }

    /// Reads as much of the body as needed, and decides.
    async fn decide(
        &self,
        call: &mut Call,
        token: TokenId,
        passed: Passed,
        body: &mut RequestBody,
    ) -> Result<Decided, Problem> {
        let (canonical, verdict) = match passed {
            Passed::Head(canonical, verdict) => (canonical, verdict),
            Passed::Either(either) => {
                body.read_ahead(1).await.map_err(inspection::problem)?;
                let head = if body.length() == Some(0) {
                    call.found_empty();
                    either.empty
                } else {
                    either.full
                };
                self.judge_request(call, token, head, either.context_user)?
            }
        };
        match self.grant(call, canonical, token, verdict, body).await {
            Ok(Some((grant, canonical))) => Ok(Decided::Send(canonical, grant)),
            Ok(None) => Ok(Decided::Own),
            Err(problem) => {
                if let Problem::Json(unreadable) = &problem {
                    call.evidence.unread = Some(unreadable.to_string());
                }
                Err(problem)
            }
        }
    }

    /// Records the call, and sends it upstream.
    async fn send(
        &self,
        call: &mut Call,
        canonical: Box<Canonical>,
        grant: Grant,
        identity: IdentityHeaders,
        body: RequestBody,
        upstream: &Rc<Upstream>,
    ) -> Answer {
        let mut outcome = OutcomeRecorder::open(&self.audit, &self.metrics, call, body.meter().cloned());
        let reason = allowed(call);
        let recorded = self
            .record(call, &mut outcome, Verdict::Allow, reason, grant.line())
            .await;
        let Ok(recorded) = recorded else {
            return self.fail(call, &Problem::Audit, outcome);
        };
        let permit = Permit::new(grant, recorded, call, canonical, identity);
        let forwarded = {
            let forwarding = pin!(proxy::forward(upstream, permit, body, &mut outcome));
            while_valid(call.validity.clone(), forwarding).await
        };
        match forwarded {
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
                self.fail(call, &of_token(call, error.problem()), outcome)
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
        if self.fleet.as_ref().is_some_and(|fleet| fleet.refuses()) {
            return Err(Problem::FleetStale);
        }
        let live = Arc::clone(&call.live);
        self.admit(call, live.program().token(token))?;
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
    ) -> Result<(TokenId, Passed), Problem> {
        let Some(empty) = reading.if_empty else {
            let (canonical, verdict) = self.judge_request(call, token, reading.head, reading.context_user)?;
            return Ok((token, Passed::Head(canonical, verdict)));
        };
        // The body is read only if one of the two readings passes. The refusal is that of a request with a body.
        let either = Either {
            full: reading.head,
            empty,
            context_user: reading.context_user,
        };
        let Either {
            full,
            empty,
            context_user,
        } = either.clone();
        let as_empty = self.judge_request(call, token, empty, context_user.clone());
        let as_full = self.judge_request(call, token, full, context_user);
        match (as_full, as_empty) {
            (Err(problem), Err(_)) => Err(problem),
            _ => Ok((token, Passed::Either(Box::new(either)))),
        }
    }

    /// Takes the steps that depend on the reading of the request: its rights, and the decision as far as the head allows.
    fn judge_request(
        &self,
        call: &mut Call,
        token: TokenId,
        head: Result<Canonical, Refusal>,
        context_user: Option<String>,
    ) -> Result<(Box<Canonical>, HeadVerdict), Problem> {
        let live = Arc::clone(&call.live);
        let definition = live.program().token(token);
        // The other reading of the request may have been judged before.
        (call.line, call.evidence, call.on_behalf_of) = (None, Evidence::default(), None);
        // Errors of the reading are only shown to callers with a valid token.
        let canonical = Box::new(head.map_err(Problem::Reading)?);
        inspect::check_query(live.program(), token, &canonical, &self.rules)?;
        // Rights that lines do not express: acting for others, and issuing credentials.
        if let Some(user) = context_user {
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
            let effect = self.rules.effect(&canonical, lacking);
            return Err(Problem::Lacks(lacking, effect));
        }
        // The path that the proxy answers itself.
        if canonical.path == SELF_PATH {
            let own = canonical.method == Method::Get;
            return if own {
                Ok((canonical, HeadVerdict::Own))
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
            Decision::Deny(denial) => return Err(self.denied(call, &denial)),
            Decision::Allow(grant) if !inspect::product_reads(&canonical, &self.rules) => {
                HeadVerdict::Granted(grant)
            }
            Decision::Allow(_) | Decision::NeedsBody(_) => HeadVerdict::NeedsBody,
        };
        // Bodies that are announced as too large are refused before they are read.
        let most = self.pace_of(call).most;
        if matches!(canonical.body, request::Framing::Length(length) if length > most) {
            return Err(of_token(call, Problem::BodyOverLimit(most)));
        }
        if matches!(verdict, HeadVerdict::NeedsBody)
            && matches!(canonical.body, request::Framing::Length(length) if length > self.inspect_limit() as u64)
        {
            return Err(Problem::BodyTooLarge(self.inspect_limit()));
        }
        Ok((canonical, verdict))
    }

    /// Counts the call towards its token's limits, and before these in the budget of all calls.
    fn admit(&self, call: &mut Call, token: &Token) -> Result<(), Problem> {
        // A trusted proxy that names no client stands for many.
        let client = (!self.trust.trusts(call.client)).then_some(call.client);
        let in_flight = self.calls.of_token(token.secret_hash, client);
        call.in_flight = Some(in_flight.map_err(|_| Problem::CallBudget)?);
        let admitted = self.limiter.admit(call.live.program(), token);
        call.level = match &admitted {
            Ok(admitted) => admitted.level,
            Err(over) => over.level,
        };
        call.admitted = Some(admitted.map_err(Problem::OverLimit)?);
        call.max_body = self.limiter.limits_of(token).max_body;
        Ok(())
    }

    /// Counts a refused call without a valid token in the budget of all calls, if there is room. A token that is used
    /// from a wrong address is not valid there.
    fn count_stranger(&self, call: &mut Call, problem: &Problem) {
        if call.in_flight.is_none() && !matches!(problem, Problem::CallBudget) {
            call.in_flight = self.calls.of_stranger(call.client).ok();
        }
    }

    /// The pace of a call's body: its size is bounded for all calls, and for those of its token.
    fn pace_of(&self, call: &Call) -> BodyPace {
        let pace = self.settings.pace;
        BodyPace {
            most: call.max_body.map_or(pace.most, |most| most.min(pace.most)),
            ..pace
        }
    }

    fn authenticate(&self, call: &mut Call, credentials: &Credentials) -> Result<TokenId, Problem> {
        let live = Arc::clone(&call.live);
        let program = live.program();
        let is_revoked = |secret: &SecretHash| self.policies.revocations().has(secret);
        let caller = (call.client, call.time_ms());
        let found = auth::authenticate(program, credentials, &self.auth, is_revoked, caller);
        let token = match &found {
            Ok(authenticated) => Some(authenticated.token),
            Err(failed) => failed.token,
        };
        call.token = token;
        match found {
            Ok(authenticated) => {
                let definition = program.token(authenticated.token);
                call.validity = Some(self.policies.validity(authenticated.secret, definition));
                call.user = Some(authenticated.user);
                call.secret = Some(definition.secret_hash);
                call.authenticated = true;
                Ok(authenticated.token)
            }
            Err(failed) => {
                if let Credentials::Basic { user, .. } = credentials {
                    call.user = token.map(|_| self.rules.shown_user(user).into());
                }
                Err(failed.problem())
            }
        }
    }

    /// Reads as much of the body as needed before the upstream is contacted, and completes the decision. `None` if the
    /// proxy answers the call itself.
    async fn grant(
        &self,
        call: &mut Call,
        canonical: Box<Canonical>,
        token: TokenId,
        verdict: HeadVerdict,
        body: &mut RequestBody,
    ) -> Result<Option<(Grant, Box<Canonical>)>, Problem> {
        match verdict {
            HeadVerdict::Own => return Ok(None),
            HeadVerdict::Granted(grant) => {
                body.read_ahead(READ_AHEAD).await.map_err(inspection::problem)?;
                return Ok(Some((grant, canonical)));
            }
            HeadVerdict::NeedsBody => {}
        }
        inspection::read_whole(body, self.inspect_limit()).await?;
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
            inspection::Verdict::Allow(grant) => Ok(Some((grant, inspected.canonical))),
            inspection::Verdict::Deny(denial) => Err(self.denied(call, &denial)),
        }
    }

    fn denied(&self, call: &mut Call, denial: &Denial) -> Problem {
        call.line = denial.line;
        let program = call.live.program();
        let forbids = denial.line.map(|line| {
            let line = program.line(line);
            Shown::Forbids(format!("{}:{}: {}", line.file, line.number, line.text))
        });
        let shown = forbids.or_else(|| call.evidence.lacking.clone().map(Shown::Lacks));
        Problem::Denied(Box::new(Denied {
            reason: denial.reason,
            call: call.shown(),
            shown: shown.filter(|_| self.settings.show_policy),
            unread: call.evidence.unread.clone(),
        }))
    }

    async fn record(
        &self,
        call: &mut Call,
        outcome: &mut OutcomeRecorder,
        verdict: Verdict,
        reason: &'static str,
        line: Option<LineId>,
    ) -> Result<Recorded, Unrecorded> {
        let decided = (verdict, reason);
        record(&self.audit, &self.metrics, call, outcome, decided, line).await
    }

    /// The largest body that is inspected, in bytes.
    fn inspect_limit(&self) -> usize {
        self.settings.inspect_bytes
    }
}
