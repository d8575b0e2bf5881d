//! Rewrites redirects of the upstream, and references in other headers, for the client (SEMANTICS section 5).
//!
//! A `Location` at the upstream's own address would make the client, and its token, bypass the proxy, so it is
//! rewritten to the public URL. Most clients repeat a POST as a GET after 301 and 302. If the upstream only corrects
//! scheme, host or a final `/`, that would turn a write into a read, so such a response becomes 308 or 307 (RFC 9110
//! section 15.4).

use http::StatusCode;
use tokenward_compiler::BaseUrl;

/// Public URL and upstream addresses of the protected API.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    /// The URL that clients call.
    pub(crate) public: BaseUrl,
    /// Hosts of the upstream's own URLs, without port, lower case.
    pub(crate) upstream_hosts: Vec<String>,
    /// Context path of the upstream, without a final `/`.
    pub(crate) upstream_path: String,
}

/// Gives the status and the `Location` for the client. `target` is the path and query that were sent upstream, in a
/// request whose method is `safe` (GET, HEAD) or not.
pub(crate) fn redirect(
    places: &Places,
    safe: bool,
    target: &str,
    status: StatusCode,
    location: &str,
) -> (StatusCode, String) {
    let Some(path) = own_path(places, location) else {
        return (status, location.to_owned());
    };
    let status = match status {
        StatusCode::MOVED_PERMANENTLY if !safe && same_place(target, path) => StatusCode::PERMANENT_REDIRECT,
        StatusCode::FOUND if !safe && same_place(target, path) => StatusCode::TEMPORARY_REDIRECT,
        other => other,
    };
    (status, at_public(places, location, path))
}

/// Gives a reference to one of the upstream's own addresses as clients may follow it: below the public URL. Relative
/// references, and those to other places, stay as they are.
pub(super) fn public_reference(places: &Places, reference: &str) -> String {
    let trimmed = reference.trim();
    match own_path(places, trimmed) {
        Some(path) => at_public(places, trimmed, path),
        None => reference.to_owned(),
    }
}

/// Puts the path of an own reference below the public URL.
fn at_public(places: &Places, reference: &str, path: &str) -> String {
    if !is_absolute(reference) && places.upstream_path == places.public.path() {
        return reference.to_owned();
    }
    match path.strip_prefix(places.upstream_path.as_str()) {
        Some(below) if below.is_empty() || below.starts_with(['/', '?', '#']) => {
            format!("{}{}{below}", places.public.origin(), places.public.path())
        }
        _ => format!("{}{path}", places.public.origin()),
    }
}

/// Gives the path and the rest of a location at the upstream, by its own or by the public name. Scheme and port are
/// ignored, because misconfigured upstreams get them wrong. `None` for other places, and for relative paths, which need
/// no change.
fn own_path<'a>(places: &Places, location: &'a str) -> Option<&'a str> {
    let rest = match location.find("://") {
        Some(at) if is_absolute(location) => location.get(at + 3..)?,
        _ => match location.strip_prefix("//") {
            Some(rest) => rest,
            None => return location.starts_with('/').then_some(location),
        },
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(end)?;
    let host = host_of(authority)?;
    let public = host_of(places.public.authority())?;
    (host == public || places.upstream_hosts.contains(&host)).then_some(path)
}

fn is_absolute(location: &str) -> bool {
    let scheme = location.split("://").next().unwrap_or_default();
    location.starts_with("//") || scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")
}

/// Gives the host of an authority in lower case; `None` if it has user information, which could hide another host.
pub(crate) fn host_of(authority: &str) -> Option<String> {
    if authority.contains('@') {
        return None;
    }
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    };
    Some(host.to_ascii_lowercase())
}

