//! Calls that a client made or makes, from files: HAR archives, Postman collections, and scripts with curl commands.
//!
//! Credentials are dropped while a file is read: only headers that decide how a body is read are kept, and parameters with the name
//! of a credential are removed.

mod har;
mod postman;
mod script;

use tokenward_compiler::BaseUrl;

use crate::curl::{self, Origin, Sent, Word};

/// The largest file, in bytes. Archives hold the responses too.
pub(crate) const LARGEST: u64 = 256 << 20;

/// The largest number of calls in a file.
const MOST_CALLS: usize = 20_000;

/// Headers that are kept: they decide how the proxy reads the request.
const KEPT: [&str; 4] = [
    "content-type",
    "content-encoding",
    "x-http-method-override",
    "contextuser",
];

/// Names of parameters and members that hold a credential, folded.
const SECRET: [&str; 22] = [
    "accesstoken",
    "apikey",
    "apitoken",
    "assertion",
    "auth",
    "authorization",
    "authtoken",
    "clientsecret",
    "idtoken",
    "jwt",
    "ospassword",
    "osusername",
    "passphrase",
    "passwd",
    "password",
    "privatetoken",
    "refreshtoken",
    "secret",
    "sig",
    "signature",
    "token",
    "xamzsignature",
];

const UNKNOWN: &str = "this is neither a HAR archive nor a Postman collection; give one of these, or a script with curl commands";

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

/// Reads the calls of a file by its content: JSON is an archive or a collection, other text is a script.
///
/// # Errors
/// The file cannot be read as calls; the text names the place and the cure.
pub(crate) fn read(bytes: &[u8], base: &BaseUrl) -> Result<Calls, String> {
    if bytes.starts_with(&[0x1f, 0x8b]) || bytes.starts_with(b"PK\x03\x04") {
        return Err("the file is compressed; unpack it first".to_owned());
    }
    let text =
        std::str::from_utf8(bytes).map_err(|_| "the file is not UTF-8 text; export it as JSON".to_owned())?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let calls = if text.trim_start().starts_with(['{', '[']) {
        json(text, base)?
    } else {
        script::read(text, base)?
    };
    if calls.calls.is_empty() {
        let note = calls
            .notes
            .first()
            .map_or_else(String::new, |note| format!(" ({note})"));
        return Err(format!(
            "the file has no calls{note}; give a HAR archive, a Postman collection or a script with curl commands"
        ));
    }
    Ok(calls)
}

/// Whether the name of a parameter or of a member is that of a credential.
pub(crate) fn is_secret_name(name: &str) -> bool {
    let last = name
        .rsplit(['.', ']', '['])
        .find(|part| !part.is_empty())
        .unwrap_or(name);
    let folded: String = last
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    SECRET.contains(&folded.as_str())
        || ["password", "secret", "apikey"]
            .iter()
            .any(|end| folded.ends_with(end))
}

fn json(text: &str, base: &BaseUrl) -> Result<Calls, String> {
    let syntax = |error: serde_json::Error| {
        if error.is_data() {
            return UNKNOWN.to_owned();
        }
        format!(
            "line {}, column {}: not valid JSON; export the file again",
            error.line().max(1),
            error.column().max(1)
        )
    };
    let probe: Probe = serde_json::from_str(text).map_err(syntax)?;
    match probe {
        Probe { log: Some(_), .. } => har::read(text, base),
        Probe { item: Some(_), .. } => postman::read(text, base),
        Probe {
            requests: Some(_), ..
        } => Err("this is a Postman collection of version 1; export it as version 2.1".to_owned()),
        Probe { openapi: Some(_), .. } | Probe { swagger: Some(_), .. } => {
            Err("this is a description of an API and has no calls; give it with --openapi".to_owned())
        }
        _ => Err(UNKNOWN.to_owned()),
    }
}

/// The keys by which kinds of files differ.
#[derive(serde::Deserialize)]
struct Probe {
    log: Option<serde::de::IgnoredAny>,
    item: Option<serde::de::IgnoredAny>,
    requests: Option<serde::de::IgnoredAny>,
    openapi: Option<serde::de::IgnoredAny>,
    swagger: Option<serde::de::IgnoredAny>,
}

/// A request of a JSON file.
#[derive(Default)]
struct Written {
    place: String,
    method: String,
    url: String,
    headers: Vec<(String, String)>,
    body: Option<String>,
}

impl Written {
    /// Reads the request as the client sends it.
    fn call(self, base: &BaseUrl) -> Result<Call, String> {
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
fn call(place: String, sent: Sent) -> Call {
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
fn push(calls: &mut Calls, call: Call) -> Result<(), String> {
    if calls.calls.len() >= MOST_CALLS {
        return Err(format!(
            "the file has more than {MOST_CALLS} calls; split it, or leave repeated calls out"
        ));
    }
    calls.calls.push(call);
    Ok(())
}
