//! What a snippet is made of: the call, the secret and its scheme.

use super::witness::Call;

/// The environment variable that a snippet without the secret reads.
pub(crate) const VARIABLE: &str = "TOKENWARD_TOKEN";

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

/// The text in double quotes with escapes, as JSON, JavaScript and Python read it.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// JSON in which no `{{` stands, which .http files and Postman take for a variable. It stands in strings alone.
pub(super) fn without_variables(json: &str) -> String {
    json.replace("{{", "{\\u007b")
}
