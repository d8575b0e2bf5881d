//! The bytes on their way to the other end of a connection.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes, BytesMut};
use tokenward_pdp::wire::encode::Framed;
use tokio::io::AsyncWrite;

/// Number of buffered bytes from which on no more are added before these are written. Data that would exceed it is
/// written without copying.
const FULL: usize = 16 * 1024;
/// Maximum size of a buffer that is kept after a large head.
const KEPT: usize = 64 * 1024;

/// Bytes that are not written yet: the buffer, then the data, then the bytes after it.
#[derive(Debug, Default)]
pub(crate) struct Output {
    buffer: BytesMut,
    /// Number of bytes of the buffer that are written.
    written: usize,
    data: Bytes,
    after: &'static [u8],
}

impl Output {
    /// Gives the buffer for heads and framing, to append to.
    pub(crate) fn buffer(&mut self) -> &mut BytesMut {
        &mut self.buffer
    }

    /// Adds framed data after the buffer.
    pub(crate) fn push(&mut self, framed: Framed) {
        let Framed { data, after } = framed;
        if self.buffer.len() + data.len() <= FULL {
            self.buffer.extend_from_slice(&data);
            self.buffer.extend_from_slice(after);
        } else {
            self.data = data;
            self.after = after;
        }
    }

    /// Whether more may be added. It may not while data waits, since the buffer precedes the data.
    pub(crate) fn has_room(&self) -> bool {
        self.data.is_empty() && self.after.is_empty() && self.buffer.len() < FULL
    }

    /// Whether everything is written.
    pub(crate) fn is_empty(&self) -> bool {
        self.written == self.buffer.len() && self.data.is_empty() && self.after.is_empty()
    }

    /// Writes once, as much as the stream accepts, and gives that number of bytes.
    pub(crate) fn poll_write<W: AsyncWrite + Unpin>(
        &mut self,
        cx: &mut Context<'_>,
        stream: &mut W,
    ) -> Poll<io::Result<usize>> {
        let buffer = self.buffer.get(self.written..).unwrap_or_default();
        let stream = Pin::new(stream);
        let taken = if self.data.is_empty() && self.after.is_empty() {
            stream.poll_write(cx, buffer)
        } else {
            let parts = [buffer, &self.data, self.after].map(IoSlice::new);
            stream.poll_write_vectored(cx, &parts)
        };
        match ready!(taken)? {
            0 => Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
            taken => {
                self.advance(taken);
                Poll::Ready(Ok(taken))
            }
        }
    }

    fn advance(&mut self, taken: usize) {
        let of_buffer = taken.min(self.buffer.len() - self.written);
        self.written += of_buffer;
        let of_data = (taken - of_buffer).min(self.data.len());
        self.data.advance(of_data);
        self.after = self.after.get(taken - of_buffer - of_data..).unwrap_or_default();
        if self.is_empty() {
            self.written = 0;
            self.data = Bytes::new();
            if self.buffer.capacity() > KEPT {
                self.buffer = BytesMut::new();
            } else {
                self.buffer.clear();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    /// Takes so many bytes at each write.
    struct Sink(usize, Vec<u8>);

    impl AsyncWrite for Sink {
        fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
            self.poll_write_vectored(cx, &[IoSlice::new(bytes)])
        }

        fn poll_write_vectored(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            parts: &[IoSlice<'_>],
        ) -> Poll<io::Result<usize>> {
            let before = self.1.len();
            for part in parts {
                let left = self.0 - (self.1.len() - before);
                self.1.extend_from_slice(&part[..part.len().min(left)]);
            }
            Poll::Ready(Ok(self.1.len() - before))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    #[tokio::test]
    async fn bytes_keep_their_order_however_few_are_taken_at_once() {
        for taken in [7, 1000, FULL, usize::MAX] {
            for size in [0, 10, FULL - 6, FULL, 3 * FULL] {
                let mut output = Output::default();
                let mut sink = Sink(taken, Vec::new());
                let mut expected = Vec::new();
                for round in 0..2_u8 {
                    let data = Bytes::from(vec![round; size]);
                    output.buffer().extend_from_slice(b"before");
                    output.push(Framed {
                        data: data.clone(),
                        after: b"\r\n",
                    });
                    expected.extend([b"before".as_slice(), &data, b"\r\n"].concat());
                    while !output.is_empty() {
                        poll_fn(|cx| output.poll_write(cx, &mut sink)).await.unwrap();
                    }
                    assert!(output.has_room() && output.buffer().is_empty());
                }
                assert!(sink.1 == expected, "{size} bytes, {taken} at once");
            }
        }
    }

    #[tokio::test]
    async fn a_small_answer_is_one_write() {
        let mut output = Output::default();
        output.buffer().extend_from_slice(b"head");
        output.push(Framed {
            data: Bytes::from_static(b"body"),
            after: b"",
        });
        let mut sink = Sink(usize::MAX, Vec::new());
        poll_fn(|cx| output.poll_write(cx, &mut sink)).await.unwrap();
        assert!(output.is_empty());
        assert_eq!(sink.1, b"headbody");
    }

    #[tokio::test]
    async fn a_stream_that_takes_nothing_is_an_error() {
        let mut output = Output::default();
        output.buffer().extend_from_slice(b"head");
        let mut sink = Sink(0, Vec::new());
        assert!(poll_fn(|cx| output.poll_write(cx, &mut sink)).await.is_err());
    }
}
