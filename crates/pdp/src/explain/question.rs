//! The question that an explanation answers: a request, and who makes it.

use std::net::{IpAddr, Ipv4Addr};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use tokenward_compiler::diagnostic::nearest;
use tokenward_compiler::ir::{Program, TokenId};

use crate::secret::parse_hash;
use crate::wire::parse::{Event, HeadLimits, Parser};
use crate::wire::{Violation, WireHead};

/// A request, and who makes it. This is also the body of `POST /v1/explain` at the admin listener.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// Name of the token.
    pub token: String,
    /// User that the request is made as, if it has no credentials; absent for the only user of the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Credentials of the request, if `headers` does not contain them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shown: Option<Shown>,
    /// Address of the client, as the proxy determines it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<IpAddr>,
    /// Time of the request, milliseconds since 1970 UTC; absent for now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_ms: Option<i64>,
    /// Method of the request.
    pub method: String,
    /// Request target as sent: the path with the context path of the public URL, and the query.
    pub target: String,
    /// Names and values of the header fields, in order.
    #[serde(default)]
    pub headers: Vec<(String, String)>,
    /// The body in base64.
    #[serde(default)]
    pub body: String,
}

/// Credentials without the secret itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shown {
    /// Scheme of the credentials.
    pub scheme: Scheme,
    /// User that Basic names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Hash of the secret in the form of policies: `sha256:…`.
    pub secret_hash: String,
}

/// Authentication scheme.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scheme {
    /// The scheme Basic.
    Basic,
    /// The scheme Bearer.
    Bearer,
}

/// Reason why a question has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Incomplete {
    /// The policy has no such token.
    #[error("no token `{name}` in the policy{}", near.as_ref().map_or_else(String::new, |near| format!("; did you mean `{near}`?")))]
    NoSuchToken {
        /// Name of the question.
        name: String,
        /// The most similar name.
        near: Option<String>,
    },
    /// The name begins like a secret; it is not repeated.
    #[error("specify the token's name, not its secret; `tokenward token list` shows the names")]
    Secret,
    /// The token has several users, or any.
    #[error("`{0}` works for more than one user; name the user of the request with --user")]
    User(String),
    /// The credentials name the user, and the question names one too.
    #[error("the request has credentials, which specify the user; remove --user")]
    TwoUsers,
    /// The token is restricted to addresses.
    #[error("`{0}` works only from certain addresses; name the client's address with --client")]
    Client(String),
    /// The credentials are another token's.
    #[error(
        "the request has the secret of another token, `{0}`; explain that one, or remove the credentials"
    )]
    OtherToken(String),
    /// `Content-Length` differs from the body.
    #[error("Content-Length is {0}, but the body has {1} bytes; remove the header")]
    Length(u64, usize),
    /// The body is not base64.
    #[error("`body` must be base64")]
    Body,
    /// The hash of the secret is malformed.
    #[error("`secret_hash` must be `sha256:` and 64 hexadecimal digits")]
    Hash,
}

impl Shown {
    pub(super) fn hash(&self) -> Result<[u8; 32], Incomplete> {
        parse_hash(&self.secret_hash).ok_or(Incomplete::Hash)
    }
}

impl Question {
    /// Sets the body.
    pub fn with_body(self, bytes: &[u8]) -> Self {
        Self {
            body: STANDARD.encode(bytes),
            ..self
        }
    }

    /// Adds a `Host` header if there is none.
    pub fn with_host(mut self, host: &str) -> Self {
        let has_host = self
            .headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case("host"));
        if !has_host {
            self.headers.insert(0, ("Host".to_owned(), host.to_owned()));
        }
        self
    }

    pub(crate) fn body(&self) -> Result<Vec<u8>, Incomplete> {
        STANDARD.decode(&self.body).map_err(|_| Incomplete::Body)
    }

    /// The address that the request comes from, and its time. Without an address the token has no address to compare with.
    pub(super) fn caller(&self, now_ms: i64) -> (IpAddr, i64) {
        (
            self.client.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
            self.time_ms.unwrap_or(now_ms),
        )
    }

    pub(crate) fn token_in(&self, program: &Program) -> Result<TokenId, Incomplete> {
        let found = program.tokens().find(|(_, token)| token.name == self.token);
        if let Some((id, _)) = found {
            return Ok(id);
        }
        if self.token.starts_with(crate::request::TOKEN_PREFIX) {
            return Err(Incomplete::Secret);
        }
        let names = program.tokens().map(|(_, token)| token.name.as_str());
        Err(Incomplete::NoSuchToken {
            name: self.token.clone(),
            near: nearest(&self.token, names).map(str::to_owned),
        })
    }

    /// The head as the proxy's own parser reads it, with the limits of bytes and fields.
    pub fn head(&self, (bytes, fields): (usize, usize)) -> Result<WireHead, Violation> {
        // A line end within a part would begin another line.
        let breaks = |text: &str| text.contains(['\r', '\n', '\0']);
        let parts = self.headers.iter().flat_map(|(name, value)| [name, value]);
        if parts.chain([&self.method, &self.target]).any(|text| breaks(text)) {
            return Err(Violation::Control);
        }
        if self.headers.iter().any(|(name, _)| name.contains(':')) {
            return Err(Violation::FieldName);
        }
        let mut text = format!("{} {} HTTP/1.1\r\n", self.method, self.target);
        for (name, value) in &self.headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str("\r\n");
        let mut parser = Parser::new(HeadLimits { bytes, fields });
        parser.input().extend_from_slice(text.as_bytes());
        match parser.next()? {
            Some(Event::Head(head)) => Ok(head),
            _ => Err(Violation::RequestLine),
        }
    }
}
