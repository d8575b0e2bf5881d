//! The client's bytes to heads and bodies: a state machine without I/O.

use bytes::{Bytes, BytesMut};

use super::Violation;
use super::chunk::{Chunks, Piece};
use super::head::{HeadLines, WireHead};
use super::raw::{Framing, is_control, run_without};

/// How large a head may be.
#[derive(Clone, Copy, Debug)]
pub struct HeadLimits {
    /// Request line and fields with their CRLFs, in bytes.
    pub bytes: usize,
    /// Maximum number of field lines.
    pub fields: usize,
}

/// The next part of a connection's bytes.
#[derive(Debug)]
pub enum Event {
    /// A whole head. [`Framing::has_body`] of its `body` says whether data and an end follow.
    Head(WireHead),
    /// Some of the body, decoded.
    Data(Bytes),
    /// The body is complete.
    End,
}

/// Reads one connection's bytes. Bodies are passed on as they arrive; a head is buffered up to its limit.
#[derive(Debug)]
pub struct Parser {
    bytes: BytesMut,
    state: State,
    limits: HeadLimits,
}

#[derive(Debug)]
enum State {
    Head(Scan),
    Length(u64),
    Chunked(Chunks),
    Failed(Violation),
}

/// How far the buffered bytes were looked at in search of the head's end.
#[derive(Debug, Default)]
struct Scan {
    at: usize,
    line_start: usize,
    after_cr: bool,
    lines: HeadLines,
}

impl Parser {
    /// Makes a parser in front of the first head.
    pub fn new(limits: HeadLimits) -> Self {
        Self {
            bytes: BytesMut::new(),
            state: State::Head(Scan::default()),
            limits,
        }
    }

    /// Where to put the bytes that arrive; to be appended to only.
    pub fn input(&mut self) -> &mut BytesMut {
        &mut self.bytes
    }

    /// Bytes that arrived and are not passed on yet.
    pub fn buffered(&self) -> usize {
        self.bytes.len()
    }

    /// Whether bytes of the next head have arrived. The empty line that may precede a request is not one of its bytes.
    pub fn has_begun_head(&self) -> bool {
        !b"\r\n".starts_with(&self.bytes)
    }

    /// Number of missing bytes of a body: `None` between bodies, `u64::MAX` if the length is unknown or the rest will
    /// never come.
    pub fn body_left(&self) -> Option<u64> {
        match &self.state {
            State::Length(left) => Some(*left),
            State::Chunked(_) | State::Failed(_) => Some(u64::MAX),
            State::Head(_) => None,
        }
    }

    /// Reads nothing more, for this reason.
    pub fn fail(&mut self, violation: Violation) {
        self.state = State::Failed(violation);
    }

    /// Whether the grammar was broken; nothing is read after that.
    pub fn has_failed(&self) -> bool {
        matches!(self.state, State::Failed(_))
    }

    /// The next event; `None` when more bytes are needed.
    ///
    /// # Errors
    /// The bytes break the grammar, now and from then on.
    #[expect(
        clippy::should_implement_trait,
        reason = "an iterator would go on after a violation"
    )]
    pub fn next(&mut self) -> Result<Option<Event>, Violation> {
        self.advance().inspect_err(|violation| self.fail(*violation))
    }

    fn advance(&mut self) -> Result<Option<Event>, Violation> {
        match &mut self.state {
            State::Failed(violation) => Err(*violation),
            State::Head(scan) => {
                let Some(end) = scan.head_end(&self.bytes, self.limits)? else {
                    return Ok(None);
                };
                let head = std::mem::take(&mut scan.lines).finish(self.bytes.split_to(end).freeze())?;
                self.state = match head.body {
                    Framing::None | Framing::Length(0) => State::Head(Scan::default()),
                    Framing::Length(length) => State::Length(length),
                    Framing::Chunked => State::Chunked(Chunks::begin()),
                };
                Ok(Some(Event::Head(head)))
            }
            State::Length(0) => Ok(Some(self.end_body())),
            State::Length(left) => {
                let take = usize::try_from(*left).unwrap_or(usize::MAX).min(self.bytes.len());
                if take == 0 {
                    return Ok(None);
                }
                *left -= take as u64;
                Ok(Some(Event::Data(self.bytes.split_to(take).freeze())))
            }
            State::Chunked(chunks) => Ok(match chunks.next(&mut self.bytes)? {
                Some(Piece::Data(data)) => Some(Event::Data(data)),
                Some(Piece::End) => Some(self.end_body()),
                None => None,
            }),
        }
    }

    fn end_body(&mut self) -> Event {
        self.state = State::Head(Scan::default());
        Event::End
    }
}

impl Scan {
    /// Looks at the bytes that it has not seen, and gives the head's length once its last line is there.
    fn head_end(&mut self, bytes: &[u8], limits: HeadLimits) -> Result<Option<usize>, Violation> {
        loop {
            if !self.after_cr {
                // Text is passed over at once, as far as the limit allows.
                let unseen = bytes.get(self.at..).unwrap_or_default();
                let allowed = limits.bytes.saturating_sub(self.at).min(unseen.len());
                let allowed = unseen.get(..allowed).unwrap_or_default();
                // The search for the end of the line takes less than finding it byte for byte among the controls.
                let line = memchr::memchr(b'\r', allowed).and_then(|end| allowed.get(..end));
                self.at += run_without(line.unwrap_or(allowed), is_control);
            }
            let Some(&byte) = bytes.get(self.at) else {
                return Ok(None);
            };
            if self.at >= limits.bytes {
                return Err(Violation::HeadTooLarge);
            }
            self.at += 1;
            match byte {
                b'\n' if self.after_cr => {
                    self.after_cr = false;
                    let (start, end) = (self.line_start, self.at - 2);
                    self.line_start = self.at;
                    // One empty line before the request line is accepted (RFC 9112 section 2.2).
                    let leading = start == 0 && end == 0;
                    if !leading && self.lines.take(bytes, start, end, limits.fields)? {
                        return Ok(Some(self.at));
                    }
                }
                _ if self.after_cr => return Err(Violation::BareCr),
                b'\n' => return Err(Violation::BareLf),
                b'\r' => self.after_cr = true,
                b'\t' | 0x20..=0x7e | 0x80.. => {}
                _ => return Err(Violation::Control),
            }
        }
    }
}
