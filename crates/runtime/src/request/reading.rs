//! Reads a head as it was sent, into the request that is decided and forwarded.

use tokenward_compiler::decide::Media;
use tokenward_compiler::method::Method;

use super::canonical::Canonical;
use super::credentials::{self, Credentials};
use super::disposition::Disposition;
use super::query::{self, Pair};
use super::raw::{Framing, RawHead, trim};
use super::rules::Rules;
use super::secrets::Secrets;
use super::target::{self, Target};
use super::{Reason, Refusal, framing, headers, media, path};

/// Path below the base URL. The proxy answers `GET` and `HEAD` of it, so they count as served regardless of the
/// endpoints.
pub const SELF_PATH: &str = "/.tokenward/self";

/// Maximum length of a client's request id that is kept, in bytes.
const REQUEST_ID_BYTES: usize = 128;

/// Result of reading a head, in the order in which responses depend on it.
#[derive(Debug)]
pub struct Reading {
    /// Whether the end of the request is unambiguous. If not, 400 takes precedence, and the connection is closed.
    pub framing: Result<(), Refusal>,
    /// Whether the path is served; if not, 404. Also true for an ambiguous path: that error is reported after 401.
    pub in_endpoints: bool,
    /// Credentials of the request. Of two `Authorization` headers the first counts here; `head` refuses both.
    pub credentials: Credentials,
    /// The user in `contextUser`, for whom the request asks to act; also `None` if `head` refuses it.
    pub context_user: Option<String>,
    /// The client's `X-Request-ID`, if it has at most 128 characters of `A-Za-z0-9-._~:+/=@,`.
    pub client_request_id: Option<String>,
    /// The request, or the reason for which it is refused.
    pub head: Result<Canonical, Refusal>,
    /// The request as it is read if its body, which marks its own end, has no byte. `None` if the head says whether
    /// there is a body.
    pub if_empty: Option<Result<Canonical, Refusal>>,
    /// Whether the client offers another protocol. The connection is closed after the response, also after a refusal.
    pub offers_upgrade: bool,
    /// The method for the audit: as sent, unless it contains a secret.
    pub shown_method: String,
    /// Whether a trace's headers can be used: none of them contains a secret.
    pub traceable: bool,
    /// The URL for the audit: printable ASCII, with secrets masked. For refused requests it is the target as sent, cut
    /// at 2 KiB.
    pub shown_url: String,
}

/// Reads a head. Cost: linear in its size, which `Settings::head_bytes` bounds.
#[must_use]
pub fn read(raw: &RawHead<'_>, rules: &Rules) -> Reading {
    // Read framing, path and query separately, since each has its own response.
    let settings = rules.settings();
    let framing = framing::check(raw, settings.header_count, settings.head_bytes);
    let location = Location::read(raw, rules);
    let mut query = location.query;
    // Collect the secrets first: they decide which text may be forwarded and shown.
    let mut secrets = presented(raw, rules);
    let in_parameter = match &mut query {
        Ok(pairs) => take_token(pairs, settings.query_token.as_deref(), &mut secrets),
        Err(_) => Credentials::None,
    };
    let credentials = match in_headers(raw, rules).or_else_malformed(in_parameter) {
        // A caller who sends a secret as the user must not be named anywhere.
        Credentials::Basic { user, .. } if rules.bears_secret(user.as_bytes(), &secrets) => {
            Credentials::Malformed
        }
        credentials => credentials,
    };

    // Read the whole request; the framing's refusal takes precedence.
    let in_endpoints = !matches!(&location.path, Err(refusal) if refusal.reason == Reason::OutsideEndpoints);
    let context_user = context_user(raw);
    let with_body = |body: Framing, path: Result<String, Refusal>, query: Result<Vec<Pair>, Refusal>| {
        context_user.as_ref().map_err(Refusal::clone)?;
        canonical(raw, rules, body, path, query, &secrets)
    };
    let mut if_empty = matches!(framing, Ok(Framing::Chunked))
        .then(|| with_body(Framing::Length(0), location.path.clone(), query.clone()));
    let mut head = framing
        .clone()
        .and_then(|body| with_body(body, location.path, query));
    // For the audit, show the URL, the method and the request id without secrets.
    let canonical = head
        .as_ref()
        .ok()
        .or(if_empty.as_ref().and_then(|head| head.as_ref().ok()));
    let shown_url = match canonical {
        Some(canonical) => canonical.url.clone(),
        None => {
            add_refused(raw, rules, &mut secrets);
            rules.shown_raw(raw.target, &secrets)
        }
    };
    let client_request_id = client_request_id(raw, rules, &secrets);
    let shown_method = rules.shown_text(raw.method, &secrets).into_owned();
    let traceable = ["traceparent", "tracestate"]
        .iter()
        .all(|name| !raw.values(name).any(|value| rules.bears_secret(value, &secrets)));
    for head in [Some(&mut head), if_empty.as_mut()]
        .into_iter()
        .flatten()
        .flatten()
    {
        head.secrets = secrets.clone();
    }
    Reading {
        framing: framing.map(|_| ()),
        in_endpoints,
        credentials,
        context_user: context_user.unwrap_or_default(),
        client_request_id,
        head,
        if_empty,
        offers_upgrade: raw.values("upgrade").next().is_some(),
        shown_method,
        traceable,
        shown_url,
    }
}

