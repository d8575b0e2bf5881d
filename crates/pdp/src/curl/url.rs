//! URLs as curl and people give them, and their percent-encoding.

use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};
use tokenward_compiler::BaseUrl;

/// What a URL says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Url {
    /// Host and port as written; `None` for a path below the public URL.
    pub(super) authority: Option<String>,
    /// User and password in front of the host.
    pub(super) user: Option<String>,
    /// The request target.
    pub(super) target: String,
}

/// Characters that a client encodes because they cannot stand in a request line.
const TARGET: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'`');
/// Unreserved characters (RFC 3986 section 2.3).
const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Encodes a component as `curl --data-urlencode` does.
pub(super) fn component(text: &str) -> String {
    utf8_percent_encode(text, COMPONENT).to_string()
}

impl Url {
    /// Reads a URL, or a path below the public URL. The fragment is dropped, as every client does.
    ///
    /// # Errors
    /// The text is neither.
    pub(super) fn parse(text: &str, base: &BaseUrl) -> Result<Self, String> {
        let text = text.split('#').next().unwrap_or_default();
        if text.starts_with('/') {
            return Ok(Self {
                authority: None,
                user: None,
                target: format!("{}{text}", base.path()),
            });
        }
        let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
        if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
            return Err(format!(
                "`{scheme}` is not a scheme of the proxy; the URL must begin with http:// or https://"
            ));
        }
        let at = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at_checked(at).unwrap_or((rest, ""));
        let (user, authority) = match authority.rsplit_once('@') {
            Some((user, authority)) => (Some(user), authority),
            None => (None, authority),
        };
        if authority.is_empty() {
            return Err("the URL has no host".to_owned());
        }
        let user = user.map(|user| {
            percent_encoding::percent_decode_str(user)
                .decode_utf8_lossy()
                .into_owned()
        });
        Ok(Self {
            authority: Some(authority.to_owned()),
            user,
            target: match target {
                "" => "/".to_owned(),
                query if query.starts_with('?') => format!("/{query}"),
                path => path.to_owned(),
            },
        })
    }

    /// Encodes the characters that no client sends as they are. Gives whether there were any.
    pub(super) fn encode(&mut self) -> bool {
        let encoded = utf8_percent_encode(&self.target, TARGET).to_string();
        let changed = encoded != self.target;
        self.target = encoded;
        changed
    }

    /// Adds to the query.
    pub(super) fn add_query(&mut self, text: &str) {
        let joint = match self.target.split_once('?') {
            None => "?",
            Some((_, query)) if query.is_empty() || query.ends_with('&') => "",
            Some(_) => "&",
        };
        self.target.push_str(joint);
        self.target.push_str(text);
    }

    /// Removes `.` and `..` segments from the path (RFC 3986 section 5.2.4), also encoded ones, as curl does.
    pub(super) fn remove_dots(&mut self) {
        let (path, query) = match self.target.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (self.target.as_str(), None),
        };
        let mut kept: Vec<&str> = Vec::new();
        let mut segments = path.split('/').skip(1).peekable();
        while let Some(segment) = segments.next() {
            let plain = segment.to_ascii_lowercase().replace("%2e", ".");
            let is_last = segments.peek().is_none();
            match plain.as_str() {
                "." if is_last => kept.push(""),
                "." => {}
                ".." => {
                    kept.pop();
                    if is_last {
                        kept.push("");
                    }
                }
                _ => kept.push(segment),
            }
        }
        let path = format!("/{}", kept.join("/"));
        self.target = match query {
            Some(query) => format!("{path}?{query}"),
            None => path,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Url {
        Url::parse(text, &BaseUrl::parse("https://jira.example.com/ctx").unwrap()).unwrap()
    }

    #[test]
    fn urls_and_paths_are_read() {
        for (text, authority, target) in [
            (
                "https://jira.example.com/ctx/rest/a?b#c",
                Some("jira.example.com"),
                "/ctx/rest/a?b",
            ),
            ("127.0.0.1:8080/rest", Some("127.0.0.1:8080"), "/rest"),
            ("http://[::1]:80", Some("[::1]:80"), "/"),
            ("http://x?a=b", Some("x"), "/?a=b"),
            ("/rest/a", None, "/ctx/rest/a"),
        ] {
            let url = parsed(text);
            assert_eq!(
                (url.authority.as_deref(), url.target.as_str()),
                (authority, target),
                "{text}"
            );
        }
        assert_eq!(parsed("http://a%40b:c@x/").user.as_deref(), Some("a@b:c"));
        assert!(Url::parse("ftp://x/", &BaseUrl::parse("https://x").unwrap()).is_err());
        assert!(Url::parse("https:///x", &BaseUrl::parse("https://x").unwrap()).is_err());
    }

    #[test]
    fn dots_are_removed_as_curl_does() {
        for (given, expected) in [
            ("/a/../b", "/b"),
            ("/a/./b/.", "/a/b/"),
            ("/a/b/..", "/a/"),
            ("/../../a", "/a"),
            ("/a/%2E%2e/b?c=/../d", "/b?c=/../d"),
            ("/a//b", "/a//b"),
            ("/a/.../b", "/a/.../b"),
            ("/", "/"),
        ] {
            let mut url = parsed(&format!("https://x{given}"));
            url.remove_dots();
            assert_eq!(url.target, expected, "{given}");
        }
    }

    #[test]
    fn what_no_client_sends_is_encoded() {
        let mut url = parsed("https://x/a b?c=ü\"%20");
        assert!(url.encode());
        assert_eq!(url.target, "/a%20b?c=%C3%BC%22%20");
        assert!(!url.encode());
        url.add_query("d=1");
        assert_eq!(url.target, "/a%20b?c=%C3%BC%22%20&d=1");
    }
}
