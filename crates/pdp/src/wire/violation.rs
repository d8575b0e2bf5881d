//! Reasons why bytes are not a request.

/// A break of RFC 9112, or of our stricter reading of it. The client gets a bare answer and the connection is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Violation {
    /// The request line is not `token SP target SP version`, or its method is longer than 64 bytes.
    RequestLine,
    /// The target has other than visible ASCII, or a `#`.
    Target,
    /// The version is neither `HTTP/1.0` nor `HTTP/1.1`.
    HttpVersion,
    /// `PRI * HTTP/2.0`: HTTP/2 without TLS's negotiation.
    Http2Preface,
    /// A control character within a head.
    Control,
    /// A line ends in LF without CR.
    BareLf,
    /// A CR that no LF follows.
    BareCr,
    /// A field line that begins with white space (obsolete folding included).
    Folding,
    /// A field name is not a token, is longer than 256 bytes, or is not directly followed by a colon.
    FieldName,
    /// Request line and fields are larger than the limit.
    HeadTooLarge,
    /// More fields than the limit.
    TooManyFields,
    /// There is more than one `Content-Length`.
    RepeatedLength,
    /// A `Content-Length` that is not digits, or does not fit 64 bits.
    Length,
    /// A `Transfer-Encoding` other than exactly one `chunked`.
    Coding,
    /// There are both `Transfer-Encoding` and `Content-Length`.
    CodingAndLength,
    /// `Transfer-Encoding` in HTTP/1.0.
    CodingInHttp10,
    /// A chunk size that is not 1 to 16 hexadecimal digits and CRLF.
    ChunkSize,
    /// A chunk has an extension. RFC 9112 section 7.1.1 requires that it is ignored, but implementations
    /// disagree about its end.
    ChunkExtension,
    /// A chunk's data is not followed by CRLF.
    ChunkEnd,
    /// A trailer is not a field line, or the trailers exceed the limit.
    Trailer,
    /// The head did not arrive in time.
    HeadTimeout,
    /// A trusted proxy's connection does not begin with the PROXY protocol header that the configuration requires.
    Announcement,
    /// The opening is not TLS, or the two sides share no version or cipher.
    TlsHandshake,
    /// The HTTP/2 connection is invalid.
    Http2,
    /// An HTTP/2 client that gives up requests, one after the other.
    Http2Resets,
    /// An HTTP/2 body is not as long as its head announces, or ends in invalid trailers.
    Http2Body,
    /// One more connection of a client that has all that it may have.
    TooManyConnections,
}

impl Violation {
    /// All violations, for the metrics' labels.
    pub const ALL: [Self; 27] = [
        Self::RequestLine,
        Self::Target,
        Self::HttpVersion,
        Self::Http2Preface,
        Self::Control,
        Self::BareLf,
        Self::BareCr,
        Self::Folding,
        Self::FieldName,
        Self::HeadTooLarge,
        Self::TooManyFields,
        Self::RepeatedLength,
        Self::Length,
        Self::Coding,
        Self::CodingAndLength,
        Self::CodingInHttp10,
        Self::ChunkSize,
        Self::ChunkExtension,
        Self::ChunkEnd,
        Self::Trailer,
        Self::HeadTimeout,
        Self::Announcement,
        Self::TlsHandshake,
        Self::Http2,
        Self::Http2Resets,
        Self::Http2Body,
        Self::TooManyConnections,
    ];

    /// The stable name in metrics and, if the head had been read, in answers and the audit.
    pub const fn code(self) -> &'static str {
        match self {
            Self::RequestLine => "request-line",
            Self::Target => "request-target",
            Self::HttpVersion => "http-version",
            Self::Http2Preface => "http2-preface",
            Self::Control => "control-character-in-head",
            Self::BareLf => "bare-lf",
            Self::BareCr => "bare-cr",
            Self::Folding => "folded-line",
            Self::FieldName => "field-name",
            Self::HeadTooLarge => "head-too-large",
            Self::TooManyFields => "too-many-fields",
            Self::RepeatedLength => "repeated-content-length",
            Self::Length => "content-length",
            Self::Coding => "transfer-encoding",
            Self::CodingAndLength => "transfer-encoding-and-content-length",
            Self::CodingInHttp10 => "transfer-encoding-in-http-1.0",
            Self::ChunkSize => "chunk-size",
            Self::ChunkExtension => "chunk-extension",
            Self::ChunkEnd => "chunk-end",
            Self::Trailer => "trailer",
            Self::HeadTimeout => "head-timeout",
            Self::Announcement => "proxy-protocol",
            Self::TlsHandshake => "tls-handshake",
            Self::Http2 => "http2",
            Self::Http2Resets => "http2-resets",
            Self::Http2Body => "http2-body",
            Self::TooManyConnections => "too-many-connections",
        }
    }

    /// The codes of breaks within a body, which are answered and recorded like other refusals.
    pub const BODY_CODES: [&str; 5] = [
        Self::ChunkSize.code(),
        Self::ChunkExtension.code(),
        Self::ChunkEnd.code(),
        Self::Trailer.code(),
        Self::Http2Body.code(),
    ];

    /// The status of the bare answer.
    pub fn status(self) -> u16 {
        match self {
            Self::HeadTooLarge | Self::TooManyFields => 431,
            Self::HeadTimeout => 408,
            _ => 400,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_its_line_in_the_documentation() {
        let page = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/refusals.md"));
        for violation in Violation::ALL {
            assert!(
                page.contains(&format!("\n| `{}` | ", violation.code())),
                "{violation:?}"
            );
        }
    }
}
