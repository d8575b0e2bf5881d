//! Values of credentials: those that a file has, and those of known forms.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use regex::RegexSet;

use super::credential::{is_secret_member, is_secret_name};

/// The forms of secrets of Tokenward and of other products.
const FORMS: &[&str] = &[
    r"twd_[0-9a-z]{8,}",
    // GitHub and GitLab.
    r"gh[pousr]_[A-Za-z0-9]{16,}",
    r"github_pat_[A-Za-z0-9_]{16,}",
    r"gl(pat|dt|rt|ft|soat|cbt|ptt|agent|oas)-[A-Za-z0-9_-]{12,}",
    // Slack.
    r"xox[a-z]-[A-Za-z0-9-]{8,}",
    r"xapp-[A-Za-z0-9-]{8,}",
    // Amazon, Google, and other clouds.
    r"\b(AKIA|ASIA|ABIA|ACCA|AGPA|AROA)[A-Z0-9]{12,}",
    r"AIza[A-Za-z0-9_-]{30,}",
    r"ya29\.[A-Za-z0-9_-]{16,}",
    r"dop_v1_[a-f0-9]{32,}",
    r"hvs\.[A-Za-z0-9_-]{16,}",
    // Atlassian.
    r"ATATT[A-Za-z0-9_=-]{16,}",
    r"ATCTT[A-Za-z0-9_=-]{16,}",
    r"ATBB[A-Za-z0-9_=-]{16,}",
    r"BBDC-[A-Za-z0-9+/_-]{16,}",
    // Payment, mail, packages, models.
    r"\b[rsp]k_(live|test)_[A-Za-z0-9]{10,}",
    r"\bsk-[A-Za-z0-9_-]{16,}",
    r"\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}",
    r"npm_[A-Za-z0-9]{30,}",
    r"pypi-[A-Za-z0-9_-]{40,}",
    r"hf_[A-Za-z0-9]{30,}",
    // JSON Web Tokens and keys in PEM.
    r"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}",
    r"-----BEGIN [A-Z0-9 ]+-----",
    // Headers of credentials, and URLs with a password.
    r"(?i)\b(bearer|basic)\s+[A-Za-z0-9+/_.=-]{16,}",
    r"(?i)\b[a-z][a-z0-9+.-]*://[^/\s:@]+:[^/\s@]+@",
];

/// The shortest value that is looked for anywhere in texts; shorter ones only where a word begins and ends.
const WITHIN: usize = 8;

/// The shortest value that is compared at all.
const SHORTEST: usize = 4;

/// Credentials of a file, by their values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Secrets {
    values: BTreeSet<String>,
}

impl Secrets {
    /// Adds the credentials of another file.
    pub(crate) fn extend(&mut self, other: Self) {
        self.values.extend(other.values);
    }

    /// Adds a credential.
    pub(super) fn add(&mut self, value: &str) {
        let value = value.trim().trim_matches(['"', '\'']);
        let is_variable = value.starts_with('$') || value.contains("{{");
        if value.chars().count() >= SHORTEST && !is_variable {
            self.values.insert(value.to_owned());
        }
    }

    /// Adds a value if its name is that of a credential.
    pub(super) fn add_named(&mut self, name: &str, value: &str) {
        let last = name.rsplit('_').next().unwrap_or(name);
        if is_secret_name(name) || is_secret_name(last) {
            self.add(value);
        }
    }

    /// Adds the credentials of a header.
    pub(super) fn add_header(&mut self, name: &str, value: &str) {
        let name = name.trim();
        if name.eq_ignore_ascii_case("authorization") || name.eq_ignore_ascii_case("proxy-authorization") {
            let (scheme, rest) = value.trim().split_once(' ').unwrap_or(("", value));
            self.add(rest);
            let decoded = STANDARD.decode(rest.trim()).unwrap_or_default();
            if scheme.eq_ignore_ascii_case("basic")
                && let Ok(decoded) = String::from_utf8(decoded)
                && let Some((_, password)) = decoded.split_once(':')
            {
                self.add(password);
            }
        } else if name.eq_ignore_ascii_case("cookie") {
            for pair in value.split(';') {
                let (name, value) = pair.trim().split_once('=').unwrap_or(("", pair));
                if is_secret_name(name) || value.len() >= WITHIN {
                    self.add(value);
                }
            }
        } else if is_secret_name(name) {
            self.add(value);
        }
    }

