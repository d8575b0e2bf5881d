//! Reads a head as it was sent, into the request that is decided and forwarded.

use std::borrow::Cow;
use std::ops::Range;

use tokenward_compiler::decide::Media;
use tokenward_compiler::method::Method;

use super::canonical::Canonical;
use super::credentials::{self, Credentials};
use super::query::{self, Pair};
use super::raw::{Framing, METHOD_BYTES, NAME_BYTES, RawHead, trim};
use super::rules::Rules;
use super::secrets::{self, Secrets};
use super::target::{self, Target};
use super::{Reason, Refusal, framing, headers, media, path};
use crate::buffers::TextBuffer;

/// Path below the base URL. The proxy answers `GET` and `HEAD` of it, so they count as served regardless of the
/// endpoints.
pub const SELF_PATH: &str = "/.tokenward/self";

/// Maximum length of a client's request id that is kept, in bytes.
const REQUEST_ID_BYTES: usize = 128;

/// Maximum length in bytes of a refused target that is shown with its query.
const SHOWN_TARGET: usize = 2 * 1024;
/// Maximum number of parameters, and of parts between other separators, of such a target. Each is searched by itself.
const SHOWN_PARTS: usize = 100;
/// Maximum length of the header values of a trace that are used, in bytes.
const TRACE_BYTES: usize = 2 * 1024;

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
    /// The method for the audit: as sent, unless it contains a secret.
    pub shown_method: Cow<'static, str>,
    /// Whether a trace's headers can be used: none of them contains a secret.
    pub traceable: bool,
    /// The URL for the audit: printable ASCII, with secrets masked. For refused requests it is the target as sent, cut
    /// at 2 KiB; a longer one without its query.
    pub shown_url: TextBuffer,
}

/// A head that was read as far as it does not depend on a token. The rest costs more, so it is read only for
/// callers with a valid token.
pub struct Opened<'a> {
    /// The framing of the body, as in [`Reading::framing`].
    pub framing: Result<Framing, Refusal>,
    /// As in [`Reading::in_endpoints`].
    pub in_endpoints: bool,
    /// As in [`Reading::credentials`].
    pub credentials: Credentials,
    /// As in [`Reading::client_request_id`].
    pub client_request_id: Option<String>,
    /// As in [`Reading::shown_method`].
    pub shown_method: Cow<'static, str>,
    /// As in [`Reading::traceable`].
    pub traceable: bool,
    path: Result<TextBuffer, Refusal>,
    /// The query; not decoded yet, unless it may have the token.
    query: Query<'a>,
    secrets: Secrets,
    /// All secrets, if there are some at places where they do not authenticate.
    misplaced: Option<Secrets>,
}

enum Query<'a> {
    Raw(&'a str),
    Decoded(Result<Vec<Pair>, Refusal>),
}

/// Reads a head. Cost: linear in its size, which `Settings::head_bytes` bounds.
#[must_use]
pub fn read(raw: &RawHead<'_>, rules: &Rules) -> Reading {
    open(raw, rules).read(raw, rules)
}

/// Reads as much of a head as depends on no token. Cost: a small multiple of looking at each byte once.
#[must_use]
pub fn open<'a>(raw: &RawHead<'a>, rules: &Rules) -> Opened<'a> {
    open_knowing(raw, rules, |_| false)
}