/// Whether two targets differ at most in a final `/` of the path.
fn same_place(target: &str, location: &str) -> bool {
    let parts = |target: &str| {
        let target = target.split('#').next().unwrap_or_default();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        (
            path.strip_suffix('/').unwrap_or(path).to_owned(),
            query.to_owned(),
        )
    };
    parts(target) == parts(location)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(public: &str, upstream_path: &str, cases: &[(bool, &str, u16, &str, u16, &str)]) {
        let places = Places {
            public: BaseUrl::parse(public).unwrap(),
            upstream_hosts: vec!["10.0.0.7".into(), "10.0.0.8".into()],
            upstream_path: upstream_path.into(),
        };
        for &(safe, target, status, location, to_status, to_location) in cases {
            let (got_status, got) = redirect(
                &places,
                safe,
                target,
                StatusCode::from_u16(status).unwrap(),
                location,
            );
            assert_eq!(
                (got_status.as_u16(), got.as_str()),
                (to_status, to_location),
                "{location}"
            );
        }
    }

    #[test]
    fn a_location_at_the_upstream_becomes_public() {
        check(
            "https://jira.example.com/jira",
            "/jira",
            &[
                (
                    true,
                    "/jira/a",
                    302,
                    "http://10.0.0.7:8080/jira/b?c#d",
                    302,
                    "https://jira.example.com/jira/b?c#d",
                ),
                (
                    true,
                    "/jira/a",
                    302,
                    "http://10.0.0.8/jira/b",
                    302,
                    "https://jira.example.com/jira/b",
                ),
                (
                    true,
                    "/jira/a",
                    302,
                    "HTTP://10.0.0.7/other",
                    302,
                    "https://jira.example.com/other",
                ),
                (
                    true,
                    "/jira/a",
                    302,
                    "//10.0.0.7/jira/b",
                    302,
                    "https://jira.example.com/jira/b",
                ),
                (
                    true,
                    "/jira/a",
                    302,
                    "http://jira.example.com:8080/jira/b",
                    302,
                    "https://jira.example.com/jira/b",
                ),
                (
                    true,
                    "/jira/a",
                    302,
                    "http://10.0.0.7",
                    302,
                    "https://jira.example.com",
                ),
                (true, "/jira/a", 302, "/jira/b", 302, "/jira/b"),
                (true, "/jira/a", 302, "b", 302, "b"),
                (
                    true,
                    "/jira/a",
                    302,
                    "https://sso.example.com/login?to=http://10.0.0.7/",
                    302,
                    "https://sso.example.com/login?to=http://10.0.0.7/",
                ),
                (
                    true,
                    "/jira/a",
                    302,
                    "http://10.0.0.7@evil.test/",
                    302,
                    "http://10.0.0.7@evil.test/",
                ),
                (
                    true,
                    "/jira/a",
                    201,
                    "http://10.0.0.7/jira/rest/a/1",
                    201,
                    "https://jira.example.com/jira/rest/a/1",
                ),
            ],
        );
    }

    #[test]
    fn contexts_are_exchanged() {
        check(
            "https://jira.example.com/jira",
            "/ctx",
            &[
                (
                    true,
                    "/ctx/a",
                    302,
                    "http://10.0.0.7/ctx/b",
                    302,
                    "https://jira.example.com/jira/b",
                ),
                (
                    true,
                    "/ctx/a",
                    302,
                    "/ctx/b",
                    302,
                    "https://jira.example.com/jira/b",
                ),
                (true, "/ctx/a", 302, "/ctxb", 302, "https://jira.example.com/ctxb"),
            ],
        );
    }

    #[test]
    fn a_correction_keeps_method_and_body() {
        check(
            "https://jira.example.com",
            "",
            &[
                (
                    false,
                    "/rest/a?b=c",
                    301,
                    "http://jira.example.com/rest/a?b=c",
                    308,
                    "https://jira.example.com/rest/a?b=c",
                ),
                (
                    false,
                    "/rest/a",
                    302,
                    "http://10.0.0.7/rest/a/",
                    307,
                    "https://jira.example.com/rest/a/",
                ),
                (false, "/rest/a/", 302, "/rest/a", 307, "/rest/a"),
                (false, "/rest/a", 303, "/rest/a/", 303, "/rest/a/"),
                (false, "/rest/a", 302, "/rest/b", 302, "/rest/b"),
                (false, "/rest/a", 302, "/rest/a?x", 302, "/rest/a?x"),
                (
                    false,
                    "/rest/a",
                    302,
                    "https://sso.example.com/rest/a",
                    302,
                    "https://sso.example.com/rest/a",
                ),
                (true, "/rest/a", 301, "/rest/a/", 301, "/rest/a/"),
            ],
        );
    }
}
