//! Explains how the proxy would answer a request, without a call: by the functions that read, authenticate and decide
//! calls, in the order of `runtime/pep`.

mod question;
mod refused;
mod report;

use tokenward_compiler::ast::Effect;
use tokenward_compiler::call_limits::CallLimits;
use tokenward_compiler::decide::compare::compare;
use tokenward_compiler::decide::{Decision, DenyReason};
use tokenward_compiler::ir::{LineId, Program, TokenId, Users};

pub use question::{Incomplete, Question, Scheme, Shown};
pub use report::{Line, Report};

use crate::auth::{self, AuthRules, Authenticated};
use crate::evidence::Evidence;
use crate::problem::{AuthFailure, Problem};
use crate::request::{self, Canonical, Framing, Media, Method, Reading, Rules, SELF_PATH, Secrets};
use crate::{inspect, preflight};
use refused::Refused;
use report::Facts;

/// The inputs of a decision in addition to the policy.
pub struct Judge<'j> {
    /// Rules for reading requests.
    pub rules: &'j Rules,
    /// Rules for credentials.
    pub auth: &'j AuthRules,
    /// Whether the upstream credentials of this user are missing.
    pub lacks_identity: &'j dyn Fn(&str) -> bool,
    /// Origins whose pages may make calls.
    pub cors_origins: &'j [String],
    /// The largest body that a policy inspects, in bytes.
    pub inspect_bytes: usize,
    /// The largest body of all, in bytes.
    pub body_bytes: u64,
    /// The limits of a token that sets none itself.
    pub limits: CallLimits,
    /// Whether calls of the token are refused, since one of its lines has an error.
    pub is_refused: &'j dyn Fn(TokenId) -> bool,
    /// Whether the secret with this hash is revoked, in addition to the policy's own revocations.
    pub is_revoked: &'j dyn Fn(&[u8; 32]) -> bool,
    /// The time of a question that names none, milliseconds since 1970 UTC.
    pub now_ms: i64,
}

