//! Responses of the proxy itself: the one map from a problem to a response (SEMANTICS section 5).
//!
//! Bodies are `application/problem+json` (RFC 9457) with a stable `reason` and the request's id. They say what a caller
//! can change, but show nothing of the policy, unless `answers.show_policy` is on. The audit has the details.

use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, StatusCode};
use serde::Serialize;
use tokenward_compiler::decide::DenyReason;
use tokenward_compiler::json::ReadError;

use crate::call::{REQUEST_ID, RequestId};
use crate::config::Methods;
use crate::problem::Problem;
use crate::proxy::{Answer, AnswerBody};

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
            Self::Unauthenticated(_) => StatusCode::UNAUTHORIZED,
            Self::TooManyFailures(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Address
            | Self::ContextUser
            | Self::Lacks(_)
            | Self::Denied(_)
            | Self::NoUpstreamIdentity => StatusCode::FORBIDDEN,
            Self::BodyTooLarge(_) | Self::BodyOverLimit(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BodySlow | Self::BodyTooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Audit => StatusCode::SERVICE_UNAVAILABLE,
            Self::UpstreamUnreachable | Self::UpstreamBroken | Self::UpstreamUnauthorized => {
                StatusCode::BAD_GATEWAY
            }
            Self::UpstreamTimeout => StatusCode::GATEWAY_TIMEOUT,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn detail(&self) -> String {
        match self {
            Self::Framing(refusal) | Self::Reading(refusal) => refusal.detail.clone(),
            Self::OutsideEndpoints => "This path is not served here.".into(),
            Self::Unauthenticated(_) => {
                "The request needs a token that is valid for its user, in the Authorization header.".into()
            }
            Self::TooManyFailures(_) => {
                "Too many requests with credentials that do not work came from this address; try again later."
                    .into()
            }
            Self::Address => "The token may not be used from this address.".into(),
            Self::ContextUser => {
                "The token may not act for the user that the contextUser header names.".into()
            }
            Self::Lacks(needs) => match (needs.mint, needs.escalate) {
                (true, true) => {
                    "This call can carry any other call. The token lacks `mint = true` and `escalate = true`."
                        .into()
                }
                (true, false) => {
                    "This call makes or shows credentials. The token lacks `mint = true`.".into()
                }
                (false, _) => "This call gives rights. The token lacks `escalate = true`.".into(),
            },
            Self::Denied(denied) => match denied.reason {
                DenyReason::NoLine => format!("No line of this token allows {}.", denied.call),
                DenyReason::ForbidLine => format!("A line of this token forbids {}.", denied.call),
            },
            Self::BodyTooLarge(limit) => {
                format!("The policy inspects this body, and bodies over {limit} bytes are not inspected.")
            }
            Self::BodyOverLimit(limit) => format!("Bodies over {limit} bytes are not sent on."),
            Self::Json(error) => match error {
                ReadError::NotJson { offset, what } => {
                    format!("The body is not JSON: {what} at byte {offset}.")
                }
                ReadError::DuplicateName { offset } => {
                    format!("The JSON body repeats a name at byte {offset}.")
                }
                ReadError::ControlInName { offset } => {
                    format!("A name in the JSON body has a control character, at byte {offset}.")
                }
                ReadError::CaseVariant { offset } => {
                    format!(
                        "A name in the JSON body differs only in case from one that the policy checks, at byte {offset}."
                    )
                }
            },
            Self::BodyCredentials(node) => {
                format!(
                    "The upstream takes credentials or another identity from `{node}` in the body; leave it out."
                )
            }
            Self::BodyBroken(_) => "The body's framing is malformed.".into(),
            Self::BodySlow => "The body did not arrive in time.".into(),
            Self::BodyTooSlow => "The body arrives too slowly.".into(),
            Self::ClientGone => "The client closed the connection within the body.".into(),
            Self::Audit => {
                "The call cannot be recorded, and none is let pass unrecorded; try again later.".into()
            }
            Self::NoUpstreamIdentity => "The proxy has no credentials at the upstream for this user.".into(),
            Self::UpstreamUnreachable => "The upstream cannot be reached; try again later.".into(),
            Self::UpstreamBroken => "The upstream broke off its answer.".into(),
            Self::UpstreamTimeout => "The upstream did not answer in time.".into(),
            Self::UpstreamUnauthorized => {
                "The upstream does not accept the proxy's own credentials; its operator must mend that."
                    .into()
            }
            Self::Internal => {
                "The proxy failed at this request; its log has the details under the request id.".into()
            }
        }
    }
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
    policy_line: Option<&'a str>,
}

/// The ways in which a token may be presented in `Authorization`.
#[derive(Clone, Debug)]
pub(crate) struct Accepted {
    /// Whether Basic and Bearer are accepted.
    pub(crate) methods: Methods,
    /// Further schemes that carry the bare token.
    pub(crate) schemes: Vec<String>,
}

/// Makes the response to a request with this problem.
pub(crate) fn problem(problem: &Problem, id: &RequestId, accepted: &Accepted) -> Answer {
    let status = problem.status();
    // A policy line is only present if the configuration shows it.
    let line = match problem {
        Problem::Denied(denied) => denied.line.as_deref(),
        _ => None,
    };
    let body = ProblemBody {
        title: status.canonical_reason().unwrap_or_default(),
        status: status.as_u16(),
        detail: &problem.detail(),
        reason: problem.code(),
        request_id: &id.to_string(),
        policy_line: line,
    };
    let mut headers = vec![
        (CONTENT_TYPE, HeaderValue::from_static("application/problem+json")),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (REQUEST_ID, id.header()),
    ];
    // Headers that depend on the problem.
    if matches!(problem, Problem::Unauthenticated(_)) {
        headers.extend(challenges(accepted));
    }
    match problem {
        Problem::Audit => headers.push((RETRY_AFTER, HeaderValue::from_static("5"))),
        Problem::TooManyFailures(seconds) => headers.push((RETRY_AFTER, HeaderValue::from(*seconds))),
        _ => {}
    }
    Answer {
        status,
        headers,
        body: AnswerBody::Whole(json_line(&body)),
        close: matches!(
            problem,
            Problem::BodyBroken(_)
                | Problem::BodySlow
                | Problem::BodyTooSlow
                | Problem::BodyOverLimit(_)
                | Problem::ClientGone
        ),
    }
}

/// The response to bytes that are not a request: a status, after which the connection closes.
pub(crate) fn bare(status: u16) -> Answer {
    Answer {
        status: StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST),
        headers: Vec::new(),
        body: AnswerBody::Whole(Vec::new()),
        close: true,
    }
}

