//! Makes links to the upstream's own origin in JSON responses public (SEMANTICS section 5). Off by default, since it
//! changes bodies.
//!
//! The search works on text: the beginning of a URL, with `/` or JSON's `\/`, in any letter case. The text held back
//! between two pieces of a body is shorter than the longest searched text.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::HeaderValue;
use tokenward_compiler::BaseUrl;
use tokenward_pdp::buffers::ByteBuffer;

/// Pairs of searched text and replacement, longest first.
#[derive(Clone, Debug)]
pub(super) struct LinkTexts(Arc<[(Vec<u8>, Vec<u8>)]>);

impl LinkTexts {
    /// Makes the texts for an upstream with these addresses (each `host` or `host:port`) and this context path.
    pub(super) fn new(scheme: &str, authorities: &[&str], path: &str, public: &BaseUrl) -> Self {
        let own_port = if scheme == "https" { ":443" } else { ":80" };
        let mut texts = Vec::new();
        for authority in authorities {
            let bare = authority.strip_suffix(own_port).unwrap_or(authority);
            let has_port = bare.trim_end_matches(|c: char| c.is_ascii_digit()).ends_with(':');
            let ports = ["", own_port];
            for port in ports.iter().take(if has_port { 1 } else { 2 }) {
                let origin = format!("{scheme}://{bare}{port}");
                texts.push((format!("{origin}{path}"), public.to_string()));
                texts.push((origin, public.origin().to_owned()));
            }
        }
        let escaped = |text: &str| text.replace('/', "\\/");
        let mut all: Vec<(Vec<u8>, Vec<u8>)> = texts
            .iter()
            .flat_map(|(from, to)| [(from.clone(), to.clone()), (escaped(from), escaped(to))])
            .map(|(from, to)| (from.to_ascii_lowercase().into_bytes(), to.into_bytes()))
            .collect();
        all.sort_by_key(|(from, _)| std::cmp::Reverse(from.len()));
        all.dedup_by(|a, b| a.0 == b.0);
        Self(all.into())
    }
}

/// Maximum number of bytes of a body in which [`Watch`] looks for the upstream's address.
const WATCHED: usize = 256 * 1024;

/// Looks for the upstream's own address in a body that is not changed.
#[derive(Clone, Debug)]
pub(super) struct Watch {
    texts: LinkTexts,
    /// The last bytes of the pieces so far, in which a text may have begun.
    tail: ByteBuffer,
    left: usize,
    reports: Arc<Reports>,
}

/// The warnings that were already written to the log.
#[derive(Debug, Default)]
struct Reports {
    shown: AtomicBool,
    rewritten: AtomicBool,
}

impl Watch {
    /// Makes the watch of an upstream; `None` if its own address is the public one.
    pub(super) fn new(texts: LinkTexts) -> Option<Self> {
        let differs = |(from, to): &(Vec<u8>, Vec<u8>)| !to.eq_ignore_ascii_case(from);
        texts.0.iter().any(differs).then(|| Self {
            texts,
            tail: ByteBuffer::default(),
            left: WATCHED,
            reports: Arc::default(),
        })
    }

    /// Whether the address occurs in these bytes, which follow those of the calls before. Stops at 256 KiB of a body.
    pub(super) fn finds(&mut self, bytes: &[u8]) -> bool {
        let bytes = bytes.get(..self.left).unwrap_or(bytes);
        self.left -= bytes.len();
        let longest = self.texts.0.first().map_or(0, |(from, _)| from.len());
        // Across the border of two pieces, then within the piece.
        let border = bytes.get(..longest + 1).unwrap_or(bytes);
        let before = self.tail.len();
        self.tail.extend_from_slice(border);
        let found = before > 0 && occurs(&self.texts, &self.tail) || occurs(&self.texts, bytes);
        if bytes.len() > longest {
            self.tail.clear();
            self.tail
                .extend_from_slice(bytes.get(bytes.len() - longest..).unwrap_or_default());
        } else {
            let spent = self.tail.len().saturating_sub(longest);
            self.tail.drain(..spent);
        }
        found
    }