impl Judge<'_> {
    /// Explains how a proxy with this bound program would answer a request.
    ///
    /// # Errors
    /// The question lacks something that the answer depends on.
    pub fn explain(&self, program: &Program, question: &Question) -> Result<Report, Incomplete> {
        let id = question.token_in(program)?;
        let token = program.token(id);
        if question.client.is_none() && !token.allowed_ips.is_empty() {
            return Err(Incomplete::Client(token.name.clone()));
        }
        let body = question.body()?;
        let head = match question.head(self.rules.head_limits()) {
            Ok(head) => head,
            Err(violation) => return Ok(Report::not_a_request(program, question, violation)),
        };
        if let Framing::Length(length) = head.body
            && length != body.len() as u64
        {
            return Err(Incomplete::Length(length, body.len()));
        }
        let fields = head.fields();
        let raw = head.raw(&fields);
        let mut reading = request::read(&raw, self.rules);
        // A chunked body without a byte counts as no body.
        if let Some(empty) = reading.if_empty.take().filter(|_| body.is_empty()) {
            reading.head = empty;
        }
        let mut facts = Facts::of(&reading);
        let origin = preflight::origin(&raw, self.cors_origins);
        facts.preflight = reading.framing.is_ok()
            && reading.in_endpoints
            && reading.head.is_ok()
            && origin.is_some_and(|origin| preflight::preflight(&raw, &origin).is_some());
        // Kept for the report, which shows values of the request.
        let head = std::mem::replace(&mut reading.head, Err(request::Reason::TargetForm.into()));
        let judged = match &head {
            Ok(canonical) => self.judge(
                (program, id),
                (reading, Some(canonical)),
                (question, &body),
                &mut facts,
            ),
            Err(refusal) => {
                reading.head = Err(refusal.clone());
                self.judge((program, id), (reading, None), (question, &body), &mut facts)
            }
        };
        let judged = match judged {
            Err(Stop::Incomplete(incomplete)) => return Err(incomplete),
            Err(Stop::Refused(refused)) => Err(refused),
            Ok(line) => Ok(line),
        };
        let mut report = Report::new((program, self.auth.help()), (facts, &token.name), &judged);
        if let (Err(Refused::Denied(denial)), Ok(canonical)) = (&judged, &head)
            && denial.reason == DenyReason::NoLine
        {
            report.lines = self.compared(program, id, canonical, &body);
        }
        if let Ok(canonical) = &head {
            report.notes.extend(body_note(canonical, &body));
        }
        Ok(report)
    }

    /// Takes the steps of a call, in order; gives the line that allows the request.
    fn judge(
        &self,
        (program, named): (&Program, TokenId),
        (reading, canonical): (Reading, Option<&Canonical>),
        (question, body): (&Question, &[u8]),
        facts: &mut Facts,
    ) -> Result<Option<LineId>, Stop> {
        if facts.preflight {
            return Ok(None);
        }
        reading.framing.map_err(Problem::Framing)?;
        if !reading.in_endpoints {
            return Err(Problem::OutsideEndpoints.into());
        }
        let caller = self.authenticate((program, named), &reading.credentials, question)?;
        facts.user = Some(caller.user.to_string());
        let token = program.token(caller.token);
        if question
            .client
            .is_some_and(|client| !token.allows_address(client))
        {
            return Err(Problem::Address.into());
        }
        if (self.is_refused)(caller.token) {
            return Err(Problem::PolicyError.into());
        }
        let canonical = match (canonical, reading.head) {
            (Some(canonical), _) => canonical,
            (None, Err(refusal)) => return Err(Problem::Reading(refusal).into()),
            (None, Ok(_)) => return Err(Problem::Internal.into()),
        };
        inspect::check_query(program, caller.token, canonical, self.rules)?;
        if let Some(user) = reading.context_user {
            if !token.on_behalf_of.contains(&user) || self.auth.never(&user) {
                return Err(Problem::ContextUser.into());
            }
            facts.on_behalf_of = Some(user);
        }
        let needs = self.rules.needs(canonical);
        if let Some(lacking) = needs.lacking(token.mint, token.escalate) {
            let effect = self.rules.effect(canonical, lacking);
            return Err(Problem::Lacks(lacking, effect).into());
        }
        if canonical.path == SELF_PATH {
            facts.own = canonical.method == Method::Get;
            return if facts.own {
                Ok(None)
            } else {
                Err(Problem::OutsideEndpoints.into())
            };
        }
        let line = self.decide(program, caller.token, canonical, body)?;
        let effective = facts.on_behalf_of.as_deref().unwrap_or(&caller.user);
        if (self.lacks_identity)(effective) {
            return Err(Problem::NoUpstreamIdentity.into());
        }
        Ok(line)
    }

    /// Authenticates by the request's credentials. A request without any is taken as one with the token's own secret.
    fn authenticate(
        &self,
        (program, named): (&Program, TokenId),
        credentials: &request::Credentials,
        question: &Question,
    ) -> Result<Authenticated, Stop> {
        let token = program.token(named);
        let given = question.shown.as_ref();
        let has_credentials = given.is_some() || !matches!(credentials, request::Credentials::None);
        if has_credentials && question.user.is_some() {
            return Err(Incomplete::TwoUsers.into());
        }
        let found = match (credentials, given) {
            (request::Credentials::None, Some(shown)) => {
                let accepted = match shown.scheme {
                    Scheme::Basic => self.auth.help().methods.basic(),
                    Scheme::Bearer => self.auth.help().methods.bearer(),
                };
                if !accepted {
                    return Err(Problem::NotAccepted(AuthFailure::Method).into());
                }
                let user = shown.user.as_deref();
                self.by_hash(program, (shown.hash()?, user), question)
            }
            (request::Credentials::None, None) => {
                let user = match (&token.users, question.user.as_deref()) {
                    (_, Some(user)) => Some(user),
                    (Users::Named(users), None) if users.len() == 1 => users.first().map(String::as_str),
                    _ => return Err(Incomplete::User(token.name.clone()).into()),
                };
                // Bearer names no user, so such a token works only if it has one user.
                let user = user.filter(|_| self.auth.help().methods.basic());
                self.by_hash(program, (token.secret_hash, user), question)
            }
            (credentials, _) => auth::authenticate(
                program,
                credentials,
                self.auth,
                self.is_revoked,
                question.caller(self.now_ms),
            ),
        };
        let other = match &found {
            Ok(caller) => Some(caller.token),
            Err(failed) => failed.token,
        };
        if let Some(other) = other.filter(|other| *other != named) {
            return Err(Incomplete::OtherToken(program.token(other).name.clone()).into());
        }
        let caller = found.map_err(auth::Failed::problem)?;
        // Bearer names no user, so the user that was asked about must be the token's.
        match &question.user {
            Some(user) if caller.user != user.as_str() => {
                Err(Problem::Unauthenticated(AuthFailure::WrongUser).into())
            }
            _ => Ok(caller),
        }
    }

    fn by_hash(
        &self,
        program: &Program,
        shown: ([u8; 32], Option<&str>),
        question: &Question,
    ) -> Result<Authenticated, auth::Failed> {
        auth::authenticate_hash(
            program,
            shown,
            self.auth,
            self.is_revoked,
            question.caller(self.now_ms),
        )
    }

    /// Decides with the whole body, in the order in which `runtime/pep` looks at head and body.
    fn decide(
        &self,
        program: &Program,
        token: TokenId,
        canonical: &Canonical,
        body: &[u8],
    ) -> Result<Option<LineId>, Refused> {
        let decision = inspect::decide(program, token, canonical, inspect::unread(canonical));
        let product_reads = inspect::product_reads(canonical, self.rules);
        if let Decision::Deny(denial) = decision {
            return Err(Refused::Denied(denial));
        }
        let needs_body = product_reads || matches!(decision, Decision::NeedsBody(_));
        let length = body.len() as u64;
        if length > self.body_bytes {
            return Err(Problem::BodyOverLimit(self.body_bytes).into());
        }
        let of_token = program.token(token).limits.or(self.limits).max_body;
        if let Some(most) = of_token.filter(|most| length > *most) {
            return Err(Problem::BodyOverTokenLimit(most).into());
        }
        if needs_body && body.len() > self.inspect_bytes {
            return Err(Problem::BodyTooLarge(self.inspect_bytes).into());
        }
        if product_reads {
            inspect::check_body(program, token, canonical, self.rules, body)?;
        }
        let noted = (self.rules, &mut Evidence::default());
        match inspect::decide_whole(program, token, canonical, body, noted)? {
            Decision::Allow(grant) => Ok(grant.line()),
            Decision::Deny(denial) => Err(Refused::Denied(denial)),
            // The body was supplied. Without a decision nothing is permitted.
            Decision::NeedsBody(_) => Err(Problem::Internal.into()),
        }
    }

    /// Compares the request with each permit line of the token.
    fn compared(
        &self,
        program: &Program,
        token: TokenId,
        canonical: &Canonical,
        body: &[u8],
    ) -> Vec<report::Line> {
        let query = inspect::parameters(canonical);
        let request = inspect::request(token, canonical, &query, inspect::unread(canonical));
        let lines = compare(program, &request, Effect::Permit, body);
        let shown = |text: &str| self.shown(text, canonical.secrets());
        let lines = lines.into_iter();
        lines
            .map(|line| report::Line::of(program, line, canonical, &shown))
            .collect()
    }
    /// Returns a text of the request for people, without its secrets.
    pub fn shown(&self, text: &str, secrets: &Secrets) -> String {
        self.rules.shown_text(text, secrets).into_owned()
    }
}

/// Reason why a request is not allowed, or cannot be judged.
enum Stop {
    Refused(Refused),
    Incomplete(Incomplete),
}

impl From<Refused> for Stop {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl From<Problem> for Stop {
    fn from(problem: Problem) -> Self {
        Self::Refused(problem.into())
    }
}

impl From<Incomplete> for Stop {
    fn from(incomplete: Incomplete) -> Self {
        Self::Incomplete(incomplete)
    }
}

/// Points out a body that is sent as a form and looks like JSON, the usual slip with `curl -d`.
fn body_note(canonical: &Canonical, body: &[u8]) -> Option<String> {
    let begins = body.iter().find(|byte| !byte.is_ascii_whitespace());
    (canonical.media == Media::Form && matches!(begins, Some(b'{' | b'['))).then(|| {
        "the body looks like JSON, but is sent as a form; add -H 'Content-Type: application/json'".to_owned()
    })
}
