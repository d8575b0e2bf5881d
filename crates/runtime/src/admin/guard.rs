//! Checks before each request, and headers on each response: the browser's part of the defence.

use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{CACHE_CONTROL, HOST, HeaderMap, HeaderName, HeaderValue, ORIGIN};
use actix_web::http::{Method, Uri};
use actix_web::middleware::Next;
use actix_web::{Error, HttpRequest, ResponseError, web};

use super::body::Body;
use super::error::AdminError;
use super::state::AdminState;

/// Paths for health checks, which know no name of the listener and learn nothing that is not public.
const OPEN: [&str; 3] = ["/healthz", "/livez", "/readyz"];

/// Where a browser's request came from.
static SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Ends of the paths whose reading is an act: it takes long, and it is recorded.
const ACTS: [&str; 4] = ["/export", "/verify", "/proof", "/tail"];

/// Headers of each response. Scripts and styles come from the listener's own files; nothing inline, nothing from elsewhere.
const HEADERS: [(&str, &str); 9] = [
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
         form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; \
         trusted-types 'none'",
    ),
    ("x-frame-options", "DENY"),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cache-control", "no-store"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("cross-origin-embedder-policy", "require-corp"),
    (
        "permissions-policy",
        "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
];

/// Refuses requests for other names, changes that a page of another site asks for, and bodies that take too long. Adds the headers to
/// all responses.
pub(crate) async fn guard<B: MessageBody + 'static>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B, BoxBody>>, Error> {
    let checked = match request.app_data::<web::Data<AdminState>>() {
        Some(state) => check(state, request.request()),
        None => Err(AdminError::Stopping),
    };
    let body = Body::limit(&mut request);
    let mut response = match checked {
        Ok(()) => next.call(request).await?.map_into_left_body(),
        Err(error) => request
            .into_response(error.error_response())
            .map_into_right_body(),
    };
    if let Some(body) = body {
        if body.is_late() {
            response = response
                .into_response(AdminError::Late.error_response())
                .map_into_right_body();
        }
        // The server closes the connection of a request whose body was not read to its end, but waits without limit for the rest of
        // a chunked one that nobody has any more. So the response keeps it.
        response.response_mut().extensions_mut().insert(body);
    }
    add_headers(response.headers_mut());
    Ok(response)
}

fn add_headers(headers: &mut HeaderMap) {
    for (name, value) in HEADERS {
        let name = HeaderName::from_static(name);
        // Only the console's files, which have their hash in their names, may be cached.
        if name == CACHE_CONTROL && headers.contains_key(&name) {
            continue;
        }
        headers.insert(name, HeaderValue::from_static(value));
    }
}

fn check(state: &AdminState, request: &HttpRequest) -> Result<(), AdminError> {
    if OPEN.contains(&request.path()) {
        return Ok(());
    }
    let host = only(request.headers(), &HOST)?.unwrap_or_default();
    if !state.names.has(host) {
        return Err(AdminError::OtherHost);
    }
    // As routes read it: the sender may have encoded letters.
    let path = request.match_info().as_str();
    let is_read = [Method::GET, Method::HEAD].contains(request.method());
    let is_act = ACTS.iter().any(|end| path.ends_with(end));
    if is_read && (!is_act || is_typed(request)?) || is_of(request, host)? {
        Ok(())
    } else {
        Err(AdminError::OtherOrigin)
    }
}

/// Whether a request was sent by a page of this listener, or by a program that is no browser. Since pages send no referrer,
/// browsers write `null` as the origin of their forms; `Sec-Fetch-Site` then decides, which no page can set.
fn is_of(request: &HttpRequest, host: &str) -> Result<bool, AdminError> {
    let site = only(request.headers(), &SITE)?;
    let is_same_site = match site {
        Some("same-origin") => Some(true),
        Some(_) => Some(false),
        None => None,
    };
    let origin = only(request.headers(), &ORIGIN)?;
    Ok(match (origin, is_same_site) {
        (_, Some(false)) => false,
        (None, _) => true,
        (Some("null"), is_same_site) => is_same_site == Some(true),
        (Some(origin), _) => is_origin(origin, host),
    })
}

/// Whether a person entered the address in a browser, rather than following a link.
fn is_typed(request: &HttpRequest) -> Result<bool, AdminError> {
    Ok(only(request.headers(), &SITE)? == Some("none"))
}

fn is_origin(origin: &str, host: &str) -> bool {
    let Ok(origin) = origin.parse::<Uri>() else {
        return false;
    };
    let is_web = matches!(origin.scheme_str(), Some("http" | "https"));
    is_web
        && origin
            .authority()
            .is_some_and(|authority| authority.as_str().eq_ignore_ascii_case(host))
}

/// The value of a header that may be given once.
fn only<'r>(headers: &'r HeaderMap, name: &HeaderName) -> Result<Option<&'r str>, AdminError> {
    let mut values = headers.get_all(name);
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_| AdminError::OtherHost),
        (Some(_), Some(_)) => Err(AdminError::OtherHost),
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{
        CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
    };
    use actix_web::test::TestRequest;

    use super::*;

    fn is_own(headers: &[(&'static str, &'static str)]) -> bool {
        let request = headers.iter().fold(TestRequest::post(), |request, header| {
            request.insert_header(*header)
        });
        is_of(&request.to_http_request(), "localhost:8081").unwrap_or(false)
    }

    #[test]
    fn changes_come_from_the_listeners_own_pages() {
        assert!(is_own(&[]));
        assert!(is_own(&[("origin", "http://localhost:8081")]));
        assert!(is_own(&[("origin", "null"), ("sec-fetch-site", "same-origin")]));
        for wrong in [
            &[("origin", "null")][..],
            &[("origin", "http://localhost:8082")],
            &[("origin", "http://evil.example")],
            &[("origin", "file://localhost:8081")],
            &[
                ("origin", "http://localhost:8081"),
                ("sec-fetch-site", "cross-site"),
            ],
            &[("sec-fetch-site", "same-site")],
            &[("sec-fetch-site", "none")],
            &[("origin", "http://localhost:8081@evil.example")],
        ] {
            assert!(!is_own(wrong), "{wrong:?}");
        }
    }

    #[test]
    fn headers_are_those_that_browsers_know() {
        let mut headers = HeaderMap::new();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("immutable"));
        add_headers(&mut headers);
        for name in [
            CONTENT_SECURITY_POLICY,
            X_FRAME_OPTIONS,
            X_CONTENT_TYPE_OPTIONS,
            REFERRER_POLICY,
        ] {
            assert!(headers.contains_key(&name), "{name}");
        }
        assert_eq!(headers.get(CACHE_CONTROL).unwrap(), "immutable");
    }
}
