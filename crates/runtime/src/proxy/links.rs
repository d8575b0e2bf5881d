//! Makes links to the upstream's own origin in JSON responses public (SEMANTICS section 5). Off by default, since it
//! changes bodies.
//!
//! The search works on text: the beginning of a URL, with `/` or JSON's `\/`, in any letter case. The text held back
//! between two pieces of a body is shorter than the longest searched text.

use std::sync::Arc;

use tokenward_compiler::BaseUrl;

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
