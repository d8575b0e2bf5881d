//! References in response headers other than `Location`: `Link`, `Content-Location` and `Refresh` (SEMANTICS section 5).
//!
//! Clients follow these as well: GitLab's page by `Link`. A reference to the upstream's own address would lead them, and
//! their tokens, past the proxy.

use http::header::{CONTENT_LOCATION, LINK, REFRESH};
use http::{HeaderName, HeaderValue};

use super::location::{Places, public_reference};

/// Rewrites the references of a header; other headers stay as they are.
pub(super) fn rewrite(places: &Places, (name, value): &mut (HeaderName, HeaderValue)) {
    let rewritten = match name {
        name if *name == CONTENT_LOCATION => public_reference(places, &characters(value)),
        name if *name == LINK => links(places, &characters(value)),
        name if *name == REFRESH => refresh(places, &characters(value)),
        _ => return,
    };
    if let Some(rewritten) = header(&rewritten) {
        *value = rewritten;
    }
}

/// Gives one character for each byte, since a value may have bytes that are not ASCII, such as a link's title.
pub(super) fn characters(value: &HeaderValue) -> String {
    value.as_bytes().iter().copied().map(char::from).collect()
}

/// Makes a value of one byte for each character.
pub(super) fn header(text: &str) -> Option<HeaderValue> {
    let bytes: Result<Vec<u8>, _> = text.chars().map(u8::try_from).collect();
    HeaderValue::from_bytes(&bytes.ok()?).ok()
}

/// Rewrites the targets and anchors of a list of links (RFC 8288 section 3). Commas and brackets within quotes are text.
fn links(places: &Places, value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut rest = value;
    while let Some((before, from)) = rest.find(['<', '"']).and_then(|at| rest.split_at_checked(at)) {
        out.push_str(before);
        rest = from;
        if let Some((target, after)) = from.strip_prefix('<').and_then(|from| from.split_once('>')) {
            out.push_str(&format!("<{}>", public_reference(places, target)));
            rest = after;
        } else if let Some((text, after)) = from.strip_prefix('"').and_then(quoted) {
            let name = before.trim_end().strip_suffix('=').unwrap_or_default().trim_end();
            let is_anchor = name
                .rsplit([';', ' ', '\t'])
                .next()
                .is_some_and(|name| name.eq_ignore_ascii_case("anchor"));
            let text = if is_anchor {
                public_reference(places, text)
            } else {
                text.to_owned()
            };
            out.push_str(&format!("\"{text}\""));
            rest = after;
        } else {
            // The quoted text does not end, so no client can find its end.
            break;
        }
    }
    out.push_str(rest);
    out
}

/// Splits at the quote that ends a quoted string, without unescaping it.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let mut escaped = false;
    let end = text.find(|character| {
        let ends = character == '"' && !escaped;
        escaped = character == '\\' && !escaped;
        ends
    })?;
    Some((text.get(..end)?, text.get(end + 1..)?))
}

/// Rewrites the URL of a refresh: seconds, a separator, then the URL, perhaps behind `url=` and in quotes (HTML, section
/// "shared declarative refresh steps").
fn refresh(places: &Places, value: &str) -> String {
    let Some(at) = value.find([';', ',']) else {
        return value.to_owned();
    };
    let (_, rest) = value.split_at_checked(at + 1).unwrap_or((value, ""));
    let mut url = rest.trim_start();
    if let Some((name, behind)) = url.split_once('=')
        && name.trim_end().eq_ignore_ascii_case("url")
    {
        url = behind.trim_start();
    }
    let url = url.strip_prefix(['"', '\'']).unwrap_or(url);
    let before = value.strip_suffix(url).unwrap_or_default();
    let end = url.find(['"', '\'']).unwrap_or(url.len());
    let (url, after) = url.split_at_checked(end).unwrap_or((url, ""));
    format!("{before}{}{after}", public_reference(places, url))
}

#[cfg(test)]
mod tests {
    use tokenward_compiler::BaseUrl;

    use super::*;

    #[track_caller]
    fn check(name: HeaderName, value: &str, expected: &str) {
        let places = Places {
            public: BaseUrl::parse("https://git.example.com/git").unwrap(),
            upstream_hosts: vec!["10.0.0.7".into()],
            upstream_path: "/ctx".into(),
        };
        let mut field = (name, header(value).unwrap());
        rewrite(&places, &mut field);
        assert_eq!(characters(&field.1), expected);
    }

    #[test]
    fn links_of_all_forms_become_public() {
        for (value, expected) in [
            (
                "<http://10.0.0.7:8080/ctx/api?page=2>; rel=\"next\"",
                "<https://git.example.com/git/api?page=2>; rel=\"next\"",
            ),
            // Several links, one of them elsewhere, and commas within a URL and within quotes.
            (
                "<http://10.0.0.7/ctx/a?b=1,2>;rel=next;title=\"x, <http://10.0.0.7/ctx/t> \\\" y\", <https://other.test/>; rel=last,<HTTP://10.0.0.7/ctx/c>",
                "<https://git.example.com/git/a?b=1,2>;rel=next;title=\"x, <http://10.0.0.7/ctx/t> \\\" y\", <https://other.test/>; rel=last,<https://git.example.com/git/c>",
            ),
            // Relative references: only a path from the root has the upstream's context.
            (
                "</ctx/a>; rel=next, <?page=2>, <b/c>, <../d>",
                "<https://git.example.com/git/a>; rel=next, <?page=2>, <b/c>, <../d>",
            ),
            ("<//10.0.0.7/ctx/a>", "<https://git.example.com/git/a>"),
            ("< http://10.0.0.7/ctx/a >", "<https://git.example.com/git/a>"),
            (
                "<a>; anchor=\"http://10.0.0.7/ctx/b\"; rel=x",
                "<a>; anchor=\"https://git.example.com/git/b\"; rel=x",
            ),
            ("<a>; Anchor = \"#b\"", "<a>; Anchor = \"#b\""),
            // A title in Latin-1 hides nothing.
            (
                "<http://10.0.0.7/ctx/a>; title=\"\u{fc}\"",
                "<https://git.example.com/git/a>; title=\"\u{fc}\"",
            ),
            ("<http://10.0.0.7@evil.test/>", "<http://10.0.0.7@evil.test/>"),
            ("<http://10.0.0.7/ctx", "<http://10.0.0.7/ctx"),
            ("", ""),
        ] {
            check(LINK, value, expected);
        }
    }

    #[test]
    fn a_refresh_and_a_content_location_become_public() {
        for (value, expected) in [
            (
                "5; url=http://10.0.0.7/ctx/a",
                "5; url=https://git.example.com/git/a",
            ),
            (
                "0;URL='http://10.0.0.7/ctx/a'",
                "0;URL='https://git.example.com/git/a'",
            ),
            (
                "0, url = \"/ctx/a\"",
                "0, url = \"https://git.example.com/git/a\"",
            ),
            (
                "5; http://10.0.0.7/ctx/a?b=c;d",
                "5; https://git.example.com/git/a?b=c;d",
            ),
            (
                "5; url=https://other.test/?u=http://10.0.0.7/",
                "5; url=https://other.test/?u=http://10.0.0.7/",
            ),
            ("5", "5"),
            ("5;", "5;"),
        ] {
            check(REFRESH, value, expected);
        }
        check(
            CONTENT_LOCATION,
            "http://10.0.0.7/ctx/a",
            "https://git.example.com/git/a",
        );
        check(CONTENT_LOCATION, "a?b", "a?b");
        check(
            HeaderName::from_static("x-link"),
            "http://10.0.0.7/",
            "http://10.0.0.7/",
        );
    }
}
