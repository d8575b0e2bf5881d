//! A batch: blocks of few entries, compressed together. The database gets one batch in place of many small blocks, because a
//! block with one call consists mostly of its header and of texts that it shares with the blocks before it.
//!
//! A batch is stored in a [`Frame`] of magic `TWAS`, version 1. The frame contains whole blocks, byte for byte as they were
//! committed, so that their hashes and the chain do not change.

use std::sync::Arc;

use crate::format::block::{self, Block, CONTENT_LIMIT, Header};
use crate::format::bytes::Malformed;
use crate::format::chain::Hash;
use crate::format::frame::Frame;

const FRAME: Frame = Frame {
    magic: *b"TWAS",
    version: 1,
    limit: CONTENT_LIMIT,
};

/// Most bytes of the blocks of one batch. The database keeps some thousand values in memory, whatever the size of its cache:
/// with batches as large as blocks may be, these would take 50 MB.
pub(crate) const LIMIT: usize = if cfg!(test) { 1_200 } else { 16 << 10 };
/// Most bytes of a block in a batch. A longer block is compressed by itself and stored separately.
pub(crate) const SHORT: usize = if cfg!(test) { 600 } else { block::SHORT };

/// Most bytes of memory that are kept for other blocks.
const KEPT: usize = 256 << 10;

/// Blocks one after the other, with the position of each: in memory only, or read from a stored batch.
#[derive(Debug, Clone, Default)]
pub(crate) struct Batch {
    raw: Vec<u8>,
    // Sequence number of each block's first entry, ascending, and the position of its first byte.
    begins: Vec<(u64, usize)>,
}

impl Batch {
    /// Appends a block, whose first entry has the sequence number `first`.
    pub(crate) fn push(&mut self, first: u64, bytes: &[u8]) {
        self.begins.push((first, self.raw.len()));
        self.raw.extend_from_slice(bytes);
    }

    /// Appends a block with this header and content, and gives its hash.
    pub(crate) fn add(&mut self, header: &Header, content: &[u8]) -> Hash {
        self.begins.push((header.first, self.raw.len()));
        block::encode_onto(&mut self.raw, header, content)
    }

    /// Whether the batch has no blocks.
    pub(crate) fn is_empty(&self) -> bool {
        self.begins.is_empty()
    }

    /// Number of blocks.
    pub(crate) fn count(&self) -> usize {
        self.begins.len()
    }

    /// The bytes of all, one block after the other.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.raw
    }

    /// Removes all blocks. The memory is kept for others, unless it is larger than usual.
    pub(crate) fn clear(&mut self) {
        if self.raw.capacity() > KEPT {
            *self = Self::default();
        }
        self.raw.clear();
        self.begins.clear();
    }

    /// Bytes of all.
    pub(crate) fn size(&self) -> usize {
        self.raw.len()
    }

    /// Sequence number of the first entry; `None` if there is no block.
    pub(crate) fn first(&self) -> Option<u64> {
        self.begins.first().map(|(first, _)| *first)
    }

    /// The last block that begins at or before the sequence number `at`: sequence number and bytes.
    pub(crate) fn at_or_before(&self, at: u64) -> Option<(u64, &[u8])> {
        self.nth(
            self.begins
                .partition_point(|(first, _)| *first <= at)
                .checked_sub(1)?,
        )
    }

    /// The first block that begins at or after the sequence number `at`: sequence number and bytes.
    pub(crate) fn at_or_after(&self, at: u64) -> Option<(u64, &[u8])> {
        self.nth(self.begins.partition_point(|(first, _)| *first < at))
    }

    fn nth(&self, n: usize) -> Option<(u64, &[u8])> {
        let (first, from) = *self.begins.get(n)?;
        let to = self.begins.get(n + 1).map_or(self.raw.len(), |(_, to)| *to);
        Some((first, self.raw.get(from..to)?))
    }

    /// Iterates over the blocks: sequence number and bytes.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, &[u8])> {
        (0..self.begins.len()).filter_map(|n| self.nth(n))
    }

    /// Encodes the value for the database: a batch, or the block itself if there is only one. `None` if the blocks are too long
    /// to be read again.
    pub(crate) fn encode(&self) -> Option<Vec<u8>> {
        if self.begins.len() < 2 {
            return Some(self.raw.clone());
        }
        FRAME.encode(&self.raw)
    }
}

/// Whether `value` begins like a batch.
pub(crate) fn is_batch(value: &[u8]) -> bool {
    value.starts_with(&FRAME.magic)
}

/// Reads a batch, which must be all of `value`.
///
/// # Errors
/// `Malformed`, also if a checksum does not match or the blocks do not ascend.
pub(crate) fn read(value: &[u8]) -> Result<Arc<Batch>, Malformed> {
    match at_start(value) {
        Some((blocks, size)) if size == value.len() => Ok(Arc::new(blocks)),
        _ => Err(Malformed("a batch of blocks differs from the written one")),
    }
}

/// The batch at the start of `bytes`, if it is whole and sound, and its length there.
pub(crate) fn at_start(bytes: &[u8]) -> Option<(Batch, usize)> {
    let (raw, length) = FRAME.at_start(bytes)?;
    Some((split(raw)?, length))
}

/// Finds the blocks in `raw`, which must contain nothing else.
fn split(raw: Vec<u8>) -> Option<Batch> {
    let mut begins: Vec<(u64, usize)> = Vec::new();
    let mut at = 0;
    while at < raw.len() {
        let block: Block<&[u8]> = block::at_start(raw.get(at..)?)?;
        let first = block.header.first;
        if begins.last().is_some_and(|(last, _)| *last >= first) {
            return None;
        }
        begins.push((first, at));
        at += block.size();
    }
    Some(Batch { raw, begins })
}