/// The two halves of a target, each read separately: an unreadable query must not hide that the path is not served.
struct Location {
    /// The decoded path below the base URL.
    path: Result<String, Refusal>,
    query: Result<Vec<Pair>, Refusal>,
}

impl Location {
    fn read(raw: &RawHead<'_>, rules: &Rules) -> Self {
        let base = rules.base();
        match target::split(raw.target, base.scheme(), base.authority(), rules.relax()) {
            Ok(Target { path, query }) => Self {
                path: path::decode(path, rules.relax()).and_then(|path| below_base(&path, raw.method, rules)),
                query: query::decode(query, rules.settings().query_pairs),
            },
            Err(refusal) => Self {
                path: Err(refusal.clone()),
                query: Err(refusal),
            },
        }
    }
}

/// Removes the context path and checks that the rest is served. Every endpoint begins with a slash, so the cut is at
/// the end of a segment.
fn below_base(path: &str, method: &str, rules: &Rules) -> Result<String, Refusal> {
    let ours = |path: &str| path == SELF_PATH && matches!(method, "GET" | "HEAD");
    path.strip_prefix(rules.base().path())
        .filter(|rest| rules.serves(rest) || ours(rest))
        .map(str::to_owned)
        .ok_or_else(|| Reason::OutsideEndpoints.into())
}

/// Removes the token from the query, if that place is enabled.
fn take_token(pairs: &mut Vec<Pair>, name: Option<&str>, secrets: &mut Secrets) -> Credentials {
    let Some(name) = name else {
        return Credentials::None;
    };
    let mut found = Credentials::None;
    pairs.retain(|(given, value)| {
        if given != name {
            return true;
        }
        let value = value.as_deref().unwrap_or_default().as_bytes();
        secrets.add(value);
        let one = Credentials::from_alone(value);
        found = std::mem::replace(&mut found, Credentials::None).or_else_malformed(one);
        false
    });
    found
}

fn in_headers(raw: &RawHead<'_>, rules: &Rules) -> Credentials {
    let authorization = match raw.values("authorization").next() {
        Some(value) => Credentials::from_authorization(value, rules.schemes()),
        None => Credentials::None,
    };
    let Some(header) = rules.product_header() else {
        return authorization;
    };
    raw.values(header)
        .map(Credentials::from_alone)
        .fold(authorization, Credentials::or_else_malformed)
}

fn context_user(raw: &RawHead<'_>) -> Result<Option<String>, Refusal> {
    let mut values = raw.values("contextuser");
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(Reason::RepeatedHeader.into());
    }
    credentials::context_user(value)
        .map(Some)
        .ok_or_else(|| Reason::MalformedContextUser.into())
}

/// Collects the secrets in authentication headers, even if the proxy does not read them there. They must not occur
/// elsewhere in the request, nor in anything that is reported about it.
fn presented(raw: &RawHead<'_>, rules: &Rules) -> Secrets {
    let mut secrets = Secrets::default();
    for name in ["authorization", "proxy-authorization"] {
        raw.values(name)
            .for_each(|value| secrets.add_authorization(value, rules.schemes()));
    }
    if let Some(header) = rules.product_header() {
        raw.values(header).for_each(|value| _ = secrets.add(value));
    }
    secrets
}

