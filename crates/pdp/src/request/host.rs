//! `Host`: the value is checked, and not used otherwise.

use super::raw::{RawHead, Version};
use super::{Reason, Refusal};

/// Checks that the request has exactly one well-formed host (RFC 9112 section 3.2, RFC 9113 section 8.3.1).
/// HTTP/1.0 may have none; HTTP/2 may give it as `:authority`, as `Host`, or as both alike.
///
/// # Errors
/// The host is missing, repeated, or not a host with an optional port.
pub(super) fn check(raw: &RawHead<'_>) -> Result<(), Refusal> {
    let mut hosts = raw.values("host");
    let host = hosts.next();
    if hosts.next().is_some() {
        return Err(Reason::RepeatedHost.into());
    }
    let given = match (host, raw.authority) {
        (Some(host), Some(authority)) if !host.eq_ignore_ascii_case(authority) => {
            return Err(Reason::RepeatedHost.into());
        }
        (Some(given), _) | (None, Some(given)) => given,
        (None, None) if raw.version == Version::Http10 => return Ok(()),
        (None, None) => return Err(Reason::MissingHost.into()),
    };
    let well_formed = std::str::from_utf8(given).is_ok_and(is_host);
    if well_formed {
        Ok(())
    } else {
        Err(Reason::MalformedHost.into())
    }
}

/// Whether the text is `host`, `host:port` or `[v6]:port`. This is stricter than RFC 3986's registered names, which may
/// contain `%XX` and `!$&'`.
fn is_host(text: &str) -> bool {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (text, None),
    };
    let port_ok =
        port.is_none_or(|port| port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok());
    let host_ok = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => {
            !host.is_empty()
                && host
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
        }
    };
    port_ok && host_ok
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Framing;

    fn read(version: Version, authority: Option<&str>, hosts: &[&str]) -> Result<(), Reason> {
        let headers: Vec<(&[u8], &[u8])> = hosts.iter().map(|host| (&b"HOST"[..], host.as_bytes())).collect();
        let raw = RawHead {
            method: "GET",
            target: b"/",
            version,
            headers: &headers,
            authority: authority.map(str::as_bytes),
            body: Framing::None,
        };
        check(&raw).map_err(|refusal| refusal.reason)
    }

    #[test]
    fn one_host_and_a_good_one() {
        for good in [
            "a",
            "jira.example.com",
            "jira.example.com:8443",
            "127.0.0.1:1",
            "[::1]",
            "[::1]:80",
            "a_b",
            " a ",
        ] {
            assert_eq!(read(Version::Http11, None, &[good]), Ok(()), "{good}");
        }
        for bad in [
            "", "a b", "a:b", "a:", ":80", "a:99999", "a:+1", "u@a", "a/b", "a,b", "[::1", "[x]", "::1",
            "a\0", "é", "a%41",
        ] {
            assert_eq!(
                read(Version::Http11, None, &[bad]),
                Err(Reason::MalformedHost),
                "{bad}"
            );
        }
        assert_eq!(read(Version::Http11, None, &[]), Err(Reason::MissingHost));
        assert_eq!(read(Version::Http10, None, &[]), Ok(()));
        assert_eq!(
            read(Version::Http11, None, &["a", "a"]),
            Err(Reason::RepeatedHost)
        );
        assert_eq!(
            read(Version::Http10, None, &["a", "b"]),
            Err(Reason::RepeatedHost)
        );
    }

    #[test]
    fn authority_counts_as_host() {
        assert_eq!(read(Version::Http2, Some("a:1"), &[]), Ok(()));
        assert_eq!(read(Version::Http2, Some("a:1"), &["A:1"]), Ok(()));
        assert_eq!(read(Version::Http2, None, &["a"]), Ok(()));
        assert_eq!(read(Version::Http2, Some("a"), &["b"]), Err(Reason::RepeatedHost));
        assert_eq!(read(Version::Http2, Some("u@a"), &[]), Err(Reason::MalformedHost));
        assert_eq!(read(Version::Http2, None, &[]), Err(Reason::MissingHost));
    }
}
