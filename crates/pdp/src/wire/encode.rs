//! Answers to bytes: the status line, the fields, and how the end of the body is shown (RFC 9112 sections 4 to 6).
//!
//! No value can break a line. `HeaderName` holds a token and `HeaderValue` neither CR, LF nor NUL: their constructors
//! check that, and both are written as they are.

use std::fmt::Write as _;

use bytes::{Bytes, BytesMut};
use http::{HeaderName, HeaderValue, StatusCode};

use super::raw::Version;
use crate::text::Decimal;

/// Room for the parts of a head other than its fields: the status line, the framing, `Connection` and `Date`.
const BASE_BYTES: usize = 160;

/// The size of an answer's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodySize {
    /// No body, and no announced length.
    None,
    /// The body has this many bytes.
    Known(u64),
    /// The body's end shows its size.
    Unknown,
}

/// Everything that the head of an answer depends on.
#[derive(Clone, Copy, Debug)]
pub struct AnswerHead<'a> {
    /// The version of the request.
    pub version: Version,
    /// Whether the request was a HEAD: the answer announces a body but has none.
    pub to_head: bool,
    /// Status code of the answer.
    pub status: StatusCode,
    /// The fields. Those of the connection and of the framing are left out and written by the encoder, except for
    /// the `Content-Length` of a 304.
    pub headers: &'a [(HeaderName, HeaderValue)],
    /// The size of the body.
    pub size: BodySize,
    /// The connection is closed after the answer.
    pub close: bool,
    /// Value of `Date`, written if the fields have none.
    pub date: Option<&'a HeaderValue>,
}

/// How the head announces the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Announced {
    Nothing,
    Length(u64),
    Chunked,
    UntilClose,
}

impl AnswerHead<'_> {
    /// Appends the head to `out`. The result encodes the body that follows.
    pub fn encode(&self, out: &mut BytesMut) -> BodyEncoder {
        let announced = self.announced();
        let fields = self.headers.iter();
        let fields = fields.map(|(name, value)| name.as_str().len() + value.len() + ": \r\n".len());
        out.reserve(BASE_BYTES + fields.sum::<usize>());
        self.status_line(out);
        self.framing(announced, out);
        self.fields(out);
        out.extend_from_slice(b"\r\n");
        match announced {
            _ if self.to_head => BodyEncoder::Length(0),
            Announced::Nothing => BodyEncoder::Length(0),
            Announced::Length(length) => BodyEncoder::Length(length),
            Announced::Chunked => BodyEncoder::Chunked,
            Announced::UntilClose => BodyEncoder::UntilClose,
        }
    }

    fn announced(&self) -> Announced {
        match self.size {
            _ if has_no_body(self.status) => Announced::Nothing,
            BodySize::None if self.to_head => Announced::Nothing,
            // Otherwise the client would wait for the end of the connection.
            BodySize::None => Announced::Length(0),
            BodySize::Known(length) => Announced::Length(length),
            // HTTP/1.0 has no chunks.
            BodySize::Unknown if self.version == Version::Http10 => Announced::UntilClose,
            BodySize::Unknown => Announced::Chunked,
        }
    }

    fn status_line(&self, out: &mut BytesMut) {
        out.extend_from_slice(match self.version {
            Version::Http10 => b"HTTP/1.0 ",
            Version::Http11 | Version::Http2 => b"HTTP/1.1 ",
        });
        out.extend_from_slice(self.status.as_str().as_bytes());
        out.extend_from_slice(b" ");
        let reason = self.status.canonical_reason();
        out.extend_from_slice(reason.unwrap_or("<unknown status code>").as_bytes());
        out.extend_from_slice(b"\r\n");
    }

    fn framing(&self, announced: Announced, out: &mut BytesMut) {
        match announced {
            Announced::Nothing | Announced::UntilClose => {}
            Announced::Length(length) => {
                out.extend_from_slice(b"content-length: ");
                out.extend_from_slice(&Decimal::from(length));
                out.extend_from_slice(b"\r\n");
            }
            Announced::Chunked => out.extend_from_slice(b"transfer-encoding: chunked\r\n"),
        }
        let http10 = self.version == Version::Http10;
        let close = self.close || announced == Announced::UntilClose && !self.to_head;
        // The default of each version goes without saying (RFC 9112 section 9.3).
        match (http10, close) {
            (true, false) => out.extend_from_slice(b"connection: keep-alive\r\n"),
            (false, true) => out.extend_from_slice(b"connection: close\r\n"),
            _ => {}
        }
    }

    fn fields(&self, out: &mut BytesMut) {
        let mut keeps_length = self.status == StatusCode::NOT_MODIFIED;
        let mut dated = false;
        for (name, value) in self.headers {
            match name.as_str() {
                "connection" | "keep-alive" | "proxy-connection" | "te" | "trailer" | "transfer-encoding"
                | "upgrade" => continue,
                "content-length" if !(keeps_length && is_length(value)) => continue,
                "content-length" => keeps_length = false,
                "date" => dated = true,
                _ => {}
            }
            field(name.as_str(), value, out);
        }
        if let Some(date) = self.date.filter(|_| !dated) {
            field("date", date, out);
        }
    }
}

/// Whether the value is a length: only digits (RFC 9110 section 8.6).
fn is_length(value: &HeaderValue) -> bool {
    let digits = value.as_bytes();
    !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
}

/// Whether answers of this status never have a body (RFC 9110 section 6.4.1).
fn has_no_body(status: StatusCode) -> bool {
    status.is_informational() || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
}

fn field(name: &str, value: &HeaderValue, out: &mut BytesMut) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    out.extend_from_slice(value.as_bytes());
    out.extend_from_slice(b"\r\n");
}

/// Encodes the body of one answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyEncoder {
    /// A body that lacks this many bytes.
    Length(u64),
    /// A body in chunks.
    Chunked,
    /// A body that ends when the connection closes.
    UntilClose,
}

/// A framed part of a body; it follows the bytes that were written to the buffer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Framed {
    /// The data, which is not copied.
    pub data: Bytes,
    /// The bytes after the data.
    pub after: &'static [u8],
}

/// The body ended before its announced length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Short;

impl BodyEncoder {
    /// Whether the client learns the end of the body only from the end of the connection.
    pub fn is_until_close(self) -> bool {
        self == Self::UntilClose
    }

    /// Frames a part of the body: appends to `out` what precedes the data on the wire. Bytes beyond the announced
    /// length are dropped: the client would read them as the next answer.
    pub fn frame(&mut self, mut data: Bytes, out: &mut BytesMut) -> Framed {
        let mut after: &'static [u8] = b"";
        match self {
            Self::Length(left) => {
                data.truncate(usize::try_from(*left).unwrap_or(usize::MAX));
                *left -= data.len() as u64;
            }
            // A chunk without data would be the last one.
            Self::Chunked if data.is_empty() => {}
            Self::Chunked => {
                // Writing to `BytesMut` cannot fail.
                let _ = write!(out, "{:X}\r\n", data.len());
                after = b"\r\n";
            }
            Self::UntilClose => {}
        }
        Framed { data, after }
    }

    /// Writes the end of the body.
    ///
    /// # Errors
    /// Less came than was announced. The connection must not go on: the client waits for the rest.
    pub fn end(self, out: &mut BytesMut) -> Result<(), Short> {
        match self {
            Self::Length(0) | Self::UntilClose => Ok(()),
            Self::Length(_) => Err(Short),
            Self::Chunked => {
                out.extend_from_slice(b"0\r\n\r\n");
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests;
