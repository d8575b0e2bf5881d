//! Bytes of a body that wait, in as few pieces as their memory allows.
//!
//! A client chooses how its body is cut. Kept as they arrive, chunks of one byte would cost a handle of 32 bytes each,
//! and keep the framing around them in memory. So small pieces are copied together.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

/// Pieces of less than this are copied together. A handle and the longest framing of a chunk add at most a tenth to a
/// piece of this size.
const SMALL: usize = 512;
/// Size of the buffers in which small pieces are collected.
const COLLECTED: usize = 8 * 1024;

/// Bytes that wait, in order.
#[derive(Debug, Default)]
pub struct Pieces {
    whole: VecDeque<Bytes>,
    /// The small pieces after those in `whole`.
    collected: BytesMut,
    bytes: usize,
}

impl Pieces {
    /// Gives the number of bytes.
    pub fn len(&self) -> usize {
        self.bytes
    }

    /// Whether no byte waits.
    pub fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    /// Adds a piece at the end. A single piece is not copied.
    pub fn push(&mut self, piece: Bytes) {
        if piece.is_empty() {
            return;
        }
        let alone = self.bytes == 0;
        self.bytes += piece.len();
        if alone || piece.len() >= SMALL {
            self.close_collected();
            self.whole.push_back(piece);
            return;
        }
        let room = self.collected.capacity() - self.collected.len();
        if room < piece.len() {
            self.close_collected();
            self.collected = BytesMut::with_capacity(self.least_capacity());
        }
        self.collected.extend_from_slice(&piece);
    }

    /// Takes the first bytes.
    pub fn pop(&mut self) -> Option<Bytes> {
        let piece = match self.whole.pop_front() {
            Some(piece) => piece,
            None if self.collected.is_empty() => return None,
            None => self.collected.split().freeze(),
        };
        self.bytes -= piece.len();
        Some(piece)
    }

    /// Drops all bytes.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Gives all bytes in one piece, and keeps them so. The pieces are freed as they are copied.
    pub fn join(&mut self) -> Bytes {
        if self.whole.len() == 1 && self.collected.is_empty() {
            return self.whole.front().cloned().unwrap_or_default();
        }
        let mut joined = Vec::with_capacity(self.bytes);
        while let Some(piece) = self.pop() {
            joined.extend_from_slice(&piece);
        }
        let joined = Bytes::from(joined);
        self.push(joined.clone());
        joined
    }

    /// Small bodies get small buffers.
    fn least_capacity(&self) -> usize {
        self.bytes.next_power_of_two().clamp(SMALL, COLLECTED)
    }

    fn close_collected(&mut self) {
        if !self.collected.is_empty() {
            let collected = std::mem::take(&mut self.collected);
            self.whole.push_back(collected.freeze());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Pieces {
        /// Memory of the handles and the collecting buffers.
        fn overhead(&self) -> usize {
            self.whole.capacity() * size_of::<Bytes>() + self.collected.capacity()
        }
    }

    #[test]
    fn memory_is_at_most_twice_the_bytes_however_they_are_cut() {
        for size in [1, 2, 7, 100, SMALL - 1, SMALL, 1000, 16_000] {
            let mut pieces = Pieces::default();
            let piece = vec![7; size];
            while pieces.len() < 1 << 20 {
                // A copy for each piece: no two share memory, as those of a client that sends slowly do not.
                pieces.push(Bytes::copy_from_slice(&piece));
            }
            let memory = pieces.len() + pieces.overhead();
            assert!(memory <= 2 * pieces.len(), "{size}: {memory}");
            let all = pieces.join();
            assert!(all.len() >= 1 << 20 && all.iter().all(|byte| *byte == 7));
            assert_eq!(pieces.whole.len(), 1);
        }
    }

    #[test]
    fn bytes_keep_their_order() {
        let mut pieces = Pieces::default();
        let mut expected = Vec::new();
        for n in 0..3000_usize {
            let piece = vec![u8::try_from(n % 251).unwrap(); (n * 37) % 900];
            expected.extend_from_slice(&piece);
            pieces.push(Bytes::from(piece));
        }
        let mut taken = Vec::new();
        for _ in 0..20 {
            taken.extend_from_slice(&pieces.pop().unwrap());
        }
        assert_eq!(pieces.len(), expected.len() - taken.len());
        taken.extend_from_slice(&pieces.join());
        assert!(taken == expected);
        assert!(!pieces.is_empty() && pieces.pop().is_some() && pieces.is_empty());
        assert_eq!(pieces.pop(), None);
    }

    #[test]
    fn a_piece_that_is_alone_is_not_copied() {
        let piece = Bytes::from_static(b"small");
        let mut pieces = Pieces::default();
        pieces.push(piece.clone());
        assert_eq!(pieces.pop().unwrap().as_ptr(), piece.as_ptr());
    }
}
