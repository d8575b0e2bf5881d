//! Reasons why a request is not answered by the upstream, with their stable codes and their verdicts in the audit.

mod over_limit;
mod shortfall;
mod unreadable;

use std::sync::Arc;

use tokenward_audit::{End, Verdict};
use tokenward_compiler::decide::DenyReason;
use tokenward_compiler::json::ReadError;

use crate::request::{Needs, Refusal};
pub use over_limit::{Exceeded, Level, OverLimit};
pub use shortfall::Shortfall;
pub use unreadable::Unreadable;

/// Reason why a request is not answered by the upstream.
#[derive(Debug)]
pub enum Problem {
    /// The framing is ambiguous.
    Framing(Refusal),
    /// The path is outside of `upstream.endpoints`.
    OutsideEndpoints,
    /// The credentials have no token that works for this caller. The caller does not learn why.
    Unauthenticated(AuthFailure),
    /// The scheme is not accepted, or the right secret was shown for the right user from an allowed address, but the
    /// token has ended. The caller learns which.
    NotAccepted(AuthFailure),
    /// Too many failed credentials came from the address; with the seconds after which to try again.
    TooManyFailures(u64),
    /// The token is not valid from this address.
    Address,
    /// The call is over a limit of its token, or of all tokens together.
    OverLimit(OverLimit),
    /// The request is ambiguous, or refused by the reading.
    Reading(Refusal),
    /// The token owns or includes a line with an error, and the proxy started with that policy.
    PolicyError,
    /// `contextUser` names a user for whom the token may not act.
    ContextUser,
    /// The call gives credentials or rights, and the token lacks these keys for it. The text is the effect of the call, if it is known.
    Lacks(Needs, Option<String>),
    /// No line permits the call, or a line forbids it.
    Denied(Box<Denied>),
    /// The body is larger than the limit for inspected bodies, in bytes.
    BodyTooLarge(usize),
    /// The body is larger than the limit for all bodies, in bytes.
    BodyOverLimit(u64),
    /// The process keeps so many bodies in memory that this one has no room.
    BodyBudget,
    /// So many calls are in progress that this one has no room.
    CallBudget,
    /// The body is larger than the token may send, in bytes.
    BodyOverTokenLimit(u64),
    /// The policy inspects the body, which is ambiguous.
    Json(Unreadable),
    /// The product reads credentials or another identity from this JSON node.
    BodyCredentials(String),
    /// The body's bytes break the framing.
    BodyBroken(&'static str),
    /// The client paused too long within the body.
    BodySlow,
    /// The client sends the body too slowly.
    BodyTooSlow,
    /// The client closed the connection within the body.
    ClientGone,
    /// The manifest of the proxy's fleet has expired.
    FleetStale,
    /// The record cannot be written.
    Audit,
    /// The configuration has no upstream credentials for the user.
    NoUpstreamIdentity,
    /// The upstream cannot be reached.
    UpstreamUnreachable,
    /// The upstream closed the connection early, or its response is not HTTP.
    UpstreamBroken,
    /// The upstream did not answer in time.
    UpstreamTimeout,
    /// The upstream sent too many interim responses.
    UpstreamInterims,
    /// The upstream does not accept the credentials that the proxy sent.
    UpstreamUnauthorized,
    /// An internal error.
    Internal,
}

/// The codes of problems that do not take their code from a part.
pub const CODES: [&str; 36] = [
    "outside-endpoints",
    "unauthenticated",
    "too-many-failures",
    "address",
    "policy-error",
    "rate-limit",
    "rate-limit-together",
    "concurrent-limit",
    "concurrent-limit-together",
    "context-user",
    "minting",
    "escalating",
    "no-line",
    "forbid-line",
    "body-too-large",
    "body-over-limit",
    "body-budget",
    "call-budget",
    "body-over-token-limit",
    "json-syntax",
    "json-duplicate-name",
    "json-control-in-name",
    "json-case-variant",
    "body-credentials",
    "body-timeout",
    "body-too-slow",
    "client-gone",
    "fleet-stale",
    "audit-unavailable",
    "no-upstream-identity",
    "upstream-unreachable",
    "upstream-broken",
    "upstream-timeout",
    "upstream-interim-flood",
    "upstream-unauthorized",
    "internal",
];

/// The codes of calls that a limit refused. The same call may succeed later.
const OVER_LIMIT: [&str; 6] = [
    "rate-limit",
    "rate-limit-together",
    "concurrent-limit",
    "concurrent-limit-together",
    "body-budget",
    "call-budget",
];

impl Problem {
    /// The stable reason code that the client sees.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Framing(refusal) | Self::Reading(refusal) => refusal.reason.code(),
            Self::OutsideEndpoints => "outside-endpoints",
            Self::Unauthenticated(_) => "unauthenticated",
            Self::NotAccepted(failure) => failure.public_code(),
            Self::TooManyFailures(_) => "too-many-failures",
            Self::Address => "address",
            Self::PolicyError => "policy-error",
            Self::OverLimit(over) => match (over.limit, over.together) {
                (Exceeded::Rate, false) => "rate-limit",
                (Exceeded::Rate, true) => "rate-limit-together",
                (Exceeded::Concurrent, false) => "concurrent-limit",
                (Exceeded::Concurrent, true) => "concurrent-limit-together",
            },
            Self::ContextUser => "context-user",
            Self::Lacks(needs, _) if needs.mint => "minting",
            Self::Lacks(..) => "escalating",
            Self::Denied(denied) => match denied.reason {
                DenyReason::NoLine => "no-line",
                DenyReason::ForbidLine => "forbid-line",
            },
            Self::BodyTooLarge(_) => "body-too-large",
            Self::BodyOverLimit(_) => "body-over-limit",
            Self::BodyBudget => "body-budget",
            Self::CallBudget => "call-budget",
            Self::BodyOverTokenLimit(_) => "body-over-token-limit",
            Self::Json(unreadable) => match unreadable.error {
                ReadError::NotJson { .. } => "json-syntax",
                ReadError::DuplicateName { .. } => "json-duplicate-name",
                ReadError::ControlInName { .. } => "json-control-in-name",
                ReadError::CaseVariant { .. } => "json-case-variant",
            },
            Self::BodyCredentials(_) => "body-credentials",
            Self::BodyBroken(code) => code,
            Self::BodySlow => "body-timeout",
            Self::BodyTooSlow => "body-too-slow",
            Self::ClientGone => "client-gone",
            Self::FleetStale => "fleet-stale",
            Self::Audit => "audit-unavailable",
            Self::NoUpstreamIdentity => "no-upstream-identity",
            Self::UpstreamUnreachable => "upstream-unreachable",
            Self::UpstreamBroken => "upstream-broken",
            Self::UpstreamTimeout => "upstream-timeout",
            Self::UpstreamInterims => "upstream-interim-flood",
            Self::UpstreamUnauthorized => "upstream-unauthorized",
            Self::Internal => "internal",
        }
    }

    /// The reason code in the audit, which may say more than [`Self::code`].
    pub fn audit_code(&self) -> &'static str {
        match self {
            Self::Unauthenticated(failure) | Self::NotAccepted(failure) => failure.code(),
            other => other.code(),
        }
    }

    /// Whether a record of the call with this reason code has a quota in the audit: a limit refused the call, and a
    /// token that goes on calling must not fill the disk.
    pub fn is_over_limit(code: &str) -> bool {
        OVER_LIMIT.contains(&code)
    }

    /// The verdict in the audit.
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::Denied(_) | Self::Lacks(..) | Self::ContextUser | Self::PolicyError => Verdict::Deny,
            _ => Verdict::Refuse,
        }
    }

    /// Gives the end of a call with this problem, for the audit. A client that is gone does not get the response, even
    /// if it is written.
    pub fn end(&self) -> End {
        match self {
            Self::ClientGone => End::ClientGone,
            _ => End::Complete,
        }
    }
}

