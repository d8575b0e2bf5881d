//! Responses of the proxy itself: the one map from a problem to a response (SEMANTICS section 5).
//!
//! Bodies are `application/problem+json` (RFC 9457) with a stable `reason` and the request's id. `detail` says what is wrong, and what
//! the caller can do. `answers.show_policy` switches policy text off. The audit has the details.

use std::time::Duration;

use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, StatusCode};
use serde::Serialize;
use tokenward_compiler::decide::DenyReason;
use tokenward_compiler::json::ReadError;

use crate::call::{REQUEST_ID, RequestId};
use crate::config::{Config, Methods};
use crate::limiter::{Exceeded, Level, OverLimit};
use crate::problem::{AuthFailure, Denied, Problem, Shown};
use crate::proxy::{Answer, AnswerBody};
use crate::request::{Needs, SELF_PATH};

impl Problem {
    fn status(&self) -> StatusCode {
        match self {
            Self::Framing(_)
            | Self::Reading(_)
            | Self::Json(_)
            | Self::BodyCredentials(_)
            | Self::BodyBroken(_) => StatusCode::BAD_REQUEST,
            Self::ClientGone => StatusCode::BAD_REQUEST,
            Self::OutsideEndpoints => StatusCode::NOT_FOUND,
            Self::Unauthenticated(_) | Self::NotAccepted(_) => StatusCode::UNAUTHORIZED,
            Self::TooManyFailures(_) | Self::OverLimit(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Address
            | Self::PolicyError
            | Self::ContextUser
            | Self::Lacks(..)
            | Self::Denied(_)
            | Self::NoUpstreamIdentity => StatusCode::FORBIDDEN,
            Self::BodyTooLarge(_) | Self::BodyOverLimit(_) | Self::BodyOverTokenLimit(_) => {
                StatusCode::PAYLOAD_TOO_LARGE
            }
            Self::BodySlow | Self::BodyTooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Audit | Self::BodyBudget | Self::CallBudget => StatusCode::SERVICE_UNAVAILABLE,
            Self::UpstreamUnreachable
            | Self::UpstreamBroken
            | Self::UpstreamInterims
            | Self::UpstreamUnauthorized => StatusCode::BAD_GATEWAY,
            Self::UpstreamTimeout => StatusCode::GATEWAY_TIMEOUT,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn detail(&self, help: &Help) -> String {
        match self {
            Self::Framing(refusal) | Self::Reading(refusal) => {
                format!("{} {}", refusal.detail, refusal.reason.remedy())
            }
            Self::OutsideEndpoints => {
                "The proxy does not serve this path. Check the base URL of your calls, with its context path.".into()
            }
            Self::Unauthenticated(_) => format!(
                "The request has no valid token for its user. Send an Authorization header: {}.",
                help.ways()
            ),
            Self::NotAccepted(failure) => match failure {
                AuthFailure::Revoked => "The token was revoked. Ask its owner for another one.".into(),
                AuthFailure::Expired => "The token has expired. Ask its owner for another one.".into(),
                AuthFailure::RotatedAway => {
                    "This secret has expired, because the token has a new one. Ask the owner of the token for it."
                        .into()
                }
                _ => format!(
                    "The proxy does not accept this scheme. Send an Authorization header: {}.",
                    help.ways()
                ),
            },
            Self::TooManyFailures(seconds) => format!(
                "Too many requests with wrong credentials came from this address. Correct the credentials, and try again {}.",
                within(*seconds)
            ),
            Self::OverLimit(over) => over_limit(over),
            Self::Address => "The token may not be used from this address.".into(),
            Self::PolicyError => {
                "The policy has an error in a line of this token, so the proxy refuses all its calls. Ask the owner of the policy to correct the line.".into()
            }
            Self::ContextUser => {
                "The token may not act for the user in the contextUser header. Leave the header out, or ask the owner of the token to allow this user.".into()
            }
            Self::Lacks(needs, effect) => lacks_detail(*needs, effect.as_deref()),
            Self::Denied(denied) => denied_detail(denied, help),
            Self::BodyTooLarge(limit) => {
                format!("The policy checks this body, and the proxy reads at most {limit} bytes for that. Send a smaller body.")
            }
            Self::BodyOverLimit(limit) => {
                format!("The proxy forwards bodies of at most {limit} bytes. Send a smaller body.")
            }
            Self::BodyBudget => format!(
                "The proxy holds too many request bodies in memory. Try again {}.",
                within(LATER)
            ),
            Self::CallBudget => format!(
                "The proxy has too many calls in progress. Try again {}.",
                within(LATER)
            ),
            Self::BodyOverTokenLimit(limit) => {
                format!("This token may send bodies of at most {limit} bytes. Send a smaller body.")
            }
            Self::Json(unreadable) => match unreadable.error {
                ReadError::NotJson { .. } => format!("The body is not JSON: {unreadable}."),
                _ => format!("Servers read this JSON body in different ways: {unreadable}."),
            },
            Self::BodyCredentials(node) => format!(
                "The upstream would take credentials or another identity from `{node}` in the body. Leave this member out."
            ),
            Self::BodyBroken(_) => {
                "The framing of the body is malformed. Leave Content-Length and chunks to your HTTP library.".into()
            }
            Self::BodySlow => "The body did not arrive in time. Read the data before you send the request.".into(),
            Self::BodyTooSlow => "The body arrives too slowly. Send it faster, or over a better connection.".into(),
            Self::ClientGone => "The client closed the connection before the end of the body.".into(),
            Self::Audit => format!(
                "The proxy cannot record the call, so it does not forward it. Try again {}.",
                within(LATER)
            ),
            Self::NoUpstreamIdentity => {
                "The proxy has no upstream credentials for this user. Ask the operator of the proxy to add them.".into()
            }
            Self::UpstreamUnreachable => "The proxy cannot reach the upstream. Try again later.".into(),
            Self::UpstreamBroken => {
                "The upstream closed the connection, or did not respond in HTTP. Check whether the call took effect before you repeat it.".into()
            }
            Self::UpstreamInterims => {
                "The upstream sent too many interim responses (1xx) before its final response. Report this to the operator of the upstream.".into()
            }
            Self::UpstreamTimeout => {
                "The upstream did not respond in time. Check whether the call took effect before you repeat it.".into()
            }
            Self::UpstreamUnauthorized => {
                "The upstream rejected the proxy's own credentials. The operator of the proxy must correct them.".into()
            }
            Self::Internal => {
                "The proxy failed to process this request. Send the request id to the operator, whose log has the details.".into()
            }
        }
    }
}

/// Describes a call that gives more than its own work, to a token without the keys for it.
fn lacks_detail(needs: Needs, effect: Option<&str>) -> String {
    let keys = match (needs.mint, needs.escalate) {
        (true, true) => "`mint = true` and `escalate = true`",
        (true, false) => "`mint = true`",
        (false, _) => "`escalate = true`",
    };
    let effect = effect.unwrap_or("can have the effect of any other call");
    format!("The token lacks {keys}. The call {effect}. Ask the owner of the token.")
}

/// Describes a denial. The policy's text is in members of its own.
fn denied_detail(denied: &Denied, help: &Help) -> String {
    let mut detail = match denied.reason {
        DenyReason::NoLine => format!("No line of this token allows {}.", denied.call),
        DenyReason::ForbidLine => format!("A line of this token forbids {}.", denied.call),
    };
    if let Some(why) = &denied.unread {
        detail.push_str(&format!(" The proxy could not read the body as JSON: {why}."));
    }
    if let Some(Shown::Lacks(_)) = &denied.shown {
        detail.push_str(
            " `policy_line` is the nearest line, `failed` its first condition that failed, and `found` the kind of value in the request.",
        );
    }
    detail.push_str(&format!(
        " GET {} shows the lines and the last denials of this token.",
        help.own_page
    ));
    detail
}

/// The body of a problem's response; members beyond RFC 9457's are Tokenward's own.
#[derive(Serialize)]
struct ProblemBody<'a> {
    title: &'a str,
    status: u16,
    detail: &'a str,
    reason: &'a str,
    request_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy_line: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failed: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    found: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unread: Option<&'a str>,
    #[serde(rename = "self", skip_serializing_if = "Option::is_none")]
    own_page: Option<&'a str>,
}

/// Facts about the proxy that responses contain.
#[derive(Clone, Debug)]
pub(crate) struct Help {
    /// The accepted schemes among Basic and Bearer.
    pub(crate) methods: Methods,
    /// Further schemes that carry the bare token.
    pub(crate) schemes: Vec<String>,
    /// URL at which a token shows its own lines and last denials.
    pub(crate) own_page: String,
}

impl Help {
    /// Takes it from the configuration.
    pub(crate) fn of(config: &Config) -> Self {
        Self {
            methods: config.auth.methods,
            schemes: config.auth.schemes.clone(),
            own_page: format!("{}{SELF_PATH}", config.upstream.public_url),
        }
    }

    /// Lists the ways in which a token may be presented in `Authorization`.
    fn ways(&self) -> String {
        let basic = self
            .methods
            .basic()
            .then(|| "`Basic` (the user, and the token as the password)".to_owned());
        let bearer = self.methods.bearer().then_some("Bearer");
        let bare = bearer.into_iter().chain(self.schemes.iter().map(String::as_str));
        let bare = bare.map(|scheme| format!("`{scheme}` (the token)"));
        basic.into_iter().chain(bare).collect::<Vec<_>>().join(", or ")
    }
}

/// Gives the status and the explanation of the response to a request with this problem.
pub(crate) fn described(problem: &Problem, help: &Help) -> (u16, String) {
    (problem.status().as_u16(), problem.detail(help))
}

/// Makes the response to a request with this problem.
pub(crate) fn problem(problem: &Problem, id: &RequestId, help: &Help) -> Answer {
    let status = problem.status();
    // Policy text is only present if the configuration shows it.
    let denied = match problem {
        Problem::Denied(denied) => Some(denied),
        _ => None,
    };
    let shown = denied.and_then(|denied| denied.shown.as_ref());
    let lacks = shown.and_then(|shown| match shown {
        Shown::Lacks(lacks) => Some(lacks),
        Shown::Forbids(_) => None,
    });
    let line = shown.map(|shown| match shown {
        Shown::Forbids(line) => line.clone(),
        Shown::Lacks(lacks) => lacks.shown_line(),
    });
    let is_of_token = matches!(
        problem,
        Problem::Denied(_) | Problem::Lacks(..) | Problem::ContextUser
    );
    let body = ProblemBody {
        title: status.canonical_reason().unwrap_or_default(),
        status: status.as_u16(),
        detail: &problem.detail(help),
        reason: problem.code(),
        request_id: &id.to_string(),
        policy_line: line,
        failed: lacks.map(|lacks| lacks.condition.as_str()),
        found: lacks.map(|lacks| lacks.found.as_str()),
        unread: denied.and_then(|denied| denied.unread.as_deref()),
        own_page: is_of_token.then_some(help.own_page.as_str()),
    };
    let mut headers = vec![
        (CONTENT_TYPE, HeaderValue::from_static("application/problem+json")),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (REQUEST_ID, id.header()),
    ];
    // Headers that depend on the problem.
    if matches!(problem, Problem::Unauthenticated(_) | Problem::NotAccepted(_)) {
        headers.extend(challenges(help));
    }
    match problem {
        Problem::Audit | Problem::BodyBudget | Problem::CallBudget => {
            headers.push((RETRY_AFTER, HeaderValue::from(LATER)));
        }
        Problem::TooManyFailures(seconds) => headers.push((RETRY_AFTER, HeaderValue::from(*seconds))),
        Problem::OverLimit(over) => headers.push((RETRY_AFTER, HeaderValue::from(seconds(over.retry_after)))),
        _ => {}
    }
    Answer {
        held: None,
        status,
        headers,
        body: AnswerBody::Whole(json_line(&body)),
        close: matches!(
            problem,
            Problem::BodyBroken(_)
                | Problem::BodySlow
                | Problem::BodyTooSlow
                | Problem::BodyOverLimit(_)
                | Problem::BodyBudget
                | Problem::BodyOverTokenLimit(_)
                | Problem::ClientGone
        ),
    }
}

fn over_limit(over: &OverLimit) -> String {
    let whose = if over.together {
        "of all tokens together"
    } else {
        "of this token"
    };
    let what = match over.limit {
        Exceeded::Rate => format!("The rate {whose} is used up"),
        Exceeded::Concurrent => format!("Too many calls {whose} are in progress"),
    };
    format!("{what}. Try again {}.", within(seconds(over.retry_after)))
}

/// Seconds after which to try again if their number depends on others' calls, or on an operator.
const LATER: u64 = 5;

fn within(seconds: u64) -> String {
    match seconds {
        1 => "in 1 second".to_owned(),
        seconds => format!("in {seconds} seconds"),
    }
}

/// A time to wait in whole seconds, rounded up; at least one.
fn seconds(wait: Duration) -> u64 {
    let part = u64::from(wait.subsec_nanos() > 0);
    wait.as_secs().saturating_add(part).max(1)
}

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Adds the rate of the token and the rest of it (draft-ietf-httpapi-ratelimit-headers-10). `q` is the number of calls that may be
/// made at once, and `w` the seconds until all of them are available again. `r` is the number that is available now, and `t` the
/// seconds until there is one more. Fields of the upstream stay: both are lists, in which each server names its own policy.
pub(crate) fn mark_level(answer: &mut Answer, level: Option<Level>) {
    let Some(level) = level else { return };
    let policy = format!("\"token\";q={};w={}", level.burst, seconds(level.window));
    let limit = format!("\"token\";r={};t={}", level.left, seconds(level.next));
    for (name, value) in [(RATE_LIMIT_POLICY, policy), (RATE_LIMIT, limit)] {
        // Numbers are always valid in a header.
        answer
            .headers
            .extend(HeaderValue::from_str(&value).map(|value| (name, value)));
    }
}

/// The response to bytes that are not a request: a status, after which the connection closes.
pub(crate) fn bare(status: u16) -> Answer {
    Answer {
        held: None,
        status: StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST),
        headers: Vec::new(),
        body: AnswerBody::Whole(Vec::new()),
        close: true,
    }
}

/// Makes a JSON response of the proxy itself.
pub(crate) fn json(id: &RequestId, body: &serde_json::Value) -> Answer {
    Answer {
        held: None,
        status: StatusCode::OK,
        headers: vec![
            (CONTENT_TYPE, HeaderValue::from_static("application/json")),
            (CACHE_CONTROL, HeaderValue::from_static("no-store")),
            (REQUEST_ID, id.header()),
        ],
        body: AnswerBody::Whole(json_line(body)),
        close: false,
    }
}

/// Serialises JSON with a final line feed, so that a terminal shows two responses on separate lines.
fn json_line(body: &impl Serialize) -> Vec<u8> {
    // Serialising cannot fail, since all names are strings.
    let mut line = serde_json::to_vec(body).unwrap_or_default();
    line.push(b'\n');
    line
}

fn challenges(help: &Help) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
    let Help { methods, schemes, .. } = help;
    let basic = methods
        .basic()
        .then(|| r#"Basic realm="tokenward", charset="UTF-8""#.to_owned());
    let bearer = methods.bearer().then_some("Bearer");
    let bare = bearer.into_iter().chain(schemes.iter().map(String::as_str));
    let bare = bare.map(|scheme| format!(r#"{scheme} realm="tokenward""#));
    basic
        .into_iter()
        .chain(bare)
        .filter_map(|challenge| Some((WWW_AUTHENTICATE, HeaderValue::from_str(&challenge).ok()?)))
}

/// Makes a response without a body, to a CORS preflight.
pub(crate) fn no_content(headers: Vec<(HeaderName, HeaderValue)>) -> Answer {
    Answer {
        held: None,
        status: StatusCode::NO_CONTENT,
        headers,
        body: AnswerBody::None,
        close: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Shortfall;

    fn text(answer: &Answer) -> serde_json::Value {
        match &answer.body {
            AnswerBody::Whole(body) => {
                assert!(body.ends_with(b"}\n"));
                serde_json::from_slice(body).unwrap()
            }
            other => panic!("{other:?}"),
        }
    }

    fn help() -> Help {
        Help {
            methods: Methods::Both,
            schemes: vec!["token".into()],
            own_page: "https://x/.tokenward/self".into(),
        }
    }

    fn id() -> RequestId {
        RequestId::from([7; 16])
    }

    fn denied(shown: Option<Shown>, unread: Option<&str>) -> Problem {
        Problem::Denied(Box::new(Denied {
            reason: DenyReason::NoLine,
            call: "GET https://x/rest/a".into(),
            shown,
            unread: unread.map(str::to_owned),
        }))
    }

    #[test]
    fn a_denial_says_what_is_missing_and_shows_policy_only_on_setting() {
        let body = text(&problem(&denied(None, None), &id(), &help()));
        assert_eq!(body["status"], 403);
        assert_eq!(body["reason"], "no-line");
        assert_eq!(
            body["detail"],
            "No line of this token allows GET https://x/rest/a. GET https://x/.tokenward/self shows the lines and the last denials of this token."
        );
        assert_eq!(body["request_id"], "07".repeat(16));
        for absent in ["policy_line", "failed", "found", "unread"] {
            assert_eq!(body.get(absent), None);
        }
        let lacks = Shortfall {
            line: tokenward_audit::LineRef {
                file: "a.toml".into(),
                number: 3,
                digest: "00".into(),
            },
            text: "[get]/x[QueryParam::a==1]".into(),
            condition: "QueryParam::a==".into(),
            found: "nothing".into(),
        };
        let shown = Some(Shown::Lacks(lacks));
        let body = text(&problem(&denied(shown, Some("it is a form")), &id(), &help()));
        assert_eq!(body["policy_line"], "a.toml:3: [get]/x[QueryParam::a==1]");
        assert_eq!(body["failed"], "QueryParam::a==");
        assert_eq!(body["found"], "nothing");
        assert_eq!(body["unread"], "it is a form");
        assert_eq!(body["self"], "https://x/.tokenward/self");
        let detail = body["detail"].as_str().unwrap();
        assert!(
            detail.contains("The proxy could not read the body as JSON: it is a form."),
            "{detail}"
        );
        let forbids = Some(Shown::Forbids("a.toml:4: !/x".into()));
        let body = text(&problem(&denied(forbids, None), &id(), &help()));
        assert_eq!(body["policy_line"], "a.toml:4: !/x");
        assert_eq!(body.get("failed"), None);
        // A denial for the address says nothing more.
        let body = text(&problem(&Problem::Address, &id(), &help()));
        let members: Vec<_> = body.as_object().unwrap().keys().cloned().collect();
        assert_eq!(members, ["detail", "reason", "request_id", "status", "title"]);
    }

    #[test]
    fn every_failed_authentication_looks_the_same_to_the_client() {
        let answers: Vec<String> = AuthFailure::ALL
            .iter()
            .map(|&failure| {
                format!(
                    "{:?}",
                    problem(&Problem::Unauthenticated(failure), &id(), &help())
                )
            })
            .collect();
        assert!(answers.windows(2).all(|pair| pair[0] == pair[1]));
        for scheme in ["Basic realm", "Bearer realm", "token realm"] {
            assert!(answers[0].contains(scheme), "{}", answers[0]);
        }
    }

    #[test]
    fn who_may_learn_the_reason_is_told_it() {
        for (failure, reason, detail) in [
            (AuthFailure::Expired, "expired", "The token has expired."),
            (AuthFailure::RotatedAway, "expired", "This secret has expired"),
            (AuthFailure::Revoked, "revoked", "The token was revoked."),
            (
                AuthFailure::Method,
                "auth-method",
                "Send an Authorization header: `Basic` (the user, and the token as the password), or `Bearer` (the token), or `token` (the token).",
            ),
        ] {
            let answer = problem(&Problem::NotAccepted(failure), &id(), &help());
            assert!(answer.headers.iter().any(|(name, _)| name == WWW_AUTHENTICATE));
            let body = text(&answer);
            assert_eq!((&body["status"], &body["reason"]), (&401.into(), &reason.into()));
            assert!(body["detail"].as_str().unwrap().contains(detail), "{body}");
        }
    }
}