/// Makes a JSON response of the proxy itself.
pub(crate) fn json(id: &RequestId, body: &serde_json::Value) -> Answer {
    Answer {
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

fn challenges(accepted: &Accepted) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
    let Accepted { methods, schemes } = accepted;
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
        status: StatusCode::NO_CONTENT,
        headers,
        body: AnswerBody::None,
        close: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::{AuthFailure, Denied};

    fn text(answer: &Answer) -> serde_json::Value {
        match &answer.body {
            AnswerBody::Whole(body) => {
                assert!(body.ends_with(b"}\n"));
                serde_json::from_slice(body).unwrap()
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_denial_says_what_is_missing_and_shows_policy_only_on_setting() {
        let id = RequestId::from([7; 16]);
        let denied = |line: Option<&str>| {
            Problem::Denied(Denied {
                reason: DenyReason::NoLine,
                call: "GET https://x/rest/a".into(),
                line: line.map(str::to_owned),
            })
        };
        let accepted = |methods| Accepted {
            methods,
            schemes: vec!["token".into()],
        };
        let body = text(&problem(&denied(None), &id, &accepted(Methods::Basic)));
        assert_eq!(body["status"], 403);
        assert_eq!(body["reason"], "no-line");
        assert_eq!(
            body["detail"],
            "No line of this token allows GET https://x/rest/a."
        );
        assert_eq!(body["request_id"], "07".repeat(16));
        assert_eq!(body.get("policy_line"), None);
        let body = text(&problem(
            &denied(Some("a.toml:3: [get]/x")),
            &id,
            &accepted(Methods::Basic),
        ));
        assert_eq!(body["policy_line"], "a.toml:3: [get]/x");
    }

    #[test]
    fn every_failed_authentication_looks_the_same_to_the_client() {
        let id = RequestId::from([1; 16]);
        let accepted = Accepted {
            methods: Methods::Both,
            schemes: vec!["token".into()],
        };
        let answers: Vec<String> = AuthFailure::ALL
            .iter()
            .map(|&failure| {
                format!(
                    "{:?}",
                    problem(&Problem::Unauthenticated(failure), &id, &accepted)
                )
            })
            .collect();
        assert!(answers.windows(2).all(|pair| pair[0] == pair[1]));
        for scheme in ["Basic realm", "Bearer realm", "token realm"] {
            assert!(answers[0].contains(scheme), "{}", answers[0]);
        }
    }
}
