//! The upstream's bytes to responses (RFC 9112 sections 4 and 6).
//!
//! The head is parsed by `httparse`. Which bytes are the body is decided here: the bytes after the wrong end would be the
//! next call's response. A response without a definite end is an error. If RFC 9112 decides between two ends, but the
//! upstream may mean the other one, the connection serves no other call.

use std::mem::MaybeUninit;

use bytes::{Bytes, BytesMut};
use http::header::{CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderName, HeaderValue, StatusCode};
use httparse::{ParserConfig, Status};

use super::chunk::{Chunks, Piece};
use crate::buffers::fields_with_room;

/// Maximum number of fields of a response.
const FIELDS: usize = 100;

/// A response that is not valid, or whose end is ambiguous.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadResponse {
    /// The head is not HTTP/1.
    #[error("not HTTP/1: {0}")]
    Head(httparse::Error),
    /// A name, a value or the status cannot be forwarded.
    #[error("invalid status or field")]
    Field,
    /// The head does not end within its limit.
    #[error("the head is too large")]
    TooLarge,
    /// The lengths differ, or are no numbers.
    #[error("invalid Content-Length")]
    Length,
    /// A transfer coding other than one `chunked`, or one in HTTP/1.0.
    #[error("unexpected transfer coding")]
    Coding,
    /// The chunks are malformed.
    #[error("malformed chunks")]
    Chunks,
}

/// Heads of responses, read from the bytes of one connection.
#[derive(Debug, Default)]
pub struct HeadReader {
    /// Number of buffered bytes that were searched for the head's end.
    searched: usize,
}

/// The head of a response.
#[derive(Debug)]
pub struct ResponseHead {
    /// Status code; 1xx for an interim response.
    pub status: StatusCode,
    /// All fields, in order.
    pub fields: Vec<(HeaderName, HeaderValue)>,
    /// The body that follows.
    pub body: BodyReader,
    /// Whether the next response may follow on the connection: the upstream keeps it (RFC 9112 section 9.3), and agrees on
    /// the end of this response.
    pub persists: bool,
}

/// The rest of a response's body.
#[derive(Debug)]
pub enum BodyReader {
    /// This many bytes are missing.
    Length(u64),
    /// Chunks, up to the last one.
    Chunked(Chunks),
    /// All bytes up to the end of the connection.
    UntilClose,
    /// All chunks were read.
    Ended,
}

impl HeadReader {
    /// Takes the next head off `input`; `None` when more bytes are needed. `to_head`: the request was a HEAD, whose
    /// response has no body. A head may have `most` bytes.
    ///
    /// # Errors
    /// The bytes are not a response, or its end is ambiguous.
    pub fn next(
        &mut self,
        input: &mut BytesMut,
        to_head: bool,
        most: usize,
    ) -> Result<Option<ResponseHead>, BadResponse> {
        // Each byte is searched once, however few arrive at a time.
        let from = self.searched.saturating_sub(2);
        let end = end_within(input.get(from..).unwrap_or_default()).map(|end| from + end);
        if end.unwrap_or(input.len()) > most {
            return Err(BadResponse::TooLarge);
        }
        let Some(end) = end else {
            self.searched = input.len();
            return Ok(None);
        };
        self.searched = 0;
        parse(&input.split_to(end).freeze(), to_head).map(Some)
    }
}

/// The end of the first empty line.
fn end_within(bytes: &[u8]) -> Option<usize> {
    memchr::memchr_iter(b'\n', bytes).find_map(|at| match bytes.get(at + 1..) {
        Some([b'\n', ..]) => Some(at + 2),
        Some([b'\r', b'\n', ..]) => Some(at + 3),
        _ => None,
    })
}

/// Parses a whole head. The values share its memory.
fn parse(head: &Bytes, to_head: bool) -> Result<ResponseHead, BadResponse> {
    let mut places = [const { MaybeUninit::uninit() }; FIELDS];
    let mut response = httparse::Response::new(&mut []);
    let parsed = ParserConfig::default()
        .parse_response_with_uninit_headers(&mut response, head, &mut places)
        .map_err(BadResponse::Head)?;
    // An empty line before the status line does not end a head.
    if parsed != Status::Complete(head.len()) {
        return Err(BadResponse::Head(httparse::Error::NewLine));
    }
    let status = StatusCode::from_u16(response.code.unwrap_or_default()).map_err(|_| BadResponse::Field)?;
    let http11 = response.version == Some(1);
    // One more is added on the way to the client, and another one if it is absent.
    let mut fields = fields_with_room(response.headers.len() + 2);
    for field in response.headers.iter() {
        let name = HeaderName::from_bytes(field.name.as_bytes()).map_err(|_| BadResponse::Field)?;
        let value = HeaderValue::from_maybe_shared(head.slice_ref(field.value));
        fields.push((name, value.map_err(|_| BadResponse::Field)?));
    }
    Ok(ResponseHead {
        status,
        body: body(status, to_head, http11, &fields)?,
        persists: persists(http11, &fields) && !has_other_end(status, &fields),
        fields,
    })
}

