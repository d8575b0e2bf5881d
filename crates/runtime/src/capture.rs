//! Calls that a client made or makes, from files: HAR archives, Postman collections, and scripts with curl commands.
//!
//! Credentials are dropped while a file is read: only headers that decide how a body is read are kept, and parameters with the name
//! of a credential are removed.

mod call;
mod credential;
mod har;
mod postman;
mod script;
mod secrets;
mod shell;

use tokenward_compiler::BaseUrl;

pub(crate) use call::{Call, Calls};
pub(crate) use credential::is_secret_member;
pub(crate) use secrets::Secrets;

/// The largest file, in MiB. Archives hold the responses too.
pub(crate) const LARGEST_MIB: u64 = 256;

const UNKNOWN: &str = "this is neither a HAR archive nor a Postman collection; give one of these, or a script with curl commands";

/// Reads the calls of a file by its content: JSON is an archive or a collection, other text is a script.
///
/// # Errors
/// The file cannot be read as calls; the text names the place and the cure.
pub(crate) fn read(bytes: &[u8], base: &BaseUrl) -> Result<Calls, String> {
    if bytes.starts_with(&[0x1f, 0x8b]) || bytes.starts_with(b"PK\x03\x04") {
        return Err("the file is compressed; unpack it first".to_owned());
    }
    let text =
        std::str::from_utf8(bytes).map_err(|_| "the file is not UTF-8 text; save it as UTF-8, and put binary bodies into files that the commands name".to_owned())?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let calls = if is_json(text) {
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

/// Whether a text is JSON: a script may begin with `{` and `[` too, as a group of commands or a test.
fn is_json(text: &str) -> bool {
    let text = text.trim_start();
    let Some(inner) = text.strip_prefix(['{', '[']) else {
        return false;
    };
    let inner = inner.trim_start();
    !text.starts_with("[[") && (inner.is_empty() || inner.starts_with(['"', '{', '[', ']', '}']))
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

#[cfg(test)]
mod tests {
    use super::is_json;

    #[test]
    fn scripts_that_begin_like_json_are_scripts() {
        for text in [
            "{ curl -s /a; }",
            "[ -n \"$X\" ] && curl /a",
            "[[ -n $X ]] && curl /a",
            "curl /a",
        ] {
            assert!(!is_json(text), "{text}");
        }
        for text in ["{}", " {\n  \"log\": {}}", "[{}]", "[ ]"] {
            assert!(is_json(text), "{text}");
        }
    }
}
