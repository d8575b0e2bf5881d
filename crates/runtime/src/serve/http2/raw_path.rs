//! Each request's `:path`, as it was sent: `h2` parses it as a URI, which drops `#` and the rest. The reader parses the
//! frames on their way to `h2` only as far as needed (RFC 9113 sections 4.1, 6.2 and 6.10), and does not change them.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::hpack::Hpack;

/// A client's first bytes, `PRI * HTTP/2.0` and so on, which `h2` compares.
const PREFACE: usize = 24;
const FRAME_HEAD: usize = 9;
const HEADERS: u8 = 1;
const CONTINUATION: u8 = 9;
const END_HEADERS: u8 = 0x4;
const PADDED: u8 = 0x8;
const PRIORITY: u8 = 0x20;

/// Paths of requests that `h2` has not delivered yet, by stream.
#[derive(Clone, Debug, Default)]
pub(super) struct Paths(Rc<RefCell<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    waiting: BTreeMap<u32, Option<Bytes>>,
    last: u32,
}

impl Paths {
    /// Takes the path of this stream's request, and the number of earlier requests that `h2` refused by itself.
    pub(super) fn take(&self, stream: u32) -> (Option<Bytes>, usize) {
        let mut inner = self.0.borrow_mut();
        let after = inner.waiting.split_off(&stream);
        let refused = std::mem::replace(&mut inner.waiting, after).len();
        (inner.waiting.remove(&stream).flatten(), refused)
    }

    /// Adds a header block. Later blocks of a stream are trailers; `h2` delivers streams in order.
    fn put(&self, stream: u32, path: Option<Bytes>) {
        let mut inner = self.0.borrow_mut();
        if stream > inner.last {
            inner.last = stream;
            inner.waiting.insert(stream, path);
        }
    }
}

/// A stream whose frames are parsed on their way to `h2`.
pub(super) struct PathReader<S> {
    stream: S,
    frames: Frames,
}

impl<S> PathReader<S> {
    /// Reads a stream from its first byte. `most` limits a compressed head.
    pub(super) fn new(stream: S, paths: Paths, most: usize) -> Self {
        Self {
            stream,
            frames: Frames {
                paths,
                hpack: Hpack::new(),
                place: Place::Pass(PREFACE),
                block: Vec::new(),
                most,
            },
        }
    }
}

/// State of reading the frames.
struct Frames {
    paths: Paths,
    hpack: Hpack,
    place: Place,
    /// Fragments of the current header block.
    block: Vec<u8>,
    most: usize,
}

/// Part of a frame that the next byte belongs to.
enum Place {
    /// In front of this many irrelevant bytes.
    Pass(usize),
    /// The header of a frame.
    Head(Vec<u8>),
    /// A frame with a fragment of a header block.
    Fragment {
        kind: u8,
        flags: u8,
        stream: u32,
        left: usize,
        payload: Vec<u8>,
    },
}

impl Frames {
    /// Reads the next bytes; `None` if they cannot be parsed, now or ever again.
    fn take(&mut self, mut bytes: &[u8]) -> Option<()> {
        while !bytes.is_empty() {
            let wanted = match &self.place {
                Place::Pass(left) | Place::Fragment { left, .. } => *left,
                Place::Head(head) => FRAME_HEAD - head.len(),
            };
            let (now, rest) = bytes.split_at_checked(wanted.min(bytes.len()))?;
            bytes = rest;
            match &mut self.place {
                Place::Pass(left) => *left -= now.len(),
                Place::Head(head) => head.extend_from_slice(now),
                Place::Fragment { left, payload, .. } => {
                    *left -= now.len();
                    payload.extend_from_slice(now);
                }
            }
            if now.len() == wanted {
                self.turn()?;
            }
        }
        Some(())
    }