/// Details of a denial by policy.
#[derive(Debug)]
pub struct Denied {
    /// Reason of the decision.
    pub reason: DenyReason,
    /// Method and canonical URL, as the audit has them.
    pub call: String,
    /// The policy's part in it; only if the configuration shows policy text.
    pub shown: Option<Shown>,
    /// Why the body could not be read, if a line looks into it.
    pub unread: Option<String>,
}

/// The policy text that a response shows.
#[derive(Debug)]
pub enum Shown {
    /// The forbid line that matched, with its place.
    Forbids(String),
    /// The nearest permit line, and its first condition that failed.
    Lacks(Arc<Shortfall>),
}

/// Reason why credentials do not work. The client gets the same 401 for those that depend on who knows the secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthFailure {
    /// The request has no credentials.
    NoCredentials,
    /// The credentials cannot be parsed.
    Malformed,
    /// `auth.methods` does not accept the scheme.
    Method,
    /// No token has this secret.
    UnknownToken,
    /// The token was revoked.
    Revoked,
    /// The token has expired.
    Expired,
    /// The secret was rotated away, and its grace has ended.
    RotatedAway,
    /// The token works only for other users.
    WrongUser,
    /// The token has several users, and the credentials name none.
    NoUser,
    /// The user is listed in `auth.never_act_as`.
    NeverActAs,
}

impl AuthFailure {
    /// All failures.
    pub const ALL: [Self; 10] = [
        Self::NoCredentials,
        Self::Malformed,
        Self::Method,
        Self::UnknownToken,
        Self::Revoked,
        Self::Expired,
        Self::RotatedAway,
        Self::WrongUser,
        Self::NoUser,
        Self::NeverActAs,
    ];

