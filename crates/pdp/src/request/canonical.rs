//! The canonical form of a request.

use std::borrow::Cow;

use tokenward_compiler::decide::Media;
use tokenward_compiler::method::Method;

use super::forwarded::ForwardedFields;
use super::query::Pair;
use super::raw::Framing;
use super::secrets::Secrets;
use crate::buffers::TextBuffer;

/// The canonical form of a request, which is matched, logged and forwarded.
#[derive(Clone)]
pub struct Canonical {
    /// The method, as policies distinguish methods.
    pub method: Method,
    /// The method as sent.
    pub method_text: Cow<'static, str>,
    /// The decoded path below the base URL; begins with `/`.
    pub path: TextBuffer,
    /// The decoded pairs of the query, in order. A value is `None` if its pair has no `=`.
    pub query: Vec<Pair>,
    /// The media type of the body, as policies distinguish types. Without a body it has no meaning.
    pub media: Media,
    /// Why the head keeps the body from being read as JSON, in words; `None` if it is read, or if
    /// there is no body.
    pub unread: Option<String>,
    /// The framing, which determines the end of the body.
    pub body: Framing,
    /// Lower-case name and value of each forwarded header, in order. Never among them: hop-by-hop headers, credentials,
    /// identities, forwarding headers, `host`, `content-length`, `transfer-encoding`, `expect`.
    pub headers: ForwardedFields,
    /// Whether the client waits for `100 Continue` before it sends the body.
    pub expect_continue: bool,
    /// Whether the connection is closed after the response.
    pub close: bool,
    pub(super) target: TextBuffer,
    pub(super) url: TextBuffer,
    pub(super) secrets: Secrets,
}

impl std::fmt::Debug for Canonical {
    /// Leaves out the headers' values and the query, since they are the client's data.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Canonical")
            .field("method", &self.method_text)
            .field("url", &self.url)
            .field("media", &self.media)
            .field("body", &self.body)
            .field("headers", &self.headers)
            .finish_non_exhaustive()
    }
}

impl Canonical {
    /// Returns the request target for the upstream: its context path, the path and the query in canonical encoding.
    #[must_use]
    pub fn upstream_target(&self) -> &str {
        &self.target
    }

    /// Returns the canonical public URL for the audit. Values of credential parameters and text with the prefix of
    /// Tokenward's secrets are masked.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the secrets that the call presents.
    pub fn secrets(&self) -> &Secrets {
        &self.secrets
    }
}
