//! CORS for the configured origins (Fetch standard, section 3.3): browsers first send a preflight without credentials, and the
//! proxy answers it itself.

use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_MAX_AGE, VARY,
};
use http::{HeaderName, HeaderValue};

use crate::request::RawHead;

/// Seconds for which a browser keeps the response to a preflight.
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");
/// The value of `Vary`.
pub const ORIGIN: HeaderValue = HeaderValue::from_static("origin");

/// Gives the origin of the page that makes the request, if it is configured.
pub fn origin(raw: &RawHead<'_>, origins: &[String]) -> Option<HeaderValue> {
    let origin = field(raw, b"origin")?;
    let known = origins.iter().any(|known| known.as_bytes() == origin);
    known.then(|| HeaderValue::from_bytes(origin).ok()).flatten()
}

/// Gives the headers of the response to a preflight; `None` if the request is not one.
pub fn preflight(raw: &RawHead<'_>, origin: &HeaderValue) -> Option<Vec<(HeaderName, HeaderValue)>> {
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
