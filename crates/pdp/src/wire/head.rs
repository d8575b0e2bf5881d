//! One request head, read line by line.

use bytes::{Bytes, BytesMut};
use http::header::EXPECT;
use http::request::Parts;
use smallvec::SmallVec;

use super::Violation;
use super::raw::{Framing, METHOD_BYTES, NAME_BYTES, RawHead, Version, is_token};
use crate::buffers::Lists;

/// Maximum number of options of a `Connection` field.
pub(crate) const CONNECTION_OPTIONS: usize = 64;

/// Number of fields for which there is room at once.
const USUAL_FIELDS: usize = 16;

/// A part of the head's bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    start: usize,
    end: usize,
}

impl Span {
    fn of(self, bytes: &[u8]) -> &[u8] {
        bytes.get(self.start..self.end).unwrap_or_default()
    }
}

/// The places of name and value of each field. Their memory is used again.
#[derive(Debug, Default)]
struct FieldSpans(Vec<(Span, Span)>);

thread_local! {
    static KEPT: Lists<(Span, Span)> = const { Lists::new(16, 64) };
}

impl FieldSpans {
    /// Makes an empty list with room for the usual number of fields.
    fn with_room() -> Self {
        let mut spans = KEPT.try_with(Lists::take).unwrap_or_default();
        spans.reserve(USUAL_FIELDS);
        Self(spans)
    }
}

impl Clone for FieldSpans {
    fn clone(&self) -> Self {
        let mut copy = Self::with_room();
        copy.0.extend_from_slice(&self.0);
        copy
    }
}

impl Drop for FieldSpans {
    fn drop(&mut self) {
        let spans = std::mem::take(&mut self.0);
        // While a thread ends, nothing is kept.
        let _ = KEPT.try_with(|kept| kept.give_back(spans));
    }
}

/// A syntactically valid head, as it was sent, with the framing of its body.
#[derive(Clone, Debug)]
pub struct WireHead {
    bytes: Bytes,
    line: RequestLine,
    authority: Option<Span>,
    fields: FieldSpans,
    /// How the body is delimited.
    pub body: Framing,
    /// The client waits for `100 Continue` before it sends the body.
    pub expects_continue: bool,
    /// The client wants the connection kept (RFC 9112 section 9.3).
    pub persists: bool,
}

impl WireHead {
    /// The head of an HTTP/2 request, with its `:path` as it was sent; `has_body` unless its stream ended with it.
    ///
    /// Takes a head from `h2`, which has checked its frames: names in lower case, each pseudo-header once and before
    /// the others, no fields of one connection (RFC 9113 section 8). `None` if a value has blanks around it (section
    /// 8.2.1).
    pub fn http2(parts: &Parts, path: &[u8], has_body: bool) -> Option<Self> {
        let mut bytes = BytesMut::new();
        let mut add = |text: &[u8]| {
            let start = bytes.len();
            bytes.extend_from_slice(text);
            Span {
                start,
                end: bytes.len(),
            }
        };
        let line = RequestLine {
            method: add(parts.method.as_str().as_bytes()),
            target: add(path),
            version: Version::Http2,
        };
        let authority = parts
            .uri
            .authority()
            .map(|authority| add(authority.as_str().as_bytes()));
        let mut fields = FieldSpans::default();
        let mut expects_continue = false;
        for (name, value) in &parts.headers {
            let value = value.as_bytes();
            let blank = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
            if blank(value.first()) || blank(value.last()) {
                return None;
            }
            expects_continue |= name == EXPECT && value.eq_ignore_ascii_case(b"100-continue");
            fields.0.push((add(name.as_str().as_bytes()), add(value)));
        }
        Some(Self {
            bytes: bytes.freeze(),
            line,
            authority,
            fields,
            body: if has_body { Framing::Chunked } else { Framing::None },
            expects_continue: expects_continue && has_body,
            persists: true,
        })
    }

    /// Gives the method, as sent.
    pub fn method(&self) -> &str {
        // INVARIANT: a token is ASCII.
        std::str::from_utf8(self.line.method.of(&self.bytes)).unwrap_or_default()
    }

    /// Gives the protocol version.
    pub fn version(&self) -> Version {
        self.line.version
    }

    /// Every field line, in order, the value without the white space around it.
    pub fn fields(&self) -> SmallVec<[(&[u8], &[u8]); USUAL_FIELDS]> {
        self.fields
            .0
            .iter()
            .map(|(name, value)| (name.of(&self.bytes), value.of(&self.bytes)))
            .collect()
    }

