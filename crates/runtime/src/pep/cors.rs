//! CORS for the configured origins (Fetch standard, section 3.3). Browsers first send a preflight without credentials,
//! which the proxy answers itself. It marks responses as readable by the origin.

#[cfg(feature = "proxy")]
use http::header::ACCESS_CONTROL_EXPOSE_HEADERS;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_MAX_AGE, VARY,
};
use http::{HeaderName, HeaderValue};

#[cfg(feature = "proxy")]
use crate::call::REQUEST_ID;
#[cfg(feature = "proxy")]
use crate::proxy::Answer;
use crate::request::RawHead;
#[cfg(feature = "proxy")]
use crate::wire::raw::is_token;

/// Seconds for which a browser keeps the response to a preflight.
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");
const ORIGIN: HeaderValue = HeaderValue::from_static("origin");

/// Gives the origin of the page that makes the request, if it is configured.
pub(crate) fn origin(raw: &RawHead<'_>, origins: &[String]) -> Option<HeaderValue> {
    let origin = field(raw, b"origin")?;
    let known = origins.iter().any(|known| known.as_bytes() == origin);
    known.then(|| HeaderValue::from_bytes(origin).ok()).flatten()
}

/// Gives the headers of the response to a preflight; `None` if the request is not one.
pub(crate) fn preflight(raw: &RawHead<'_>, origin: &HeaderValue) -> Option<Vec<(HeaderName, HeaderValue)>> {
    let method = field(raw, b"access-control-request-method").filter(|_| raw.method == "OPTIONS")?;
    let mut headers = vec![
        (ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone()),
        (
            ACCESS_CONTROL_ALLOW_METHODS,
            HeaderValue::from_bytes(method).ok()?,
        ),
        (ACCESS_CONTROL_MAX_AGE, MAX_AGE),
        (VARY, ORIGIN),
    ];
    if let Some(names) = field(raw, b"access-control-request-headers") {
        headers.push((ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_bytes(names).ok()?));
    }
    Some(headers)
}

/// Marks a response as readable by the origin, and replaces the upstream's headers about origins. The names of headers
/// that the upstream exposes are kept.
#[cfg(feature = "proxy")]
pub(crate) fn mark(answer: &mut Answer, origin: Option<HeaderValue>) {
    let (Some(origin), headers) = (origin, &mut answer.headers) else {
        return;
    };
    let exposed = exposed(headers);
    headers.retain(|(name, _)| !name.as_str().starts_with("access-control-"));
    headers.extend([
        (ACCESS_CONTROL_ALLOW_ORIGIN, origin),
        (ACCESS_CONTROL_EXPOSE_HEADERS, exposed),
        (VARY, ORIGIN),
    ]);
}

/// Joins the names of headers that pages may read: the upstream's, and the proxy's own request id.
#[cfg(feature = "proxy")]
fn exposed(headers: &[(HeaderName, HeaderValue)]) -> HeaderValue {
    let mut names = vec![REQUEST_ID.as_str().to_owned()];
    let lists = headers
        .iter()
        .filter(|(name, _)| name == ACCESS_CONTROL_EXPOSE_HEADERS);
    for name in lists
        .filter_map(|(_, list)| list.to_str().ok())
        .flat_map(|list| list.split(','))
    {
        let name = name.trim().to_ascii_lowercase();
        if is_token(name.as_bytes()) && !names.contains(&name) {
            names.push(name);
        }
    }
    HeaderValue::from_str(&names.join(", ")).unwrap_or_else(|_| REQUEST_ID.into())
}

/// Gives the value of a field that occurs once.
fn field<'a>(raw: &RawHead<'a>, wanted: &[u8]) -> Option<&'a [u8]> {
    let mut values = raw
        .headers
        .iter()
        .filter(|(name, _)| name.eq_ignore_ascii_case(wanted));
    match (values.next(), values.next()) {
        (Some((_, value)), None) => Some(value),
        _ => None,
    }
}