/// Reads a head like [`open`]. `is_token` returns whether a text is the secret of a token that the policy has; such a text in a
/// cookie is shown nowhere. It is called for at most 128 texts, and not without a `Cookie` header.
#[must_use]
pub fn open_knowing<'a>(raw: &RawHead<'a>, rules: &Rules, is_token: impl Fn(&[u8]) -> bool) -> Opened<'a> {
    // Read framing and path separately, since each has its own response.
    let settings = rules.settings();
    let framing = framing::check(raw, settings.header_count, settings.head_bytes);
    let Location { path, mut query } = Location::read(raw, rules);
    // Collect the secrets first: they decide which text may be forwarded and shown.
    let authorization = match raw.values("authorization").next() {
        Some(value) => Credentials::from_authorization(value, rules.schemes()),
        None => Credentials::None,
    };
    let mut secrets = presented(raw, rules, &authorization);
    let in_parameter = match &settings.query_token {
        Some(name) => {
            let mut decoded = query.decoded(rules);
            let found = match &mut decoded {
                Ok(pairs) => take_token(pairs, name, &mut secrets),
                Err(_) => Credentials::None,
            };
            query = Query::Decoded(decoded);
            found
        }
        None => Credentials::None,
    };
    let credentials = match in_headers(raw, rules, authorization).or_else_malformed(in_parameter) {
        // A caller who sends a secret as the user must not be named anywhere.
        Credentials::Basic { ref user, .. } if rules.bears_secret(user.as_bytes(), &secrets) => {
            Credentials::Malformed
        }
        credentials => credentials,
    };
    // Text that is shown must not contain a secret, even if it was presented at a place where it does not
    // authenticate.
    let misplaced = misplaced(raw, (rules, is_token), &secrets);
    let hidden = misplaced.as_ref().unwrap_or(&secrets);
    Opened {
        in_endpoints: !matches!(&path, Err(refusal) if refusal.reason == Reason::OutsideEndpoints),
        client_request_id: client_request_id(raw, rules, hidden),
        shown_method: shown_method(raw.method, rules, hidden),
        traceable: is_traceable(raw, rules, hidden),
        framing,
        credentials,
        path,
        query,
        misplaced,
        secrets,
    }
}

impl std::fmt::Debug for Opened<'_> {
    /// Writes no part that may have a secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opened")
            .field("framing", &self.framing)
            .finish_non_exhaustive()
    }
}

impl Opened<'_> {
    /// Reads the rest of the head. The framing's refusal takes precedence.
    #[must_use]
    pub fn read(self, raw: &RawHead<'_>, rules: &Rules) -> Reading {
        let Self {
            framing,
            path,
            query,
            mut secrets,
            misplaced,
            ..
        } = self;
        let context_user = context_user(raw);
        let query = query.decoded(rules);
        let with_body =
            |body: Framing, path: Result<TextBuffer, Refusal>, query: Result<Vec<Pair>, Refusal>| {
                context_user.as_ref().map_err(Refusal::clone)?;
                canonical(raw, rules, body, path, query, &secrets)
            };
        let mut if_empty = matches!(framing, Ok(Framing::Chunked))
            .then(|| with_body(Framing::Length(0), path.clone(), query.clone()));
        let mut head = framing.clone().and_then(|body| with_body(body, path, query));
        let has_misplaced = misplaced.is_some();
        if let Some(all) = misplaced {
            secrets = all;
        }
        let either = |head: &Result<Canonical, Refusal>| head.as_ref().ok().map(|head| head.url.clone());
        let shown_url = match either(&head).or_else(|| either(if_empty.as_ref()?)) {
            Some(url) if has_misplaced && rules.bears_secret(url.as_bytes(), &secrets) => {
                shown_refused(raw, rules, &secrets)
            }
            Some(url) => url,
            None => {
                add_refused(raw, rules, &mut secrets);
                shown_refused(raw, rules, &secrets)
            }
        };
        if let Some(Ok(head)) = &mut if_empty {
            head.secrets = secrets.clone();
        }
        if let Ok(head) = &mut head {
            head.secrets = secrets;
        }
        Reading {
            framing: framing.map(|_| ()),
            in_endpoints: self.in_endpoints,
            credentials: self.credentials,
            context_user: context_user.unwrap_or_default(),
            client_request_id: self.client_request_id,
            head,
            if_empty,
            shown_method: self.shown_method,
            traceable: self.traceable,
            shown_url,
        }
    }

    /// Formats the URL for the audit, of a request whose rest is not read. It is what reading would show, unless the
    /// target is long, or only a header would have been refused.
    #[must_use]
    pub fn shown_url(self, raw: &RawHead<'_>, rules: &Rules) -> TextBuffer {
        let mut secrets = self.misplaced.unwrap_or(self.secrets);
        add_refused(raw, rules, &mut secrets);
        if is_long(raw.target) {
            return shown_refused(raw, rules, &secrets);
        }
        let located = self.framing.and_then(|body| {
            // A chunked body may be empty.
            let body = if body == Framing::Chunked {
                Framing::Length(0)
            } else {
                body
            };
            located(raw, rules, body, self.path, self.query.decoded(rules), &secrets)
        });
        match located {
            Ok(located) => located.url(rules),
            Err(_) => rules.shown_raw(raw.target, &secrets).into(),
        }
    }
}

