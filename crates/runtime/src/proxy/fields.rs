//! Header fields that go upstream, and those that come back.

use std::collections::HashSet;
use std::net::IpAddr;

use http::header::{ACCEPT_ENCODING, CONTENT_LENGTH, HOST, IF_RANGE, RANGE, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::cache;
use crate::call::permit::Permit;
use crate::call::{REQUEST_ID, TRACEPARENT, TRACESTATE};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Fields that the proxy writes itself; the client's are dropped.
const OWN: [HeaderName; 3] = [HOST, TRACEPARENT, TRACESTATE];

/// Fields of one connection (RFC 9110 section 7.6.1), and of the framing, which the proxy writes itself.
const HOP_BY_HOP: [&str; 11] = [
    "connection",
    "content-length",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authentication-info",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Fields by which the upstream points around the proxy, or controls shared caches.
const NOT_PASSED_BACK: [&str; 6] = [
    "alt-svc",
    "cdn-cache-control",
    "set-cookie2",
    "surrogate-control",
    "www-authenticate",
    "x-request-id",
];

/// Facts about the proxy in requests to the upstream.
#[derive(Clone, Debug)]
pub(crate) struct Public {
    /// The `Host` of upstream requests.
    pub(crate) host: HeaderValue,
    /// `X-Forwarded-Host`: the authority of the public URL.
    pub(crate) authority: HeaderValue,
    /// `X-Forwarded-Proto`: the scheme of the public URL.
    pub(crate) scheme: HeaderValue,
    /// Whether responses are requested complete and uncompressed, so that links in them can be rewritten.
    pub(crate) whole_answers: bool,
}

/// Makes the headers of the upstream request: those of the canonical request, and the proxy's own. `length` is the
/// body's; `None` means chunked.
///
/// # Errors
/// A canonical header is not valid in a request, which would be an error in reading it.
pub(crate) fn upstream_headers(
    permit: &Permit,
    public: &Public,
    length: Option<u64>,
) -> Result<HeaderMap, http::Error> {
    let canonical = permit.canonical();
    let mut headers = HeaderMap::with_capacity(canonical.headers.len() + 8);
    headers.insert(HOST, public.host.clone());
    // The client's fields, without those that the proxy writes itself.
    for (name, value) in &canonical.headers {
        let name = HeaderName::from_bytes(name.as_bytes())?;
        if !OWN.contains(&name) && !HOP_BY_HOP.contains(&name.as_str()) {
            headers.append(name, HeaderValue::from_bytes(value)?);
        }
    }
    // Links can only be rewritten in complete, uncompressed responses.
    if public.whole_answers {
        headers.remove(RANGE);
        headers.remove(IF_RANGE);
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    }
    // The framing is that of the body, not of the client.
    match length {
        Some(length) if length > 0 || canonical.body != crate::request::Framing::None => {
            headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
        }
        Some(_) => {}
        None => {
            headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
        }
    }
    // The proxy's own fields. They come last and replace others, so that no client can set them.
    headers.insert(FORWARDED_FOR, address(permit.client())?);
    headers.insert(FORWARDED_HOST, public.authority.clone());
    headers.insert(FORWARDED_PROTO, public.scheme.clone());
    headers.insert(REQUEST_ID, permit.id().header());
    headers.extend(
        permit
            .trace()
            .headers()
            .into_iter()
            .map(|(name, value)| (Some(name), value)),
    );
    for (name, value) in permit.identity() {
        headers.insert(name.clone(), value.clone());
    }
    Ok(headers)
}

fn address(address: IpAddr) -> Result<HeaderValue, http::Error> {
    Ok(HeaderValue::from_str(&address.to_canonical().to_string())?)
}

/// Beginnings of fields by which the upstream tells a server in front of it to send a file or another URL in place of
/// the response: nginx, Apache, lighttpd, Perlbal and h2o. A client could not use them, but a server in front of this
/// proxy would, with its own rights.
const INTERNAL_REDIRECTS: [&str; 4] = ["x-accel-", "x-sendfile", "x-lighttpd-send", "x-reproxy-"];

/// Gives the headers of the upstream's response that go to the client.
pub(crate) fn client_headers(upstream: &HeaderMap, cookies: bool) -> Vec<(HeaderName, HeaderValue)> {
    let named = named_by_connection(upstream);
    let mut headers: Vec<_> = upstream
        .iter()
        .filter(|(name, _)| {
            let name = name.as_str();
            let cookie = name == "set-cookie" && !cookies;
            let redirects = INTERNAL_REDIRECTS.iter().any(|begin| name.starts_with(begin));
            !(cookie
                || redirects
                || HOP_BY_HOP.contains(&name)
                || NOT_PASSED_BACK.contains(&name)
                || named.contains(name))
        })
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    cache::keep_from_shared_caches(&mut headers);
    headers
}

/// Gives the names in `Connection`.
fn named_by_connection(headers: &HeaderMap) -> HashSet<String> {
    headers
        .get_all(http::header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|name| name.trim().to_ascii_lowercase())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pass(fields: &[(&str, &str)], cookies: bool) -> Vec<(String, String)> {
        let mut upstream = HeaderMap::new();
        for (name, value) in fields {
            upstream.append(
                HeaderName::from_bytes(name.as_bytes()).unwrap(),
                value.parse().unwrap(),
            );
        }
        client_headers(&upstream, cookies)
            .into_iter()
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect()
    }

    #[test]
    fn what_belongs_to_the_upstream_connection_stays_there() {
        let passed = pass(
            &[
                ("Connection", "close, X-Hop"),
                ("X-Hop", "1"),
                ("Keep-Alive", "timeout=5"),
                ("Transfer-Encoding", "chunked"),
                ("Upgrade", "h2c"),
                ("Alt-Svc", "h3=\":443\""),
                ("Set-Cookie", "JSESSIONID=1"),
                ("Content-Type", "a/b"),
                ("Cache-Control", "no-store"),
                ("Link", "</a>"),
                ("Link", "</b>"),
            ],
            false,
        );
        let expected = [
            ("content-type", "a/b"),
            ("link", "</a>"),
            ("link", "</b>"),
            ("cache-control", "no-store"),
        ];
        assert_eq!(
            passed,
            expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
    }

    #[test]
    fn a_server_in_front_gets_no_orders_of_the_upstream() {
        let orders = [
            ("X-Accel-Redirect", "/internal/secrets"),
            ("X-Accel-Buffering", "no"),
            ("X-ACCEL-Expires", "3600"),
            ("X-Accel-Charset", "utf-8"),
            ("X-Accel-Limit-Rate", "0"),
            ("X-Sendfile", "/etc/passwd"),
            ("X-Sendfile2", "/etc/passwd 0-99"),
            ("X-Sendfile-Type", "X-Accel-Redirect"),
            ("X-LIGHTTPD-send-file", "/etc/passwd"),
            ("X-LIGHTTPD-Send-Tempfile", "/etc/passwd"),
            ("X-Reproxy-URL", "http://127.0.0.1:8081/metrics"),
            ("X-REPROXY-FILE", "/etc/passwd"),
        ];
        assert_eq!(pass(&orders, false), pass(&[], false));
        assert_eq!(pass(&orders, true), pass(&[], true));
        let others = [("X-Accelerate", "1"), ("X-Send", "1"), ("X-Reproxy", "1")];
        assert_eq!(pass(&others, false).len(), pass(&[], false).len() + others.len());
    }

    #[test]
    fn cookies_pass_where_switched_on_each_in_its_own_line() {
        let passed = pass(
            &[
                ("Set-Cookie", "a=1"),
                ("Set-Cookie", "b=2"),
                ("Cache-Control", "private"),
            ],
            true,
        );
        let cookies = passed.iter().filter(|(name, _)| name == "set-cookie").count();
        assert_eq!(cookies, 2, "{passed:?}");
    }
}