    /// Completes the part that was read.
    fn turn(&mut self) -> Option<()> {
        match std::mem::replace(&mut self.place, Place::Head(Vec::new())) {
            Place::Pass(_) => {}
            Place::Head(head) => {
                // The header of a frame: only frames with a header block are of interest.
                let &[a, b, c, kind, flags, d, e, f, g] = head.first_chunk::<FRAME_HEAD>()?;
                let left = usize::try_from(u32::from_be_bytes([0, a, b, c])).ok()?;
                let matters = matches!(kind, HEADERS | CONTINUATION);
                if matters && left + self.block.len() > self.most {
                    return None;
                }
                self.place = if matters {
                    Place::Fragment {
                        kind,
                        flags,
                        stream: u32::from_be_bytes([d & 0x7f, e, f, g]),
                        left,
                        payload: Vec::new(),
                    }
                } else {
                    Place::Pass(left)
                };
                if left == 0 {
                    self.turn()?;
                }
            }
            Place::Fragment {
                kind,
                flags,
                stream,
                payload,
                ..
            } => {
                // A fragment of a header block; the last one completes it.
                if kind == HEADERS {
                    self.block.clear();
                    self.block.extend_from_slice(fragment(&payload, flags)?);
                } else {
                    self.block.extend_from_slice(&payload);
                }
                if flags & END_HEADERS != 0 {
                    let block = std::mem::take(&mut self.block);
                    self.paths.put(stream, self.hpack.read(&block).ok()?);
                }
            }
        }
        Some(())
    }
}

/// Gives a HEADERS frame's payload without padding and priority.
fn fragment(payload: &[u8], flags: u8) -> Option<&[u8]> {
    let mut rest = payload;
    let mut padding = 0;
    if flags & PADDED != 0 {
        let (length, after) = rest.split_first()?;
        (padding, rest) = (usize::from(*length), after);
    }
    if flags & PRIORITY != 0 {
        rest = rest.get(5..)?;
    }
    rest.get(..rest.len().checked_sub(padding)?)
}

impl<S: AsyncRead + Unpin> AsyncRead for PathReader<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = out.filled().len();
        ready!(Pin::new(&mut this.stream).poll_read(cx, out))?;
        let read = out.filled().get(before..).unwrap_or_default();
        Poll::Ready(
            this.frames
                .take(read)
                .ok_or_else(|| io::ErrorKind::InvalidData.into()),
        )
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for PathReader<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
        let length = u8::try_from(payload.len()).unwrap();
        [&[0, 0, length, kind, flags, 0, 0, 0, stream], payload].concat()
    }

    fn frames() -> Frames {
        PathReader::new((), Paths::default(), 100).frames
    }

    #[test]
    fn paths_are_found_whatever_the_frames_and_the_reads() {
        let path = |text: &[u8]| [&[4, u8::try_from(text.len()).unwrap()], text].concat();
        let padded = [&[2, 0, 0, 0, 0, 16], &path(b"/padded")[..], &[0, 0]].concat();
        let bytes = [
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
            frame(4, 0, 0, &[]),
            frame(HEADERS, END_HEADERS, 1, &path(b"/a#b")),
            frame(0, 1, 1, b"not a block"),
            frame(HEADERS, 0, 3, &[4]),
            frame(CONTINUATION, 0, 3, &[]),
            frame(CONTINUATION, END_HEADERS, 3, &[2, b'/', b'c']),
            frame(HEADERS, END_HEADERS | PADDED | PRIORITY, 5, &padded),
            frame(HEADERS, END_HEADERS, 5, &path(b"/of-trailers")),
        ]
        .concat();
        for size in [1, 2, 7, 1000] {
            let mut frames = frames();
            for part in bytes.chunks(size) {
                frames.take(part).unwrap();
            }
            assert_eq!(frames.paths.take(1), (Some(Bytes::from_static(b"/a#b")), 0));
            assert_eq!(frames.paths.take(5), (Some(Bytes::from_static(b"/padded")), 1));
            assert_eq!(frames.paths.take(7), (None, 0));
        }
    }

    #[test]
    fn what_cannot_be_read_ends_the_connection() {
        let preface = [0; PREFACE];
        for frame in [
            frame(HEADERS, END_HEADERS, 1, &[0x80]),
            frame(HEADERS, END_HEADERS | PADDED, 1, &[1]),
            frame(HEADERS, END_HEADERS | PRIORITY, 1, &[0; 4]),
            frame(HEADERS, 0, 1, &[0; 101]),
            [
                frame(HEADERS, 0, 1, &[0; 60]),
                frame(CONTINUATION, 0, 1, &[0; 60]),
            ]
            .concat(),
        ] {
            let mut frames = frames();
            frames.take(&preface).unwrap();
            assert_eq!(frames.take(&frame), None, "{frame:?}");
        }
    }
}
