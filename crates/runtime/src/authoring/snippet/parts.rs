//! Parts of a snippet: the call, the secret and its scheme.

use super::witness::Call;

/// The environment variable that a snippet without the secret reads.
pub(crate) const VARIABLE: &str = "TOKENWARD_TOKEN";

/// Authentication scheme of the call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// Basic authentication with this user's name and the secret.
    Basic(String),
    /// Bearer authentication with the secret.
    Bearer,
}

/// Source of the secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Secret {
    /// The snippet contains the secret.
    Shown(String),
    /// The snippet reads the secret from the environment variable [`VARIABLE`].
    Environment,
}

/// The content of a snippet.
#[derive(Debug)]
pub(crate) struct Snippet<'c> {
    /// Name of the token.
    pub(crate) token: &'c str,
    pub(crate) call: &'c Call,
    pub(crate) scheme: Scheme,
    pub(crate) secret: Secret,
}

/// The text in double quotes with escapes, as JSON, JavaScript and Python read it.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Escapes `{{` in JSON, which .http files and Postman read as a variable. In JSON it occurs only in strings.
pub(super) fn without_variables(json: &str) -> String {
    json.replace("{{", "{\\u007b")
}
