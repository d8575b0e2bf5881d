//! A request that proves a difference, and its trial before the programs themselves.

use crate::{
    decide::{self, Body, Decision, Media, Param, decide, nearest::Nearest},
    ir::{LineId, Program, RuleId, TokenId},
    json,
    method::Method,
};

/// A request, all of it that policies look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The method; [`Method::Other`] means any method that no line can name.
    pub method: Method,
    /// The path below the base URL, decoded.
    pub path: String,
    /// Names and values of the query, decoded.
    pub query: Vec<(String, String)>,
    /// The body.
    pub body: RequestBody,
}

/// The body of a [`Request`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestBody {
    /// The request has no body.
    Absent,
    /// JSON.
    Json(Json),
    /// A form.
    Form,
    /// A body that is neither a form nor JSON.
    Other,
    /// JSON by its head, and not by its text.
    Broken,
}

impl RequestBody {
    /// The body's media type, and an example of its text.
    #[must_use]
    pub fn content(&self) -> Option<(&'static str, String)> {
        match self {
            Self::Absent => None,
            Self::Json(json) => Some(("application/json", json.to_string())),
            Self::Form => Some(("application/x-www-form-urlencoded", "a=b".to_owned())),
            Self::Other => Some(("text/plain", "a".to_owned())),
            Self::Broken => Some(("application/json", "{".to_owned())),
        }
    }
}

/// A JSON value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Json {
    /// A number, `true`, `false` or `null`, as written.
    Literal(String),
    /// A string's text.
    String(String),
    /// An array.
    Array(Vec<Json>),
    /// An object. A name occurs twice only in a request that a policy refuses for that.
    Object(Vec<(String, Json)>),
}

/// A program's decision on a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// Allowed, by this line or by `unrestricted`.
    Allow(Option<LineId>),
    /// Denied, by this forbid line or for want of a line.
    Deny(Option<LineId>),
    /// The proxy refuses the request: the body is ambiguous for the lines that inspect it.
    Refuse,
}

/// Asks the program itself, as the proxy would. No token: denied.
pub(super) fn ask(program: &Program, token: Option<TokenId>, request: &Request) -> Said {
    let Some(token) = token else {
        return Said::Deny(None);
    };
    match read_and_ask(program, token, request, |asked| said(&decide(program, asked))) {
        (said, false) => said,
        (_, true) => Said::Refuse,
    }
}

/// The permit line of a token that comes nearest to a request, and the first of its conditions that fails.
pub(super) fn nearest(program: &Program, token: TokenId, request: &Request) -> Option<Nearest> {
    let (nearest, _) = read_and_ask(program, token, request, |asked| {
        let tried = decide::explain::explain(program, asked);
        decide::nearest::nearest(program, asked, &tried)
    });
    nearest
}

/// Asks with the body read, if a decision needs it. True: the body is ambiguous, and was taken for one that cannot be read.
fn read_and_ask<T>(
    program: &Program,
    token: TokenId,
    request: &Request,
    ask: impl FnOnce(&decide::Request<'_>) -> T,
) -> (T, bool) {
    let query = parameters(request);
    let mut asked = asked(token, request, &query);
    let content = request.body.content();
    let text = content.as_ref().map_or("", |(_, text)| text);
    let mut is_ambiguous = false;
    let nodes;
    if let Decision::NeedsBody(wanted) = decide(program, &asked) {
        asked.body = match json::read(text.as_bytes(), &wanted) {
            Ok(read) => {
                nodes = read;
                Body::Read(&nodes)
            }
            Err(error) => {
                is_ambiguous = !matches!(error, json::ReadError::NotJson { .. });
                Body::Unreadable
            }
        };
    }
    (ask(&asked), is_ambiguous)
}

fn parameters(request: &Request) -> Vec<Param<'_>> {
    request
        .query
        .iter()
        .map(|(name, value)| Param {
            name,
            value: Some(value),
        })
        .collect()
}

/// The request as a decision takes it, its body not read.
fn asked<'a>(token: TokenId, request: &'a Request, query: &'a [Param<'a>]) -> decide::Request<'a> {
    decide::Request {
        token,
        method: request.method,
        path: &request.path,
        query,
        body: match request.body {
            RequestBody::Absent => Body::Absent,
            RequestBody::Json(_) | RequestBody::Broken => Body::Unread(Media::Json),
            RequestBody::Form => Body::Unread(Media::Form),
            RequestBody::Other => Body::Unread(Media::Other),
        },
    }
}

/// Whether a policy of these rules of a program allows a request.
pub(crate) fn allows(
    program: &Program,
    permits: Vec<RuleId>,
    forbids: Vec<RuleId>,
    request: &Request,
) -> bool {
    let (program, token) = program.of_rules(permits, forbids);
    matches!(ask(&program, Some(token), request), Said::Allow(_))
}

/// Whether a token allows a request.
pub(crate) fn token_allows(program: &Program, token: TokenId, request: &Request) -> bool {
    matches!(ask(program, Some(token), request), Said::Allow(_))
}

fn said(decision: &Decision<'_>) -> Said {
    match decision {
        Decision::Allow(grant) => Said::Allow(grant.line()),
        Decision::Deny(denial) => Said::Deny(denial.line),
        Decision::NeedsBody(_) => Said::Refuse,
    }
}
