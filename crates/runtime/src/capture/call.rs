//! A call, without its credentials.

use tokenward_compiler::BaseUrl;
use tokenward_pdp::curl::{self, Origin, Sent, Word};

use super::credential::without_credentials;
use super::secrets::Secrets;

/// The largest number of calls in a file.
const MOST_CALLS: usize = 20_000;

/// Headers that are kept: they decide how the proxy reads the request.
const KEPT: [&str; 4] = [
    "content-type",
    "content-encoding",
    "x-http-method-override",
    "contextuser",
];

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
    /// Values of credentials in the file.
    pub(crate) secrets: Secrets,
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
    pub(super) fn call(self, base: &BaseUrl, out: &mut Calls) -> Result<Call, String> {
        let at = |message: String| format!("{}: {message}", self.place);
        let method = if self.method.is_empty() {
            "GET".to_owned()
        } else {
            self.method.to_ascii_uppercase()
        };
        let mut words = vec!["curl".to_owned(), "--request".to_owned(), method];
        for (name, value) in &self.headers {
            out.secrets.add_header(name, value);
            if is_kept_header(name) && !value.trim().is_empty() {
                words.extend(["--header".to_owned(), format!("{name}: {value}")]);
            }
        }
        if let Some(body) = self.body {
            words.extend(["--data-raw".to_owned(), body]);
        }
        words.extend(["--url".to_owned(), self.url]);
        let words: Vec<Word> = words.iter().map(|word| Word::from(word.as_str())).collect();
        let sent = curl::read(&words, base, Origin::ARGUMENTS.without_files()).map_err(at)?;
        Ok(call(self.place, sent, out))
    }
}

/// Whether a header is kept, since it decides how the proxy reads the request.
pub(super) fn is_kept_header(name: &str) -> bool {
    KEPT.iter().any(|kept| name.trim().eq_ignore_ascii_case(kept))
}

/// A call without its credentials, whose values are remembered.
pub(super) fn call(place: String, sent: Sent, out: &mut Calls) -> Call {
    for (name, value) in &sent.headers {
        out.secrets.add_header(name, value);
    }
    out.secrets.add_query(&sent.target);
    out.secrets.add_body(&sent.headers, &sent.body);
    let host = sent
        .headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("host"));
    let authority = host.map(|(_, value)| value.to_ascii_lowercase());
    Call {
        place,
        authority,
        method: sent.method,
        target: without_credentials(&sent.target),
        headers: sent
            .headers
            .into_iter()
            .filter(|(name, _)| is_kept_header(name))
            .collect(),
        body: sent.body,
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
