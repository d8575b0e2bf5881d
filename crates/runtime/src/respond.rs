//! Responses of the proxy itself: the one map from a problem to a response (SEMANTICS section 5).
//!
//! Bodies are `application/problem+json` (RFC 9457) with a stable `reason` and the request's id. `detail` says what is wrong, and what
//! the caller can do. `answers.show_policy` switches policy text off. The audit has the details.

use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, StatusCode};
use serde::Serialize;
use tokenward_pdp::problem::{Level, Problem, Shown};
use tokenward_pdp::words::{Help, LATER, seconds};

use crate::call::{REQUEST_ID, RequestId};
use crate::proxy::{Answer, AnswerBody};

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

/// Room for a body of the usual size. Most problems have 200 to 500 bytes.
const USUAL_BODY: usize = 512;

/// Serialises JSON with a final line feed, so that a terminal shows two responses on separate lines.
fn json_line(body: &impl Serialize) -> Vec<u8> {
    // Serialising cannot fail, since all names are strings.
    let mut line = Vec::with_capacity(USUAL_BODY);
    let _ = serde_json::to_writer(&mut line, body);
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
    use tokenward_compiler::decide::DenyReason;
    use tokenward_pdp::config::Methods;
    use tokenward_pdp::problem::{AuthFailure, Denied, Shortfall};

    use super::*;

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
        let shown = Some(Shown::Lacks(lacks.into()));
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
