//! A call, without its credentials.

use tokenward_compiler::BaseUrl;

use crate::curl::{self, Origin, Sent, Word};
use crate::request::MASKED_NAMES;

/// The largest number of calls in a file.
const MOST_CALLS: usize = 20_000;

/// Headers that are kept: they decide how the proxy reads the request.
const KEPT: [&str; 4] = [
    "content-type",
    "content-encoding",
    "x-http-method-override",
    "contextuser",
];

/// Names that are credentials in a client's file, in addition to those that the proxy masks, folded.
const ALSO_SECRET: [&str; 3] = ["auth", "osusername", "passphrase"];

/// Ends of names that are credentials, folded.
const SECRET_ENDS: [&str; 3] = ["password", "secret", "apikey"];

/// A call of a file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Call {
    /// The place in the file: `entry 3`, `line 7`, `"Folder / Name"`.
    pub(crate) place: String,
    /// The host and the port that the call went to, in lower case; None for a path.
    pub(crate) authority: Option<String>,
    pub(crate) method: String,
    /// The request target with its query, without credentials.
    pub(crate) target: String,
    /// The headers of [`KEPT`].
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// The calls of a file, and remarks on it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Calls {
    pub(crate) calls: Vec<Call>,
    pub(crate) notes: Vec<String>,
}

/// Whether the name of a parameter or of a member is that of a credential, however its words are joined.
pub(crate) fn is_secret_name(name: &str) -> bool {
    let last = name
        .rsplit(['.', ']', '['])
        .find(|part| !part.is_empty())
        .unwrap_or(name);
    let name = folded(last);
    ALSO_SECRET.contains(&name.as_str())
        || SECRET_ENDS.iter().any(|end| name.ends_with(end))
        || MASKED_NAMES.iter().any(|masked| folded(masked) == name)
}

/// The letters and digits of a name, in lower case.
fn folded(name: &str) -> String {
    let kept = name.chars().filter(char::is_ascii_alphanumeric);
    kept.map(|character| character.to_ascii_lowercase()).collect()
}

/// A request of a JSON file.
#[derive(Default)]
pub(super) struct Written {
    pub(super) place: String,
    pub(super) method: String,
    pub(super) url: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Option<String>,
}

impl Written {
    /// Reads the request as the client sends it.
    pub(super) fn call(self, base: &BaseUrl) -> Result<Call, String> {
        let at = |message: String| format!("{}: {message}", self.place);
        let method = if self.method.is_empty() {
            "GET".to_owned()
        } else {
            self.method.to_ascii_uppercase()
        };
        let mut words = vec!["curl".to_owned(), "--request".to_owned(), method];
        for (name, value) in &self.headers {
            if KEPT.iter().any(|kept| name.eq_ignore_ascii_case(kept)) && !value.trim().is_empty() {
                words.extend(["--header".to_owned(), format!("{name}: {value}")]);
            }
        }
        if let Some(body) = self.body {
            words.extend(["--data-raw".to_owned(), body]);
        }
        words.extend(["--url".to_owned(), self.url]);
        let words: Vec<Word> = words.iter().map(|word| Word::from(word.as_str())).collect();
        let sent = curl::read(&words, base, Origin::ARGUMENTS.without_files()).map_err(at)?;
        Ok(call(self.place, sent))
    }
}

/// A call without its credentials.
pub(super) fn call(place: String, sent: Sent) -> Call {
    let host = sent
        .headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("host"));
    let authority = host.map(|(_, value)| value.to_ascii_lowercase());
    let is_kept = |(name, _): &(String, String)| KEPT.iter().any(|kept| name.eq_ignore_ascii_case(kept));
    Call {
        place,
        authority,
        method: sent.method,
        target: without_credentials(&sent.target),
        headers: sent.headers.into_iter().filter(is_kept).collect(),
        body: sent.body,
    }
}

fn without_credentials(target: &str) -> String {
    let Some((path, query)) = target.split_once('?') else {
        return target.to_owned();
    };
    let is_kept = |pair: &&str| {
        let name = pair.split('=').next().unwrap_or_default();
        !is_secret_name(&percent_encoding::percent_decode_str(name).decode_utf8_lossy())
    };
    let kept: Vec<&str> = query
        .split('&')
        .filter(is_kept)
        .filter(|pair| !pair.is_empty())
        .collect();
    if kept.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{}", kept.join("&"))
    }
}

/// Adds a call, unless the file has too many.
pub(super) fn push(calls: &mut Calls, call: Call) -> Result<(), String> {
    if calls.calls.len() >= MOST_CALLS {
        return Err(format!(
            "the file has more than {MOST_CALLS} calls; split it, or leave repeated calls out"
        ));
    }
    calls.calls.push(call);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_that_the_proxy_masks_is_secret() {
        for name in MASKED_NAMES {
            assert!(is_secret_name(name), "{name}");
            assert!(
                is_secret_name(&format!("user[{}]", name.to_uppercase())),
                "{name}"
            );
        }
    }

    #[test]
    fn names_are_secret_however_their_words_are_joined() {
        for name in [
            "accessToken",
            "os_username",
            "user.newPassword",
            "X-API-Key",
            "passphrase",
        ] {
            assert!(is_secret_name(name), "{name}");
        }
        for name in ["key", "tokens", "author", "secretary", ""] {
            assert!(!is_secret_name(name), "{name}");
        }
    }
}
