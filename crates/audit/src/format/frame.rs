//! The frame of compressed data other than blocks: batches, and chunks of counts.
//!
//! Little-endian: magic, version, flags (1: compressed), raw length u32, stored length u32, stored bytes (LZ4), crc32 of all
//! bytes before it.

use crate::format::bytes::Cursor;

const COMPRESSED: u8 = 1;
const HEADER_SIZE: usize = 4 + 1 + 1 + 4 + 4;
/// LZ4 makes of a byte no more than so many.
const EXPANSION: usize = 255;

/// A kind of frame.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame {
    /// What each begins with.
    pub(crate) magic: [u8; 4],
    /// Version of the content.
    pub(crate) version: u8,
    /// Most bytes in it, unpacked; below 4 GiB.
    pub(crate) limit: usize,
}

impl Frame {
    /// Frames `raw`; `None` if it is longer than the limit.
    pub(crate) fn encode(&self, raw: &[u8]) -> Option<Vec<u8>> {
        if raw.len() > self.limit {
            return None;
        }
        let packed = lz4_flex::block::compress(raw);
        let (stored, flags) = if packed.len() < raw.len() {
            (packed.as_slice(), COMPRESSED)
        } else {
            (raw, 0)
        };
        let mut out = Vec::with_capacity(HEADER_SIZE + stored.len() + 4);
        out.extend_from_slice(&self.magic);
        out.extend_from_slice(&[self.version, flags]);
        for length in [raw.len(), stored.len()] {
            out.extend_from_slice(&u32::try_from(length).ok()?.to_le_bytes());
        }
        out.extend_from_slice(stored);
        let crc = crc32fast::hash(&out);
        out.extend_from_slice(&crc.to_le_bytes());
        Some(out)
    }

    /// The content of the frame at the start of `bytes`, if it is whole and sound, and the frame's length there.
    pub(crate) fn at_start(&self, bytes: &[u8]) -> Option<(Vec<u8>, usize)> {
        let mut from = Cursor(bytes);
        let (magic, version, flags) = (from.array().ok()?, from.byte().ok()?, from.byte().ok()?);
        if magic != self.magic || version != self.version {
            return None;
        }
        let mut length = || usize::try_from(u32::from_le_bytes(from.array().ok()?)).ok();
        let (raw_length, stored_length) = (length()?, length()?);
        if raw_length > self.limit.min(stored_length.saturating_mul(EXPANSION)) || stored_length > raw_length
        {
            return None;
        }
        let stored = from.take(stored_length).ok()?;
        let crc = u32::from_le_bytes(from.array().ok()?);
        if crc32fast::hash(bytes.get(..HEADER_SIZE + stored_length)?) != crc {
            return None;
        }
        let raw = if flags & COMPRESSED == 0 {
            stored.to_vec()
        } else {
            let mut raw = vec![0; raw_length];
            let n = lz4_flex::block::decompress_into(stored, &mut raw).ok()?;
            (n == raw_length).then_some(raw)?
        };
        Some((raw, HEADER_SIZE + stored_length + 4))
    }
}
