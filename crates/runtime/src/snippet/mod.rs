//! A ready call with a token, in several languages: to a URL that the token may call, and a body where a line needs one.
//!
//! `sample` finds texts that a regexp matches, `witness` puts them together to calls and keeps the first that the proxy
//! would let through, the files named after languages write it down.

mod curl;
mod http;
mod javascript;
mod postman;
mod powershell;
mod python;
mod sample;
mod witness;

pub(crate) use witness::{Asked, Call, witness};

/// The environment variable that a snippet without the secret reads.
pub(crate) const VARIABLE: &str = "TOKENWARD_TOKEN";

/// What a snippet is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Language {
    /// curl, for a POSIX shell
    Curl,
    /// JavaScript, for Node 18 and later: a module (.mjs)
    Javascript,
    /// Python 3, its standard library alone
    Python,
    /// PowerShell 5.1 and later
    Powershell,
    /// A .http file, for editors and httpyac
    Http,
    /// A Postman collection, version 2.1
    Postman,
}

/// How the call authenticates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// This user's name, and the secret.
    Basic(String),
    /// The secret.
    Bearer,
}

/// Where the secret stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Secret {
    /// In the snippet.
    Shown(String),
    /// In the environment, under [`VARIABLE`].
    Environment,
}

/// All that a snippet says.
#[derive(Debug)]
pub(crate) struct Snippet<'c> {
    /// The token's name.
    pub(crate) token: &'c str,
    pub(crate) call: &'c Call,
    pub(crate) scheme: Scheme,
    pub(crate) secret: Secret,
}

impl Snippet<'_> {
    /// The text, with a line end.
    pub(crate) fn text(&self, language: Language) -> String {
        match language {
            Language::Curl => curl::text(self),
            Language::Javascript => javascript::text(self),
            Language::Python => python::text(self),
            Language::Powershell => powershell::text(self),
            Language::Http => http::text(self),
            Language::Postman => postman::text(self),
        }
    }
}

/// The text in double quotes with escapes, as JSON, JavaScript and Python read it.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// JSON in which no `{{` stands, which .http files and Postman take for a variable. It stands in strings alone.
fn without_variables(json: &str) -> String {
    json.replace("{{", "{\\u007b")
}

#[cfg(test)]
mod tests;