    /// Whether the address occurs in the value of a header.
    pub(super) fn is_in(&self, value: &HeaderValue) -> bool {
        let value = value.as_bytes();
        // Few values have a URL.
        let has_url = memchr::memchr_iter(b':', value).any(|at| value.get(at..at + 3) == Some(b"://"));
        has_url && occurs(&self.texts, &[value, b" "].concat())
    }

    /// Writes to the log how to keep clients at the proxy, once for all responses. `rewriting` tells whether links in JSON are
    /// rewritten.
    pub(super) fn report(&self, rewriting: bool) {
        if !self.reports.shown.swap(true, Ordering::Relaxed) {
            let remedy = if rewriting {
                REMEDY
            } else {
                "set `rewrite_links = true` in [answers] to rewrite links in JSON, or configure the public URL as the base URL of the \
                 upstream"
            };
            tracing::warn!(
                remedy,
                "a response shows the upstream's own address, so clients may bypass the proxy; further responses are only counted \
                 (tokenward_upstream_address_shown_total)"
            );
        }
    }

    /// Writes to the log that the upstream takes its own address for the public one, once for all responses.
    pub(super) fn report_rewritten(&self) {
        if !self.reports.rewritten.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                remedy = REMEDY,
                "a redirect or link in a header named the upstream's own address, and was rewritten to the public URL"
            );
        }
    }
}

/// How the upstream learns the URL that clients call.
const REMEDY: &str = "configure the public URL as the base URL of the upstream";

/// Whether one of the texts that are not public occurs, followed by a byte that ends it.
fn occurs(texts: &LinkTexts, bytes: &[u8]) -> bool {
    let mut rest = bytes;
    while let Some(at) = memchr::memchr2(b'h', b'H', rest) {
        let (_, from) = rest.split_at_checked(at).unwrap_or_default();
        let is_shown = |(text, public): &(Vec<u8>, Vec<u8>)| {
            let ends = from.get(text.len()).is_some_and(|after| !goes_on(*after));
            let begin = from.get(..text.len()).unwrap_or_default();
            ends && begin.eq_ignore_ascii_case(text) && !public.eq_ignore_ascii_case(text)
        };
        if texts.0.iter().any(is_shown) {
            return true;
        }
        rest = from.get(1..).unwrap_or_default();
    }
    false
}

/// State of the replacement in one body.
#[derive(Debug)]
pub(super) struct Links {
    texts: LinkTexts,
    held: Vec<u8>,
}

/// Result of the search at one position.
enum Found<'t> {
    Text(usize, &'t [u8]),
    /// More bytes are needed to decide.
    Perhaps,
    Nothing,
}

impl Links {
    /// Makes the state in front of the body's first byte.
    pub(super) fn new(texts: &LinkTexts) -> Self {
        Self {
            texts: texts.clone(),
            held: Vec::new(),
        }
    }

    /// Gives the bytes that can be forwarded after these have arrived.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.held.extend_from_slice(bytes);
        self.pass(false)
    }

    /// Gives the remaining bytes at the body's end.
    pub(super) fn finish(&mut self) -> Vec<u8> {
        self.pass(true)
    }

    fn pass(&mut self, at_end: bool) -> Vec<u8> {
        let held = std::mem::take(&mut self.held);
        let mut out = Vec::with_capacity(held.len() + 64);
        let mut rest = held.as_slice();
        while let Some(at) = rest.iter().position(|byte| matches!(byte, b'h' | b'H')) {
            let (before, from) = rest.split_at_checked(at).unwrap_or((rest, &[]));
            out.extend_from_slice(before);
            rest = from;
            match self.at(rest, at_end) {
                Found::Text(length, to) => {
                    out.extend_from_slice(to);
                    rest = rest.get(length..).unwrap_or_default();
                }
                Found::Perhaps => {
                    self.held = rest.to_vec();
                    return out;
                }
                Found::Nothing => {
                    out.extend_from_slice(rest.get(..1).unwrap_or_default());
                    rest = rest.get(1..).unwrap_or_default();
                }
            }
        }
        out.extend_from_slice(rest);
        out
    }

    fn at(&self, rest: &[u8], at_end: bool) -> Found<'_> {
        for (from, to) in self.texts.0.iter() {
            let common = from.len().min(rest.len());
            let alike = rest
                .get(..common)
                .zip(from.get(..common))
                .is_some_and(|(given, from)| given.eq_ignore_ascii_case(from));
            match (alike, rest.get(from.len())) {
                (true, Some(after)) if !goes_on(*after) => return Found::Text(from.len(), to),
                (true, None) if !at_end => return Found::Perhaps,
                (true, None) if rest.len() == from.len() => return Found::Text(from.len(), to),
                _ => {}
            }
        }
        Found::Nothing
    }
}