    /// The stable reason code in the response to a caller who may learn the reason.
    pub(crate) fn public_code(self) -> &'static str {
        match self {
            Self::RotatedAway => Self::Expired.code(),
            told => told.code(),
        }
    }

    /// Whether the caller may be guessing secrets; a request without credentials is not a guess.
    pub fn is_attempt(self) -> bool {
        self != Self::NoCredentials
    }

    /// The stable reason code in the audit.
    pub fn code(self) -> &'static str {
        match self {
            Self::NoCredentials => "no-credentials",
            Self::Malformed => "malformed-credentials",
            Self::Method => "auth-method",
            Self::UnknownToken => "unknown-token",
            Self::Revoked => "revoked",
            Self::Expired => "expired",
            Self::RotatedAway => "rotated-away",
            Self::WrongUser => "wrong-user",
            Self::NoUser => "no-user",
            Self::NeverActAs => "never-act-as",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::request::Reason;
    use crate::wire::Violation;

    /// One problem of each kind; a new kind does not compile until it is listed here.
    fn each() -> Vec<Problem> {
        let json = |error| Problem::Json(Unreadable::new(error, b""));
        let needs = |mint, escalate| Problem::Lacks(Needs { mint, escalate }, None);
        let denied = |reason| {
            Problem::Denied(Box::new(Denied {
                reason,
                call: String::new(),
                shown: None,
                unread: None,
            }))
        };
        let over = |limit, together| {
            Problem::OverLimit(OverLimit {
                limit,
                together,
                retry_after: Duration::ZERO,
                level: None,
            })
        };
        let listed = |problem: &Problem| match problem {
            Problem::Framing(_)
            | Problem::OutsideEndpoints
            | Problem::Unauthenticated(_)
            | Problem::NotAccepted(_)
            | Problem::TooManyFailures(_)
            | Problem::Address
            | Problem::Reading(_)
            | Problem::ContextUser
            | Problem::Lacks(..)
            | Problem::Denied(_)
            | Problem::BodyTooLarge(_)
            | Problem::BodyOverLimit(_)
            | Problem::Json(_)
            | Problem::BodyCredentials(_)
            | Problem::BodyBroken(_)
            | Problem::BodySlow
            | Problem::BodyTooSlow
            | Problem::ClientGone
            | Problem::FleetStale
            | Problem::Audit
            | Problem::NoUpstreamIdentity
            | Problem::UpstreamUnreachable
            | Problem::UpstreamBroken
            | Problem::UpstreamTimeout
            | Problem::UpstreamUnauthorized
            | Problem::Internal
            | Problem::OverLimit(_)
            | Problem::PolicyError
            | Problem::BodyBudget
            | Problem::CallBudget
            | Problem::BodyOverTokenLimit(_)
            | Problem::UpstreamInterims => true,
        };
        let mut problems = vec![
            Problem::OutsideEndpoints,
            Problem::Unauthenticated(AuthFailure::UnknownToken),
            Problem::TooManyFailures(1),
            Problem::Address,
            Problem::ContextUser,
            needs(true, false),
            needs(false, true),
            denied(DenyReason::NoLine),
            denied(DenyReason::ForbidLine),
            Problem::BodyTooLarge(1),
            Problem::BodyOverLimit(1),
            json(ReadError::NotJson { offset: 0, what: "" }),
            json(ReadError::DuplicateName { offset: 0 }),
            json(ReadError::ControlInName { offset: 0 }),
            json(ReadError::CaseVariant { offset: 0 }),
            Problem::BodyCredentials(String::new()),
            Problem::BodySlow,
            Problem::BodyTooSlow,
            Problem::ClientGone,
            Problem::FleetStale,
            Problem::Audit,
            Problem::NoUpstreamIdentity,
            Problem::UpstreamUnreachable,
            Problem::UpstreamBroken,
            Problem::UpstreamTimeout,
            Problem::UpstreamUnauthorized,
            Problem::Internal,
            Problem::PolicyError,
            Problem::BodyBudget,
            Problem::CallBudget,
            Problem::BodyOverTokenLimit(1),
            Problem::UpstreamInterims,
            over(Exceeded::Rate, false),
            over(Exceeded::Rate, true),
            over(Exceeded::Concurrent, false),
            over(Exceeded::Concurrent, true),
        ];
        let told = [
            AuthFailure::Method,
            AuthFailure::Revoked,
            AuthFailure::Expired,
            AuthFailure::RotatedAway,
        ];
        problems.extend(told.map(Problem::NotAccepted));
        problems.extend(
            Reason::ALL
                .iter()
                .map(|reason| Problem::Reading((*reason).into())),
        );
        problems.extend(
            Violation::ALL
                .iter()
                .map(|violation| Problem::BodyBroken(violation.code())),
        );
        assert!(problems.iter().all(listed));
        problems
    }

    #[test]
    fn each_reason_code_has_its_cure_on_the_page() {
        let page = include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../docs/troubleshooting.md"
        ));
        for problem in each() {
            let code = problem.code();
            let row = page.lines().find(|line| {
                let first = line.split('|').nth(1).unwrap_or_default();
                first.split(',').any(|name| name.trim() == format!("`{code}`"))
            });
            let cells: Vec<&str> = row
                .unwrap_or_else(|| panic!("docs/troubleshooting.md lacks `{code}`"))
                .split('|')
                .collect();
            assert!(
                cells.len() >= 5 && cells[3].trim().len() > 10,
                "`{code}` has no cure"
            );
        }
    }
}
