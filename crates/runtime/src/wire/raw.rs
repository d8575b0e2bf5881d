//! A request's head as the wire gave it, before any of it is believed.

/// The protocol version of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// HTTP/1.0 (RFC 9112).
    Http10,
    /// HTTP/1.1 (RFC 9112).
    Http11,
    /// HTTP/2 (RFC 9113).
    Http2,
}

/// Framing: how the end of the body is marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// The request has no body.
    None,
    /// A body of so many bytes; `Length(0)` was sent as `Content-Length: 0`.
    Length(u64),
    /// A body that marks its own end: chunks, or HTTP/2 frames without a `content-length`.
    Chunked,
}

impl Framing {
    /// Whether a byte of a body may follow. `Length(0)` counts as no body, `Chunked` as one.
    #[must_use]
    pub fn has_body(self) -> bool {
        !matches!(self, Self::None | Self::Length(0))
    }
}

/// A request's head as it came. Has no `Debug`: it holds credentials.
#[derive(Clone, Copy)]
pub struct RawHead<'a> {
    /// Method of the request, as sent.
    pub method: &'a str,
    /// The request target (`:path` in HTTP/2), byte for byte.
    pub target: &'a [u8],
    /// Protocol version of the request.
    pub version: Version,
    /// Every header line, name and value, in order and in the case sent. Pseudo-headers are not among them.
    pub headers: &'a [(&'a [u8], &'a [u8])],
    /// HTTP/2's `:authority`.
    pub authority: Option<&'a [u8]>,
    /// How the connection's parser will cut the body; must agree with the headers.
    pub body: Framing,
}

impl<'a> RawHead<'a> {
    /// Gives the trimmed values of a header. Its name is given in lower case, and compared without regard to case.
    pub(crate) fn values(&self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.headers
            .iter()
            .filter(move |(given, _)| given.eq_ignore_ascii_case(name.as_bytes()))
            .map(|(_, value)| trim(value))
    }
}

/// The value without the optional whitespace around it (RFC 9110 section 5.5).
pub(crate) fn trim(value: &[u8]) -> &[u8] {
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let mut value = value;
    while let [first, rest @ ..] = value
        && blank(first)
    {
        value = rest;
    }
    while let [rest @ .., last] = value
        && blank(last)
    {
        value = rest;
    }
    value
}

/// Whether the bytes are a token (RFC 9110 section 5.6.2).
pub(crate) fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty()
        && bytes
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte))
}