/// Adds the values of refused credential headers.
fn add_refused(raw: &RawHead<'_>, rules: &Rules, secrets: &mut Secrets) {
    for (name, value) in raw.headers {
        let name = String::from_utf8_lossy(name).to_ascii_lowercase();
        if rules.disposition(&name) == Disposition::Refused(Reason::CredentialHeader) {
            secrets.add(trim(value));
        }
    }
}

fn client_request_id(raw: &RawHead<'_>, rules: &Rules, secrets: &Secrets) -> Option<String> {
    let mut values = raw.values("x-request-id");
    let id = values.next().filter(|_| values.next().is_none())?;
    let plain = |text: &&str| rules.shown_text(text, secrets) == *text;
    let fits = (1..=REQUEST_ID_BYTES).contains(&id.len())
        && id
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._~:+/=@,".contains(byte));
    if fits {
        std::str::from_utf8(id).ok().filter(plain).map(str::to_owned)
    } else {
        None
    }
}

/// Converts the method, as policies distinguish methods. `delete` is not `DELETE` (RFC 9110 section 9.1), but many
/// frameworks convert methods to capitals, which would bypass a line that forbids `DELETE`.
fn method(sent: &str) -> Result<Method, Refusal> {
    if ["TRACE", "TRACK", "CONNECT", "PRI"]
        .iter()
        .any(|refused| sent.eq_ignore_ascii_case(refused))
    {
        return Err(Reason::RefusedMethod.into());
    }
    match (Method::from_token(sent), Method::from_name(sent)) {
        (Method::Other, Some(_)) => Err(Reason::MethodCase.into()),
        (method, _) => Ok(method),
    }
}

fn canonical(
    raw: &RawHead<'_>,
    rules: &Rules,
    body: Framing,
    path: Result<String, Refusal>,
    query: Result<Vec<Pair>, Refusal>,
    secrets: &Secrets,
) -> Result<Canonical, Refusal> {
    // Check path and method before the query, in the order of the refusals.
    let path = path?;
    let method = method(raw.method)?;
    if matches!(method, Method::Get | Method::Head) && body.has_body() && !rules.relax().get_body {
        return Err(Reason::BodyOnGet.into());
    }
    let query = query?;
    if let Some(reason) = query.iter().find_map(|(name, _)| rules.refused_parameter(name)) {
        return Err(reason.into());
    }
    if rules.is_ambiguous(&query) {
        return Err(Reason::AmbiguousParameter.into());
    }
    // Encode the URL for the upstream, and refuse it if it contains a secret.
    let encoded = path::encode(&path, rules.relax());
    let mut target = format!("{}{encoded}", rules.upstream_path());
    query::push_encoded(&mut target, &query);
    // Check the target as a whole: two of its parts may form a secret together.
    if rules.bears_secret(target.as_bytes(), secrets) {
        return Err(Reason::SecretInUrl.into());
    }
    // Read the headers. A charset other than UTF-8 may also apply to the query, so it is refused with one.
    let mut headers = headers::read(raw, body, rules, secrets)?;
    let typed = headers.content_type.as_ref();
    if !query.is_empty() && typed.is_some_and(|media| !media.is_utf8())
        || query
            .iter()
            .any(|(name, value)| query::names_other_charset(name, value.as_deref().unwrap_or_default()))
    {
        return Err(Reason::QueryCharset.into());
    }
    // Classify the body for the policy.
    let media = if body.has_body() {
        media::classify(headers.content_type.as_ref(), headers.encoded, rules)?
    } else {
        Media::Other
    };
    if body.has_body() && headers.content_type.is_none() {
        let untyped = ("content-type".to_owned(), media::UNTYPED.as_bytes().to_vec());
        headers.upstream.push(untyped);
    }
    Ok(Canonical {
        method,
        method_text: raw.method.to_owned(),
        url: rules.shown(&format!("{}{encoded}", rules.base()), &query),
        target,
        path,
        query,
        media,
        unread: body
            .has_body()
            .then(|| media::why_unread(headers.content_type.as_ref(), headers.encoded))
            .flatten(),
        body,
        headers: headers.upstream,
        expect_continue: headers.expect_continue,
        close: headers.close,
        secrets: Secrets::default(),
    })
}

#[cfg(test)]
mod tests;
