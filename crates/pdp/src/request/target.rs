//! The request target: either origin-form, or absolute-form with the configured public URL.

use super::raw::run_without;
use super::{Reason, Refusal, Relax};

/// The two halves of a target, not decoded.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Target<'a> {
    /// The path; begins with `/`.
    pub(super) path: &'a str,
    /// The text after the first `?`; a second one is data.
    pub(super) query: &'a str,
}

/// Splits the target (RFC 9112 section 3.2). `scheme` and `authority` are those of the public URL, in lower case
/// and without the scheme's own port.
///
/// # Errors
/// The target has bytes that must be encoded, another form, another authority, or a raw `#`.
pub(super) fn split<'a>(
    target: &'a [u8],
    scheme: &str,
    authority: &str,
    relax: &Relax,
) -> Result<Target<'a>, Refusal> {
    let text = std::str::from_utf8(target)
        .ok()
        .filter(|text| run_without(text.as_bytes(), |byte| !byte.is_ascii_graphic()) == text.len())
        .ok_or(Reason::TargetByte)?;
    if text.contains('#') && !relax.number_sign {
        return Err(Reason::NumberSign.into());
    }
    let origin_form = if text.starts_with('/') {
        text
    } else {
        below(text, scheme, authority)?
    };
    let (path, query) = origin_form.split_once('?').unwrap_or((origin_form, ""));
    // An absolute URL without a path is that of the root (RFC 9112 section 3.2.1).
    Ok(Target {
        path: if path.is_empty() { "/" } else { path },
        query,
    })
}

/// Returns the text after the authority of an absolute-form target.
fn below<'a>(text: &'a str, scheme: &str, authority: &str) -> Result<&'a str, Refusal> {
    let (given_scheme, rest) = text.split_once("://").ok_or(Reason::TargetForm)?;
    if !given_scheme.eq_ignore_ascii_case("http") && !given_scheme.eq_ignore_ascii_case("https") {
        return Err(Reason::TargetForm.into());
    }
    let at = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (given, rest) = rest.split_at_checked(at).ok_or(Reason::TargetForm)?;
    let own_port = if given_scheme.eq_ignore_ascii_case("http") {
        ":80"
    } else {
        ":443"
    };
    // Only one port is removed, so that `host:8443:443` stays an invalid authority.
    let given = match given.strip_suffix(own_port) {
        Some(host) if host.ends_with(']') || !host.contains(':') => host,
        _ => given,
    };
    if !given_scheme.eq_ignore_ascii_case(scheme) || !given.eq_ignore_ascii_case(authority) {
        return Err(Reason::ForeignAuthority.into());
    }
    Ok(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(target: &str) -> Result<(&str, &str), Reason> {
        split(target.as_bytes(), "https", "jira.example.com", &Relax::NONE)
            .map(|target| (target.path, target.query))
            .map_err(|refusal| refusal.reason)
    }

    #[test]
    fn forms_are_told_apart() {
        for (target, expected) in [
            ("/a?b=c?d", Ok(("/a", "b=c?d"))),
            ("/a?", Ok(("/a", ""))),
            ("//evil.test/x", Ok(("//evil.test/x", ""))),
            ("https://jira.example.com/a?b", Ok(("/a", "b"))),
            ("HTTPS://JIRA.example.com:443/a", Ok(("/a", ""))),
            ("https://jira.example.com?b", Ok(("/", "b"))),
            ("https://jira.example.com", Ok(("/", ""))),
            ("http://jira.example.com/a", Err(Reason::ForeignAuthority)),
            ("https://jira.example.com:8443/a", Err(Reason::ForeignAuthority)),
            ("https://u@jira.example.com/a", Err(Reason::ForeignAuthority)),
            (
                "https://jira.example.com:443:443/a",
                Err(Reason::ForeignAuthority),
            ),
            ("https://evil.test/a", Err(Reason::ForeignAuthority)),
            ("https:///a", Err(Reason::ForeignAuthority)),
            (
                "https://jira.example.com\\@evil.test/a",
                Err(Reason::ForeignAuthority),
            ),
            ("https:/a", Err(Reason::TargetForm)),
            ("ftp://jira.example.com/a", Err(Reason::TargetForm)),
            ("*", Err(Reason::TargetForm)),
            ("", Err(Reason::TargetForm)),
            ("a/b", Err(Reason::TargetForm)),
            ("jira.example.com:443", Err(Reason::TargetForm)),
            ("/a#b", Err(Reason::NumberSign)),
            ("/a?b#c", Err(Reason::NumberSign)),
            ("/a b", Err(Reason::TargetByte)),
            ("/a\tb", Err(Reason::TargetByte)),
            ("/a\0", Err(Reason::TargetByte)),
            ("/é", Err(Reason::TargetByte)),
            ("/a?\u{7f}", Err(Reason::TargetByte)),
        ] {
            assert_eq!(read(target), expected, "{target}");
        }
        assert_eq!(
            split(b"/\xff", "https", "x", &Relax::NONE).unwrap_err().reason,
            Reason::TargetByte
        );
    }

    #[test]
    fn a_port_stands_once() {
        let accepted =
            |target: &str, authority| split(target.as_bytes(), "http", authority, &Relax::NONE).is_ok();
        for (target, authority, expected) in [
            ("http://a:8080/x", "a:8080", true),
            ("http://a:8080:80/x", "a:8080", false),
            ("http://a:80/x", "a", true),
            ("http://a:80:80/x", "a", false),
            ("http://[::1]:80/x", "[::1]", true),
            ("http://[::1]/x", "[::1]", true),
        ] {
            assert_eq!(accepted(target, authority), expected, "{target}");
        }
    }

    #[test]
    fn a_number_sign_is_data_where_it_is_lifted() {
        let relax = Relax {
            number_sign: true,
            ..Relax::NONE
        };
        let target = split(b"/a#b?c#d", "https", "x", &relax).unwrap();
        assert_eq!((target.path, target.query), ("/a#b", "c#d"));
    }
}