/// Whether the upstream may mean another end than that of [`body`]: the head has a coding and a length, or announces a
/// body though the status excludes one (RFC 9112 sections 6.1 and 6.2). The head of a 304 describes another response's body.
fn has_other_end(status: StatusCode, fields: &[(HeaderName, HeaderValue)]) -> bool {
    let has_coding = named(fields, &TRANSFER_ENCODING).next().is_some();
    let mut lengths = named(fields, &CONTENT_LENGTH);
    match status {
        StatusCode::NO_CONTENT => has_coding || lengths.any(|length| digits(length) != Some(0)),
        _ => has_coding && lengths.next().is_some(),
    }
}

/// Decides which bytes are the body (RFC 9112 section 6.3).
fn body(
    status: StatusCode,
    to_head: bool,
    http11: bool,
    fields: &[(HeaderName, HeaderValue)],
) -> Result<BodyReader, BadResponse> {
    let mut codings = named(fields, &TRANSFER_ENCODING);
    let coding = codings.next();
    if coding.is_some_and(|coding| !coding.trim_ascii().eq_ignore_ascii_case(b"chunked"))
        || codings.next().is_some()
    {
        return Err(BadResponse::Coding);
    }
    let bodiless = status.is_informational()
        || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
        || to_head;
    if bodiless {
        return Ok(BodyReader::Length(0));
    }
    match (coding, length(fields)?) {
        (Some(_), _) if !http11 => Err(BadResponse::Coding),
        // The coding overrides a length, which is not forwarded.
        (Some(_), _) => Ok(BodyReader::Chunked(Chunks::begin())),
        (None, Some(length)) => Ok(BodyReader::Length(length)),
        (None, None) => Ok(BodyReader::UntilClose),
    }
}

/// The announced length. It may be repeated, if all are equal (RFC 9110 section 8.6).
fn length(fields: &[(HeaderName, HeaderValue)]) -> Result<Option<u64>, BadResponse> {
    let mut found = None;
    for lengths in named(fields, &CONTENT_LENGTH) {
        for length in lengths.split(|byte| *byte == b',') {
            let length = digits(length.trim_ascii()).ok_or(BadResponse::Length)?;
            if *found.get_or_insert(length) != length {
                return Err(BadResponse::Length);
            }
        }
    }
    Ok(found)
}

fn digits(text: &[u8]) -> Option<u64> {
    let all = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    let text = std::str::from_utf8(text).ok().filter(|_| all)?;
    text.parse().ok()
}

fn persists(http11: bool, fields: &[(HeaderName, HeaderValue)]) -> bool {
    let mut keep_alive = false;
    for options in named(fields, &CONNECTION) {
        for option in options.split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
            if option.eq_ignore_ascii_case(b"close") {
                return false;
            }
            keep_alive |= option.eq_ignore_ascii_case(b"keep-alive");
        }
    }
    http11 || keep_alive
}

fn named<'f>(
    fields: &'f [(HeaderName, HeaderValue)],
    wanted: &'f HeaderName,
) -> impl Iterator<Item = &'f [u8]> {
    fields
        .iter()
        .filter(move |(name, _)| name == wanted)
        .map(|(_, value)| value.as_bytes())
}

impl BodyReader {
    /// Whether the body is complete.
    pub fn is_complete(&self) -> bool {
        matches!(self, Self::Length(0) | Self::Ended)
    }

    /// Whether only the end of the connection shows the end of the body.
    pub fn is_until_close(&self) -> bool {
        matches!(self, Self::UntilClose)
    }

    /// Number of missing bytes, if it is known.
    pub fn length(&self) -> Option<u64> {
        match self {
            Self::Length(left) => Some(*left),
            Self::Ended => Some(0),
            Self::Chunked(_) | Self::UntilClose => None,
        }
    }

    /// Takes the next data off `input`; `None` when more bytes are needed, or none are left of the body.
    ///
    /// # Errors
    /// The chunks are malformed.
    pub fn next(&mut self, input: &mut BytesMut) -> Result<Option<Bytes>, BadResponse> {
        if input.is_empty() {
            return Ok(None);
        }
        match self {
            Self::Length(0) | Self::Ended => Ok(None),
            Self::Length(left) => {
                let take = usize::try_from(*left).unwrap_or(usize::MAX).min(input.len());
                *left -= take as u64;
                Ok(Some(input.split_to(take).freeze()))
            }
            Self::UntilClose => Ok(Some(input.split().freeze())),
            Self::Chunked(chunks) => match chunks.next_of_upstream(input) {
                Ok(Some(Piece::Data(data))) => Ok(Some(data)),
                Ok(Some(Piece::End)) => {
                    *self = Self::Ended;
                    Ok(None)
                }
                Ok(None) => Ok(None),
                Err(_) => Err(BadResponse::Chunks),
            },
        }
    }
}

#[cfg(test)]
mod tests;
