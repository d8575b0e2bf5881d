//! The parts of a tried request that a test of the policy may have. A test is committed, so that whoever reads the policy reads it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokenward_pdp::explain::{Judge, Question, Report};

/// Header fields whose values are no secrets. All others could be: a cookie, a key of an API, credentials.
const PLAIN: [&str; 2] = ["content-type", "accept"];

/// The mask of a secret in a shown URL.
const MASKS: [&str; 2] = ["***", "*dropped*"];

/// A request that may be committed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Kept {
    /// Method and path.
    pub(super) request: String,
    /// Header fields, as `Name: value`.
    pub(super) headers: Vec<String>,
    /// The body; empty if there is none.
    pub(super) body: String,
    /// The user, if the question or its credentials name one.
    pub(super) user: Option<String>,
}

/// The request as a test has it. It is written from what the proxy would read, not from the pasted text, since a command may have
/// secrets in options that are not sent.
pub(super) fn kept(judge: &Judge<'_>, question: &Question, report: &Report) -> Option<Kept> {
    let body = String::from_utf8(STANDARD.decode(&question.body).ok()?).ok()?;
    let base = judge.rules.base();
    let kept = Kept {
        request: format!("{} {}{}", question.method, base.origin(), question.target),
        headers: plain(&question.headers, base.authority())?,
        body,
        user: question.user.clone(),
    };
    let read = judge.read(question)?;
    let is_masked = |text: &str| judge.masked(text, &read) != text;
    let has_secret = MASKS.iter().any(|mask| report.url.contains(mask))
        || is_masked(&kept.request)
        || is_masked(&kept.body);
    (!has_secret).then_some(kept)
}

/// The header fields without those that every test has; `None` if another one could be secret.
fn plain(headers: &[(String, String)], authority: &str) -> Option<Vec<String>> {
    let mut plain = Vec::new();
    for (name, value) in headers {
        match (name.to_ascii_lowercase().as_str(), value.as_str()) {
            ("content-length", _) | ("user-agent", "curl/8") | ("accept", "*/*") => {}
            ("host", host) if host == authority => {}
            (lower, _) if PLAIN.contains(&lower) => plain.push(format!("{name}: {value}")),
            _ => return None,
        }
    }
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_header_fields_are_kept() {
        let with = |name: &str, value: &str| {
            let own = [
                ("Host", "jira.example.com"),
                ("User-Agent", "curl/8"),
                ("Accept", "*/*"),
            ];
            let all = own.into_iter().chain([(name, value)]);
            let all = all.map(|(name, value)| (name.to_owned(), value.to_owned()));
            plain(&all.collect::<Vec<_>>(), "jira.example.com")
        };
        assert_eq!(
            with("content-type", "application/json"),
            Some(vec!["content-type: application/json".to_owned()])
        );
        assert_eq!(with("Content-Length", "5"), Some(Vec::new()));
        for name in [
            "Cookie",
            "X-Api-Key",
            "Authorization",
            "Referer",
            "User-Agent",
            "Host",
        ] {
            assert_eq!(with(name, "secret"), None, "{name}");
        }
    }
}
