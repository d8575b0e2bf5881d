//! A head as it came, to the request as it is judged and sent.

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

/// `GET` and `HEAD` of this path below the base URL are answered by the proxy itself, so they count as served whatever
/// the endpoints.
pub const SELF_PATH: &str = "/.tokenward/self";

/// The longest request id of a client that is kept, in bytes.
const REQUEST_ID_BYTES: usize = 128;

/// All that a head says, in the order in which answers depend on it.
#[derive(Debug)]
pub struct Reading {
    /// Whether it is clear where the request ends. If not: 400 before all, and the connection is closed.
    pub framing: Result<(), Refusal>,
    /// Whether the path is served; if not, 404. True where the path has no single reading: that is said after 401.
    pub in_endpoints: bool,
    /// What the request authenticates with. Of two `Authorization` headers the first counts here; `head` refuses both.
    pub credentials: Credentials,
    /// The user in `contextUser`, on whose behalf the request asks to act. Absent also where `head` refuses it.
    pub context_user: Option<String>,
    /// The client's `X-Request-ID`, if there is one and it is up to 128 of `A-Za-z0-9-._~:+/=@,`.
    pub client_request_id: Option<String>,
    /// The request, or why it has no single reading.
    pub head: Result<Canonical, Refusal>,
    /// The method for the audit: as sent, unless it bears a secret.
    pub shown_method: String,
    /// Whether a trace's headers may be taken over: none of them bears a secret.
    pub traceable: bool,
    /// The URL for the audit: printable ASCII, secrets masked; of requests that were refused, as sent and cut at 2 KiB.
    pub shown_url: String,
}

/// Reads a head. Cost: linear in its size, which `Settings::head_bytes` bounds.
#[must_use]
pub fn read(raw: &RawHead<'_>, rules: &Rules) -> Reading {
    let settings = rules.settings();
    let framing = framing::check(raw, settings.header_count, settings.head_bytes);
    let location = Location::read(raw, rules);
    let mut query = location.query;
    let mut secrets = presented(raw, rules);
    let in_parameter = match &mut query {
        Ok(pairs) => take_token(pairs, settings.query_token.as_deref(), &mut secrets),
        Err(_) => Credentials::None,
    };
    let credentials = match in_headers(raw, rules).or_else_malformed(in_parameter) {
        // Whoever sends a secret in the user's place is named nowhere.
        Credentials::Basic { user, .. } if rules.bears_secret(user.as_bytes(), &secrets) => {
            Credentials::Malformed
        }
        credentials => credentials,
    };

    let in_endpoints = !matches!(&location.path, Err(refusal) if refusal.reason == Reason::OutsideEndpoints);
    let context_user = context_user(raw);
    let mut head = framing.clone().and_then(|body| {
        context_user.as_ref().map_err(Refusal::clone)?;
        canonical(raw, rules, body, location.path, query, &secrets)
    });
    let shown_url = match &head {
        Ok(head) => head.url.clone(),
        Err(_) => {
            add_refused(raw, rules, &mut secrets);
            rules.shown_raw(raw.target, &secrets)
        }
    };
    let client_request_id = client_request_id(raw, rules, &secrets);
    let shown_method = rules.shown_text(raw.method, &secrets).into_owned();
    let traceable = ["traceparent", "tracestate"]
        .iter()
        .all(|name| !raw.values(name).any(|value| rules.bears_secret(value, &secrets)));
    if let Ok(head) = &mut head {
        head.secrets = secrets;
    }
    Reading {
        framing: framing.map(|_| ()),
        in_endpoints,
        credentials,
        context_user: context_user.unwrap_or_default(),
        client_request_id,
        head,
        shown_method,
        traceable,
        shown_url,
    }
}

/// What the target says, each half on its own: an unreadable query must not hide that the path is not served.
struct Location {
    /// Decoded, below the base URL.
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

/// Cuts the context path and checks that the rest is served. Every endpoint begins with a slash, so the cut is at the
/// end of a segment.
fn below_base(path: &str, method: &str, rules: &Rules) -> Result<String, Refusal> {
    let ours = |path: &str| path == SELF_PATH && matches!(method, "GET" | "HEAD");
    path.strip_prefix(rules.base().path())
        .filter(|rest| rules.serves(rest) || ours(rest))
        .map(str::to_owned)
        .ok_or_else(|| Reason::OutsideEndpoints.into())
}

/// Takes the token out of the query, where that is switched on.
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
        Some(value) => Credentials::from_authorization(value),
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

/// The secrets in the headers that authenticate, whether they are read there or not: what must not stand elsewhere in the
/// request, nor in anything that is told of it.
fn presented(raw: &RawHead<'_>, rules: &Rules) -> Secrets {
    let mut secrets = Secrets::default();
    for name in ["authorization", "proxy-authorization"] {
        raw.values(name)
            .for_each(|value| secrets.add_authorization(value));
    }
    if let Some(header) = rules.product_header() {
        raw.values(header).for_each(|value| _ = secrets.add(value));
    }
    secrets
}

/// Adds what stands in headers of credentials that are refused.
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

/// The method, as far as policies tell methods apart. `delete` is another method than `DELETE` (RFC 9110 section 9.1), but
/// many a framework has its capitals made: a line that forbids `DELETE` would be passed by.
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
    let encoded = path::encode(&path, rules.relax());
    let mut target = format!("{}{encoded}", rules.upstream_path());
    query::push_encoded(&mut target, &query);
    // As a whole: two parts of it may make up a secret together.
    if rules.bears_secret(target.as_bytes(), secrets) {
        return Err(Reason::SecretInUrl.into());
    }
    let headers = headers::read(raw, body, rules, secrets)?;
    let typed = headers.content_type.as_ref();
    if !query.is_empty() && typed.is_some_and(|media| !media.is_utf8())
        || query
            .iter()
            .any(|(name, value)| query::names_other_charset(name, value.as_deref().unwrap_or_default()))
    {
        return Err(Reason::QueryCharset.into());
    }
    let media = if body.has_body() {
        media::classify(headers.content_type.as_ref(), headers.encoded, rules)?
    } else {
        Media::Other
    };
    Ok(Canonical {
        method,
        method_text: raw.method.to_owned(),
        url: rules.shown(&format!("{}{encoded}", rules.base()), &query),
        target,
        path,
        query,
        media,
        body,
        headers: headers.upstream,
        expect_continue: headers.expect_continue,
        close: headers.close,
        secrets: Secrets::default(),
    })
}

#[cfg(test)]
mod tests;
