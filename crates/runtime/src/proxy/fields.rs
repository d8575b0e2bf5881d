//! Header fields that go upstream, and those that come back.

use std::fmt::Write as _;
use std::net::IpAddr;

use bytes::BytesMut;
use http::header::CONNECTION;
use http::{HeaderName, HeaderValue};
use smallvec::SmallVec;
use tokenward_pdp::request::Framing;
use tokenward_pdp::text::Decimal;
use tokenward_pdp::wire::raw::{is_control, is_token, run_without};

use super::cache;
use crate::call::REQUEST_ID;
use crate::call::permit::Permit;

const FORWARDED_FOR: &str = "x-forwarded-for";
const FORWARDED_HOST: &str = "x-forwarded-host";
const FORWARDED_PROTO: &str = "x-forwarded-proto";
const TRACEPARENT: &str = "traceparent";
const TRACESTATE: &str = "tracestate";

/// Fields that the proxy writes itself; the client's are dropped.
const OWN: [&str; 6] = [
    "host",
    FORWARDED_FOR,
    FORWARDED_HOST,
    FORWARDED_PROTO,
    TRACEPARENT,
    TRACESTATE,
];

/// Fields by which the client would get a part of a response, or a compressed one.
const OF_WHOLE_ANSWERS: [&str; 3] = ["accept-encoding", "if-range", "range"];

/// Room for the parts of a head other than the target and the client's fields.
const BASE_BYTES: usize = 512;

/// Whether this is a field of one connection (RFC 9110 section 7.6.1), or of the framing, which the proxy writes itself.
fn is_hop_by_hop(name: &str) -> bool {
    matches!(
        name,
        "connection"
            | "content-length"
            | "keep-alive"
            | "proxy-authenticate"
            | "proxy-authentication-info"
            | "proxy-authorization"
            | "proxy-connection"
            | "te"
            | "trailer"
            | "transfer-encoding"
            | "upgrade"
    )
}

/// Whether this is a field by which the upstream points around the proxy, or controls shared caches.
fn is_not_passed_back(name: &str) -> bool {
    matches!(
        name,
        "alt-svc"
            | "cdn-cache-control"
            | "set-cookie2"
            | "surrogate-control"
            | "www-authenticate"
            | "x-request-id"
    )
}

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