/// Whether the byte would continue the host, the port or the path's first segment.
fn goes_on(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || !byte.is_ascii() || b"-._~:@%".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links(public: &str) -> Links {
        let public = BaseUrl::parse(public).unwrap();
        Links::new(&LinkTexts::new(
            "http",
            &["10.0.0.7:8080", "jira.internal"],
            "/ctx",
            &public,
        ))
    }

    #[track_caller]
    fn check(body: &str, expected: &str) {
        for size in [1, 2, 3, 7, 1000] {
            let mut links = links("https://jira.example.com/jira");
            let mut out = Vec::new();
            for piece in body.as_bytes().chunks(size) {
                out.extend(links.push(piece));
                assert!(links.held.len() < 64, "{}", links.held.len());
            }
            out.extend(links.finish());
            assert_eq!(String::from_utf8(out).unwrap(), expected, "{size}");
        }
    }

    #[test]
    fn links_to_the_upstream_become_public() {
        check(
            r#"{"self":"http://10.0.0.7:8080/ctx/rest/1","next":"HTTP://Jira.Internal/ctx","x":"http://jira.internal:80/ctx?a"}"#,
            r#"{"self":"https://jira.example.com/jira/rest/1","next":"https://jira.example.com/jira","x":"https://jira.example.com/jira?a"}"#,
        );
        check(
            r#"["http:\/\/10.0.0.7:8080\/ctx\/rest","http:\/\/10.0.0.7:8080\/"]"#,
            r#"["https:\/\/jira.example.com\/jira\/rest","https:\/\/jira.example.com\/"]"#,
        );
        // Outside the context path only the origin is replaced.
        check(
            r#""http://10.0.0.7:8080/ctx2/a""#,
            r#""https://jira.example.com/ctx2/a""#,
        );
        check("http://jira.internal", "https://jira.example.com");
    }

    #[test]
    fn an_address_is_found_across_pieces_and_only_where_it_is_not_public() {
        let texts = |public: &str| {
            let public = BaseUrl::parse(public).unwrap();
            LinkTexts::new("http", &["10.0.0.7:8080"], "/ctx", &public)
        };
        let shown = r#"{"a":"hello","next":"HTTP://10.0.0.7:8080/ctx/x"}"#;
        for size in [1, 2, 7, 30, 1000] {
            let found = |body: &str| {
                let mut watch = Watch::new(texts("https://jira.example.com/jira")).unwrap();
                body.as_bytes().chunks(size).any(|piece| watch.finds(piece))
            };
            assert!(found(shown) && found(r#""http:\/\/10.0.0.7:8080\/""#), "{size}");
            assert!(
                !found(r#""http://10.0.0.7:80801/ctx""#) && !found("http"),
                "{size}"
            );
            assert!(!found(&format!("{}{shown}", " ".repeat(WATCHED))), "{size}");
        }
        assert!(Watch::new(texts("http://10.0.0.7:8080/ctx")).is_none());
    }

    #[test]
    fn what_only_looks_so_stays() {
        for body in [
            r#""http://10.0.0.7:80801/ctx""#,
            r#""http://10.0.0.7/ctx""#,
            r#""http://jira.internal.evil.test/ctx""#,
            r#""http://jira.internal:8080/""#,
            r#""http://jira.internal@evil.test/""#,
            r#""https://jira.internal/ctx""#,
            r#""hhttp://x""#,
            "http://10.0.0.7:8",
            "h",
        ] {
            check(body, body);
        }
    }
}