impl Query<'_> {
    fn decoded(self, rules: &Rules) -> Result<Vec<Pair>, Refusal> {
        match self {
            Self::Raw(text) => query::decode(text, rules.settings().query_pairs),
            Self::Decoded(decoded) => decoded,
        }
    }
}

/// Formats the URL for the audit, of a request that is refused.
fn shown_refused(raw: &RawHead<'_>, rules: &Rules, secrets: &Secrets) -> TextBuffer {
    let shown = if is_long(raw.target) {
        rules.shown_long(raw.target, secrets)
    } else {
        rules.shown_raw(raw.target, secrets)
    };
    shown.into()
}

fn is_long(target: &[u8]) -> bool {
    target.len() > SHOWN_TARGET || memchr::memchr3_iter(b'&', b';', b'?', target).count() > SHOWN_PARTS
}

fn shown_method(method: &str, rules: &Rules, secrets: &Secrets) -> Cow<'static, str> {
    if method.len() > METHOD_BYTES {
        return Cow::Borrowed("***");
    }
    method_text(&rules.shown_text(method, secrets))
}

/// Copies a method, unless it is one in common use.
fn method_text(method: &str) -> Cow<'static, str> {
    match Method::from_token(method) {
        Method::Other => Cow::Owned(method.to_owned()),
        known => Cow::Borrowed(known.as_str()),
    }
}

fn is_traceable(raw: &RawHead<'_>, rules: &Rules, secrets: &Secrets) -> bool {
    let mut size = 0;
    ["traceparent", "tracestate"].iter().all(|name| {
        raw.values(name).all(|value| {
            size += value.len();
            size <= TRACE_BYTES && !rules.bears_secret(value, secrets)
        })
    })
}

/// The two halves of a target, each read separately: an unreadable query must not hide that the path is not served.
struct Location<'a> {
    /// The decoded path below the base URL.
    path: Result<TextBuffer, Refusal>,
    query: Query<'a>,
}

impl<'a> Location<'a> {
    fn read(raw: &RawHead<'a>, rules: &Rules) -> Self {
        let base = rules.base();
        match target::split(raw.target, base.scheme(), base.authority(), rules.relax()) {
            Ok(Target { path, query }) => Self {
                path: path::decode(path, rules.relax()).and_then(|path| below_base(path, raw.method, rules)),
                query: Query::Raw(query),
            },
            Err(refusal) => Self {
                path: Err(refusal.clone()),
                query: Query::Decoded(Err(refusal)),
            },
        }
    }
}

/// Removes the context path and checks that the rest is served. Every endpoint begins with a slash, so the cut is at
/// the end of a segment.
fn below_base(mut path: TextBuffer, method: &str, rules: &Rules) -> Result<TextBuffer, Refusal> {
    let ours = |path: &str| path == SELF_PATH && matches!(method, "GET" | "HEAD");
    let base = rules.base().path();
    path.strip_prefix(base)
        .filter(|rest| rules.serves(rest) || ours(rest))
        .ok_or(Reason::OutsideEndpoints)?;
    path.text().drain(..base.len());
    Ok(path)
}

