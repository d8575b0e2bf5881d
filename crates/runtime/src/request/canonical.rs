//! The one form of a request.

use tokenward_compiler::decide::Media;
use tokenward_compiler::method::Method;

use super::query::Pair;
use super::raw::Framing;
use super::secrets::Secrets;

/// The one form of a request: matched, logged and sent.
#[derive(Clone)]
pub struct Canonical {
    /// The method as far as policies tell methods apart.
    pub method: Method,
    /// The method as sent.
    pub method_text: String,
    /// Decoded, below the base URL, begins with `/`.
    pub path: String,
    /// Decoded pairs, in order. `None`: there was no `=`.
    pub query: Vec<Pair>,
    /// What the body is to a policy. Without a body it means nothing.
    pub media: Media,
    /// How the end of the body is told.
    pub body: Framing,
    /// Lower-case name and value of what goes upstream, in order. Never among them: hop-by-hop headers, credentials,
    /// identities, forwarding headers, `host`, `content-length`, `transfer-encoding`, `expect`.
    pub headers: Vec<(String, Vec<u8>)>,
    /// Whether the client waits for `100 Continue` before it sends the body.
    pub expect_continue: bool,
    /// Whether the connection ends with the answer.
    pub close: bool,
    pub(super) target: String,
    pub(super) url: String,
    pub(super) secrets: Secrets,
}

impl std::fmt::Debug for Canonical {
    /// Without the headers' values and the query: they are the client's data.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("Canonical")
            .field("method", &self.method_text)
            .field("url", &self.url)
            .field("media", &self.media)
            .field("body", &self.body)
            .field("headers", &names)
            .finish_non_exhaustive()
    }
}

impl Canonical {
    /// The request target for the upstream: its context path, the path and the query in their one encoding.
    #[must_use]
    pub fn upstream_target(&self) -> &str {
        &self.target
    }

    /// The canonical public URL for the audit; values of credential parameters and what bears our prefix are masked.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The secrets that the call presents.
    pub(crate) fn secrets(&self) -> &Secrets {
        &self.secrets
    }
}