    /// Adds the credentials of a query.
    pub(super) fn add_query(&mut self, target: &str) {
        let Some((_, query)) = target.split_once('?') else {
            return;
        };
        let decoded = |text: &str| {
            let text = text.replace('+', " ");
            percent_encoding::percent_decode_str(&text)
                .decode_utf8_lossy()
                .into_owned()
        };
        for pair in query.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (decoded(name), decoded(value));
            if is_secret_member(&name, &value) {
                self.add(&value);
            }
        }
    }

    /// Adds the credentials of a body, since a call that has one in its query may follow.
    pub(super) fn add_body(&mut self, headers: &[(String, String)], body: &[u8]) {
        let Ok(text) = std::str::from_utf8(body) else {
            return;
        };
        let is_form = headers.iter().any(|(name, value)| {
            name.eq_ignore_ascii_case("content-type")
                && value
                    .trim_start()
                    .to_ascii_lowercase()
                    .starts_with("application/x-www-form-urlencoded")
        });
        // A client may send JSON with any type, so the content decides.
        match serde_json::from_str(text) {
            Ok(value) => self.add_members("", &value),
            Err(_) if is_form => self.add_query(&format!("?{text}")),
            Err(_) => {}
        }
    }

    /// Adds the values of members whose names, or the names around them, are those of credentials.
    fn add_members(&mut self, name: &str, value: &serde_json::Value) {
        use serde_json::Value;
        match value {
            Value::String(text) if is_secret_member(name, text) => self.add(text),
            Value::Number(number) if is_secret_name(name) => self.add(&number.to_string()),
            Value::Array(values) => {
                for value in values {
                    self.add_members(name, value);
                }
            }
            Value::Object(members) => {
                let text = |key: &str| members.get(key).and_then(Value::as_str);
                if let (Some(name), Some(value)) = (text("name").or_else(|| text("key")), text("value")) {
                    self.add_named(name, value);
                }
                for (key, value) in members {
                    match name.is_empty() {
                        true => self.add_members(key, value),
                        false => self.add_members(&format!("{name}.{key}"), value),
                    }
                }
            }
            _ => {}
        }
    }

    /// Whether a text contains a credential.
    pub(crate) fn are_in(&self, text: &str) -> bool {
        has_form(text)
            || self.values.contains(text)
            || self.values.iter().any(|value| match value.len() >= WITHIN {
                true => text.contains(value.as_str()),
                false => has_word(text, value),
            })
    }

    /// Whether a parameter or a member has a credential: by its name, or by its value.
    pub(crate) fn hide(&self, name: &str, value: &str) -> bool {
        is_secret_member(name, value) || self.are_in(value)
    }
}

/// Whether a text has a value where no letter and no digit is next to it: short values are parts of other words by chance.
fn has_word(text: &str, value: &str) -> bool {
    text.match_indices(value).any(|(at, found)| {
        let before = text.get(..at).and_then(|before| before.chars().next_back());
        let after = text
            .get(at + found.len()..)
            .and_then(|after| after.chars().next());
        ![before, after].into_iter().flatten().any(char::is_alphanumeric)
    })
}

/// Whether a text contains a secret of a known form.
pub(crate) fn has_form(text: &str) -> bool {
    static FORMS_READ: OnceLock<Option<RegexSet>> = OnceLock::new();
    let forms = FORMS_READ.get_or_init(|| RegexSet::new(FORMS).ok());
    forms.as_ref().is_none_or(|forms| forms.is_match(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_of_known_forms_are_found_anywhere() {
        for secret in [
            "ghp_0123456789abcdefghijABCDEFGHIJ012345",
            "github_pat_11AAAAAAA0123456789_abcdef",
            "glpat-abcdefghij0123456789",
            "xoxb-1234567890-abcdef",
            "xoxp-1234567890-abcdef",
            "AKIAIOSFODNN7EXAMPLE",
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc",
            "-----BEGIN RSA PRIVATE KEY-----",
            "twd_abcdefghijklmnopqrstuvwxyz012345z592xh",
            "https://user:hunter2@example.com/",
            "Bearer abcdefghijklmnop",
        ] {
            assert!(has_form(&format!("text {secret} more")), "{secret}");
        }
        for text in [
            "",
            "KANBAN-7",
            "basic authentication",
            "a Bearer",
            "https://example.com/a:b@c",
            "AKIA",
            "eyJ",
        ] {
            assert!(!has_form(text), "{text}");
        }
    }

    #[test]
    fn credentials_of_bodies_are_known_by_their_values() {
        let mut secrets = Secrets::default();
        let json = br#"{"token":"hunter2x","user":"someone","a":[{"password":"swordfish"}],
            "fields":[{"name":"api_key","value":"abcdefgh12"}],"credentials":{"of":"someoneelse"}}"#;
        secrets.add_body(&[], json);
        let form = [(
            "Content-Type".to_owned(),
            "application/x-www-form-urlencoded".to_owned(),
        )];
        secrets.add_body(&form, b"page=10000000&client_secret=form%2Bvalue");
        for text in ["hunter2x", "swordfish", "abcdefgh12", "someoneelse", "form+value"] {
            assert!(secrets.are_in(text), "{text}");
        }
        for text in ["someone", "10000000", "api_key"] {
            assert!(!secrets.are_in(text), "{text}");
        }
    }

    #[test]
    fn credentials_of_headers_are_known_by_their_values() {
        let mut secrets = Secrets::default();
        secrets.add_header(
            "Authorization",
            &format!("Basic {}", STANDARD.encode("svc:hunter2")),
        );
        secrets.add_header("Cookie", "theme=dark; JSESSIONID=ABCDEF0123456789; lang=en");
        secrets.add_header("X-Api-Key", "abcdefgh12");
        secrets.add_query("/a?access_token=tok%2Babc1234&page=10000000");
        for text in [
            "hunter2",
            "x hunter2 y",
            "svc:hunter2",
            "ABCDEF0123456789",
            "xABCDEF0123456789x",
            "abcdefgh12",
            "tok+abc1234",
        ] {
            assert!(secrets.are_in(text), "{text}");
        }
        for text in ["dark", "en", "svc", "10000000", "hunter20"] {
            assert!(!secrets.are_in(text), "{text}");
        }
    }
}
