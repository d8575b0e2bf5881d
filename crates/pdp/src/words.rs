//! Status and words of the response to each problem.

use std::time::Duration;

use http::StatusCode;
use tokenward_compiler::decide::DenyReason;
use tokenward_compiler::json::ReadError;

use crate::config::{Config, Methods};
use crate::problem::{AuthFailure, Denied, Exceeded, OverLimit, Problem, Shown};
use crate::request::{Needs, SELF_PATH};

impl Problem {
    /// Returns the status of the response.
    pub fn status(&self) -> StatusCode {
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
            Self::FleetStale | Self::Audit | Self::BodyBudget | Self::CallBudget => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::UpstreamUnreachable
            | Self::UpstreamBroken
            | Self::UpstreamInterims
            | Self::UpstreamUnauthorized => StatusCode::BAD_GATEWAY,
            Self::UpstreamTimeout => StatusCode::GATEWAY_TIMEOUT,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
    /// Returns the description for the caller.
    pub fn detail(&self, help: &Help) -> String {
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
            Self::FleetStale => {
                "The proxy's policy has expired, so it serves no calls. Its operator must publish the policy again.".into()
            }
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

/// Room for the words of a denial, in addition to the call and the address of the token's own page.
const DENIED_BYTES: usize = 256;

/// Describes a denial. The policy's text is in members of its own.
fn denied_detail(denied: &Denied, help: &Help) -> String {
    let mut detail = String::with_capacity(denied.call.len() + help.own_page.len() + DENIED_BYTES);
    detail.push_str(match denied.reason {
        DenyReason::NoLine => "No line of this token allows ",
        DenyReason::ForbidLine => "A line of this token forbids ",
    });
    detail.push_str(&denied.call);
    detail.push('.');
    if let Some(why) = &denied.unread {
        detail.push_str(&format!(" The proxy could not read the body as JSON: {why}."));
    }
    if let Some(Shown::Lacks(_)) = &denied.shown {
        detail.push_str(
            " `policy_line` is the nearest line, `failed` its first condition that failed, and `found` the kind of value in the request.",
        );
    }
    for part in [
        " GET ",
        &help.own_page,
        " shows the lines and the last denials of this token.",
    ] {
        detail.push_str(part);
    }
    detail
}

/// Facts about the proxy that responses contain.
#[derive(Clone, Debug)]
pub struct Help {
    /// The accepted schemes among Basic and Bearer.
    pub methods: Methods,
    /// Further schemes that carry the bare token.
    pub schemes: Vec<String>,
    /// URL at which a token shows its own lines and last denials.
    pub own_page: String,
}

impl Help {
    /// Takes it from the configuration.
    pub fn of(config: &Config) -> Self {
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
pub fn described(problem: &Problem, help: &Help) -> (u16, String) {
    (problem.status().as_u16(), problem.detail(help))
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
pub const LATER: u64 = 5;

fn within(seconds: u64) -> String {
    match seconds {
        1 => "in 1 second".to_owned(),
        seconds => format!("in {seconds} seconds"),
    }
}

/// A time to wait in whole seconds, rounded up; at least one.
pub fn seconds(wait: Duration) -> u64 {
    let part = u64::from(wait.subsec_nanos() > 0);
    wait.as_secs().saturating_add(part).max(1)
}