/// Removes the token from the query.
fn take_token(pairs: &mut Vec<Pair>, name: &str, secrets: &mut Secrets) -> Credentials {
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

fn in_headers(raw: &RawHead<'_>, rules: &Rules, authorization: Credentials) -> Credentials {
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
/// `authorization` is the first `Authorization`, read.
fn presented(raw: &RawHead<'_>, rules: &Rules, authorization: &Credentials) -> Secrets {
    let mut secrets = Secrets::default();
    let mut values = raw.values("authorization");
    if let Some(first) = values.next() {
        secrets.add_credentials(authorization, first);
    }
    values
        .chain(raw.values("proxy-authorization"))
        .for_each(|value| secrets.add_authorization(value, rules.schemes()));
    if let Some(header) = rules.product_header() {
        raw.values(header).for_each(|value| _ = secrets.add(value));
    }
    secrets
}

/// Adds secrets at places where they do not authenticate to those that were presented: as the user of Basic credentials, and in
/// cookies. They only decide what is shown: a user's name may occur in a URL.
///
/// A cookie's value counts as a secret only if it has the form of Tokenward's secrets, or is the secret of a known token. If any value
/// counted, a caller could hide the URL of a call from the audit by repeating it in a cookie.
fn misplaced(
    raw: &RawHead<'_>,
    (rules, is_token): (&Rules, impl Fn(&[u8]) -> bool),
    presented: &Secrets,
) -> Option<Secrets> {
    let mut all = None;
    let mut add = |secret: &[u8]| all.get_or_insert_with(|| presented.clone()).add(secret);
    for value in raw.values("authorization") {
        for (user, is_alone) in secrets::long_basic_users(value) {
            if is_alone || rules.whole_secret(&user).is_some() {
                add(&user);
            }
        }
    }
    for value in raw.values("cookie") {
        rules
            .whole_secret(value)
            .iter()
            .for_each(|secret| _ = add(secret));
    }
    secrets::in_cookies(raw.values("cookie"))
        .filter(|text| is_token(text))
        .for_each(|secret| _ = add(&secret));
    all
}

/// Adds the values of refused credential headers.
fn add_refused(raw: &RawHead<'_>, rules: &Rules, secrets: &mut Secrets) {
    for (name, value) in raw.headers {
        if name.len() > NAME_BYTES {
            continue;
        }
        let name = String::from_utf8_lossy(name).to_ascii_lowercase();
        if rules.is_credential_header(&name) {
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

/// A request line that was read.
struct Located {
    method: Method,
    path: TextBuffer,
    query: Vec<Pair>,
    /// The target for the upstream.
    target: TextBuffer,
    /// The place of the encoded path below the base URL in the target.
    encoded: Range<usize>,
}

impl Located {
    /// Formats the URL for the audit.
    fn url(&self, rules: &Rules) -> TextBuffer {
        let encoded = self.target.get(self.encoded.clone()).unwrap_or_default();
        rules.shown(encoded, &self.query)
    }
}

/// Reads method, path and query.
fn located(
    raw: &RawHead<'_>,
    rules: &Rules,
    body: Framing,
    path: Result<TextBuffer, Refusal>,
    query: Result<Vec<Pair>, Refusal>,
    secrets: &Secrets,
) -> Result<Located, Refusal> {
    // Check path and method before the query, in the order of the refusals.
    let path = path?;
    let method = method(raw.method)?;
    if matches!(method, Method::Get | Method::Head) && body.has_body() && !rules.relax().get_body {
        return Err(Reason::BodyOnGet.into());
    }
    let query = query?;
    if let Some(refusal) = query.iter().find_map(|(name, _)| rules.refused_parameter(name)) {
        return Err(refusal);
    }
    if rules.is_ambiguous(&query) {
        return Err(Reason::AmbiguousParameter.into());
    }
    // Encode the URL for the upstream, and refuse it if it contains a secret.
    let upstream_path = rules.upstream_path();
    let mut target = TextBuffer::with_room(upstream_path.len() + path.len() + path.len() / 8);
    target.text().push_str(upstream_path);
    path::push_encoded(target.text(), &path, rules.relax());
    let encoded = upstream_path.len()..target.len();
    query::push_encoded(target.text(), &query);
    // Check the target as a whole: two of its parts may form a secret together.
    if rules.bears_secret(target.as_bytes(), secrets) {
        return Err(Reason::SecretInUrl.into());
    }
    Ok(Located {
        method,
        path,
        query,
        encoded,
        target,
    })
}

fn canonical(
    raw: &RawHead<'_>,
    rules: &Rules,
    body: Framing,
    path: Result<TextBuffer, Refusal>,
    query: Result<Vec<Pair>, Refusal>,
    secrets: &Secrets,
) -> Result<Canonical, Refusal> {
    let located = located(raw, rules, body, path, query, secrets)?;
    let query = &located.query;
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
        headers.upstream.push("content-type", media::UNTYPED.as_bytes());
    }
    Ok(Canonical {
        method: located.method,
        method_text: method_text(raw.method),
        url: located.url(rules),
        target: located.target,
        path: located.path,
        query: located.query,
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