/// The canonical request has a part that cannot be written, which would be an error in reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a byte that cannot be sent in the {0}")]
pub(crate) struct Unwritable(&'static str);

/// Writes the head of the upstream request: the fields of the canonical request, and the proxy's own. `length` is the
/// body's; `None` means chunked.
///
/// # Errors
/// The canonical request has a part that would be read as another one.
pub(super) fn write_request(
    out: &mut BytesMut,
    permit: &Permit,
    public: &Public,
    length: Option<u64>,
) -> Result<(), Unwritable> {
    let canonical = permit.canonical();
    let target = canonical.upstream_target().as_bytes();
    if !is_token(canonical.method_text.as_bytes()) {
        return Err(Unwritable("method"));
    }
    if !target.starts_with(b"/") || !target.iter().all(u8::is_ascii_graphic) {
        return Err(Unwritable("target"));
    }
    out.reserve(BASE_BYTES + target.len() + canonical.headers.size());
    for part in [
        canonical.method_text.as_bytes(),
        b" ",
        target,
        b" HTTP/1.1\r\nhost: ",
        public.host.as_bytes(),
    ] {
        out.extend_from_slice(part);
    }
    out.extend_from_slice(b"\r\n");
    // The client's fields, without those that the proxy writes itself.
    for (name, value) in &canonical.headers {
        if !is_own(name, permit, public) {
            checked_field(name, value, out)?;
        }
    }
    // Links can only be rewritten in complete, uncompressed responses.
    if public.whole_answers {
        field("accept-encoding", b"identity", out);
    }
    // The framing is that of the body, not of the client.
    match length {
        Some(length) if length > 0 || canonical.body != Framing::None => {
            field("content-length", &Decimal::from(length), out);
        }
        Some(_) => {}
        None => field("transfer-encoding", b"chunked", out),
    }
    write_own(out, permit, public)
}

/// Writes the proxy's own fields. No client can set them: its own are dropped.
fn write_own(out: &mut BytesMut, permit: &Permit, public: &Public) -> Result<(), Unwritable> {
    address_field(FORWARDED_FOR, permit.client().to_canonical(), out);
    field(FORWARDED_HOST, public.authority.as_bytes(), out);
    field(FORWARDED_PROTO, public.scheme.as_bytes(), out);
    field(REQUEST_ID.as_str(), &permit.id().digits(), out);
    let trace = permit.trace();
    field(TRACEPARENT, &trace.parent(), out);
    if let Some(state) = trace.state() {
        checked_field(TRACESTATE, state.as_bytes(), out)?;
    }
    for (name, value) in permit.identity() {
        field(name.as_str(), value.as_bytes(), out);
    }
    out.extend_from_slice(b"\r\n");
    Ok(())
}

/// Whether the proxy writes the field, named in lower case, itself, or it belongs to the client's connection.
fn is_own(name: &str, permit: &Permit, public: &Public) -> bool {
    OWN.contains(&name)
        || is_hop_by_hop(name)
        || name == REQUEST_ID.as_str()
        || public.whole_answers && OF_WHOLE_ANSWERS.contains(&name)
        || permit.identity().iter().any(|(own, _)| own.as_str() == name)
}

fn checked_field(name: &str, value: &[u8], out: &mut BytesMut) -> Result<(), Unwritable> {
    if !is_token(name.as_bytes()) || run_without(value, is_control) != value.len() {
        return Err(Unwritable("fields"));
    }
    field(name, value, out);
    Ok(())
}

fn field(name: &str, value: &[u8], out: &mut BytesMut) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

/// Writes a field with an address as its value.
fn address_field(name: &str, address: IpAddr, out: &mut BytesMut) {
    let IpAddr::V4(address) = address else {
        // Writing to `BytesMut` cannot fail.
        let _ = write!(out, "{name}: {address}\r\n");
        return;
    };
    out.extend_from_slice(name.as_bytes());
    let mut before: &[u8] = b": ";
    for octet in address.octets() {
        out.extend_from_slice(before);
        out.extend_from_slice(&Decimal::from(u64::from(octet)));
        before = b".";
    }
    out.extend_from_slice(b"\r\n");
}

/// Beginnings of fields by which the upstream tells a server in front of it to send a file or another URL in place of
/// the response: nginx, Apache, lighttpd, LiteSpeed, Perlbal and h2o. A client could not use them, but a server in front of this
/// proxy would, with its own rights.
const INTERNAL_REDIRECTS: [&str; 5] = [
    "x-accel-",
    "x-sendfile",
    "x-lighttpd-send",
    "x-litespeed-",
    "x-reproxy-",
];

/// Keeps those of the upstream's fields that go to the client.
pub(crate) fn client_headers(fields: &mut Vec<(HeaderName, HeaderValue)>, cookies: bool) {
    let connection = fields.iter().filter(|(name, _)| name == CONNECTION);
    let connection: SmallVec<[HeaderValue; 2]> = connection.map(|(_, value)| value.clone()).collect();
    fields.retain(|(name, _)| {
        let name = name.as_str();
        let cookie = name == "set-cookie" && !cookies;
        let redirects = INTERNAL_REDIRECTS.iter().any(|begin| name.starts_with(begin));
        !(cookie
            || redirects
            || is_hop_by_hop(name)
            || is_not_passed_back(name)
            || is_named(&connection, name))
    });
    cache::keep_from_shared_caches(fields);
}

/// Whether one of the values of `Connection` names the field.
fn is_named(connection: &[HeaderValue], name: &str) -> bool {
    let options = |value: &HeaderValue| {
        let mut options = value.as_bytes().split(|byte| *byte == b',');
        options.any(|option| option.trim_ascii().eq_ignore_ascii_case(name.as_bytes()))
    };
    connection.iter().any(options)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pass(fields: &[(&str, &str)], cookies: bool) -> Vec<(String, String)> {
        let field = |(name, value): &(&str, &str)| {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            (name, value.parse().unwrap())
        };
        let mut fields = fields.iter().map(field).collect();
        client_headers(&mut fields, cookies);
        fields
            .into_iter()
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect()
    }

    #[test]
    fn an_address_is_written_as_people_write_it() {
        for text in ["0.0.0.0", "127.0.0.1", "203.0.113.255", "2001:db8::1"] {
            let mut out = BytesMut::new();
            address_field(FORWARDED_FOR, text.parse().unwrap(), &mut out);
            assert_eq!(out, format!("x-forwarded-for: {text}\r\n"));
        }
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
            ("X-LiteSpeed-Location", "/internal/secrets"),
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