    /// The head as the reading takes it, over [`Self::fields`].
    pub fn raw<'a>(&'a self, fields: &'a [(&'a [u8], &'a [u8])]) -> RawHead<'a> {
        RawHead {
            method: self.method(),
            target: self.line.target.of(&self.bytes),
            version: self.line.version,
            headers: fields,
            authority: self.authority.map(|authority| authority.of(&self.bytes)),
            body: self.body,
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct RequestLine {
    method: Span,
    target: Span,
    version: Version,
}

/// The lines of a head so far.
#[derive(Debug, Default)]
pub(crate) struct HeadLines {
    line: Option<RequestLine>,
    fields: FieldSpans,
}

impl HeadLines {
    /// Takes the next line, of `bytes[start..end]` without its CRLF; `true` when it was the empty one that ends a head.
    ///
    /// # Errors
    /// The line breaks the grammar, or there are more than `most` fields.
    pub(crate) fn take(
        &mut self,
        bytes: &[u8],
        start: usize,
        end: usize,
        most: usize,
    ) -> Result<bool, Violation> {
        let line = Span { start, end };
        if self.line.is_none() {
            self.line = Some(request_line(line, bytes)?);
            self.fields = FieldSpans::with_room();
        } else if start == end {
            return Ok(true);
        } else if self.fields.0.len() >= most {
            return Err(Violation::TooManyFields);
        } else {
            let (name, value) = field_line(line.of(bytes))?;
            self.fields.0.push((name.shifted(start), value.shifted(start)));
        }
        Ok(false)
    }

    /// The head that these lines make.
    ///
    /// # Errors
    /// The fields are ambiguous about the body's framing.
    pub(crate) fn finish(self, bytes: Bytes) -> Result<WireHead, Violation> {
        let line = self.line.ok_or(Violation::RequestLine)?;
        let mut says = Says::default();
        for (name, value) in &self.fields.0 {
            says.field(name.of(&bytes), value.of(&bytes))?;
        }
        let http10 = line.version == Version::Http10;
        let body = match (says.chunked, says.length) {
            (true, _) if http10 => return Err(Violation::CodingInHttp10),
            (true, Some(_)) => return Err(Violation::CodingAndLength),
            (true, None) => Framing::Chunked,
            (false, Some(length)) => Framing::Length(length),
            (false, None) => Framing::None,
        };
        Ok(WireHead {
            expects_continue: says.expects_continue && !http10 && body.has_body(),
            persists: !says.close && (!http10 || says.keep_alive),
            bytes,
            line,
            authority: None,
            fields: self.fields,
            body,
        })
    }
}

/// Facts about the body and the connection that a head's fields give.
#[derive(Default)]
struct Says {
    chunked: bool,
    length: Option<u64>,
    close: bool,
    keep_alive: bool,
    expects_continue: bool,
}

impl Says {
    fn field(&mut self, name: &[u8], value: &[u8]) -> Result<(), Violation> {
        if name.eq_ignore_ascii_case(b"content-length") {
            if self.length.is_some() {
                return Err(Violation::RepeatedLength);
            }
            self.length = Some(digits(value).ok_or(Violation::Length)?);
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            if self.chunked || !value.eq_ignore_ascii_case(b"chunked") {
                return Err(Violation::Coding);
            }
            self.chunked = true;
        } else if name.eq_ignore_ascii_case(b"connection") {
            for (number, option) in value.split(|&byte| byte == b',').enumerate() {
                // The request is refused for it later.
                if number == CONNECTION_OPTIONS {
                    self.close = true;
                    break;
                }
                let option = option.trim_ascii();
                self.close |= option.eq_ignore_ascii_case(b"close");
                self.keep_alive |= option.eq_ignore_ascii_case(b"keep-alive");
            }
        } else if name.eq_ignore_ascii_case(b"expect") {
            self.expects_continue |= value.eq_ignore_ascii_case(b"100-continue");
        }
        Ok(())
    }
}

impl Span {
    fn shifted(self, by: usize) -> Self {
        Self {
            start: self.start + by,
            end: self.end + by,
        }
    }
}

fn request_line(line: Span, bytes: &[u8]) -> Result<RequestLine, Violation> {
    let text = line.of(bytes);
    if text == b"PRI * HTTP/2.0" {
        return Err(Violation::Http2Preface);
    }
    let mut blanks = memchr::memchr_iter(b' ', text);
    let (Some(first), Some(second), None) = (blanks.next(), blanks.next(), blanks.next()) else {
        return Err(Violation::RequestLine);
    };
    let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
    let (method, target) = (part(0, first), part(first + 1, second));
    let version = part(second + 1, text.len());
    if method.len() > METHOD_BYTES || !is_token(method) {
        return Err(Violation::RequestLine);
    }
    // Other bytes that URLs exclude, `#` and non-ASCII, do not end the target. `request` refuses them by name, or
    // accepts them if the configuration does.
    if target.is_empty() || target.contains(&b'\t') {
        return Err(Violation::Target);
    }
    let version = match version {
        b"HTTP/1.1" => Version::Http11,
        b"HTTP/1.0" => Version::Http10,
        _ => return Err(Violation::HttpVersion),
    };
    let method_end = line.start + method.len();
    Ok(RequestLine {
        method: Span {
            start: line.start,
            end: method_end,
        },
        target: Span {
            start: method_end + 1,
            end: method_end + 1 + target.len(),
        },
        version,
    })
}

/// Name and value of a field line (RFC 9112 section 5), the value without the white space around it.
///
/// # Errors
/// There is white space in front of the name or the colon, the name is not a token or too long, or the colon is
/// missing.
pub(crate) fn field_line(line: &[u8]) -> Result<(Span, Span), Violation> {
    if matches!(line.first(), Some(b' ' | b'\t')) {
        return Err(Violation::Folding);
    }
    let colon = memchr::memchr(b':', line).ok_or(Violation::FieldName)?;
    let name = Span { start: 0, end: colon };
    if colon > NAME_BYTES || !is_token(name.of(line)) {
        return Err(Violation::FieldName);
    }
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let value = line.get(colon + 1..).unwrap_or_default();
    let before = value.iter().take_while(|byte| blank(byte)).count();
    let after = value.iter().rev().take_while(|byte| blank(byte)).count();
    let start = colon + 1 + before;
    Ok((
        name,
        Span {
            start,
            end: (line.len() - after).max(start),
        },
    ))
}

/// `1*DIGIT` within 64 bits.
fn digits(value: &[u8]) -> Option<u64> {
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(value).ok()?.parse().ok()
}
