//! A sheaf: blocks of few entries, one behind the other, compressed together. It is what the database is given in their
//! place: a block that was committed for one call is mostly its head, and what it shares with those before it.
//!
//! Stored in a [`Frame`] of magic `TWAS`, version 1. Raw are whole blocks, bytes as they were committed, so that their hashes
//! and the chain are what they were.

use std::sync::Arc;

use crate::format::block::{self, Block, CONTENT_LIMIT};
use crate::format::bytes::Malformed;
use crate::format::frame::Frame;

const FRAME: Frame = Frame {
    magic: *b"TWAS",
    version: 1,
    limit: CONTENT_LIMIT,
};

/// Most bytes of the blocks of one. sled keeps at least 256 leaves in memory, of up to seventeen values each, whatever its
/// cache may take: of sheaves as large as blocks may be these were 50 MB. See also `store::LOOKS`.
pub(crate) const LIMIT: usize = if cfg!(test) { 1_200 } else { 16 << 10 };
/// Most bytes of a block in one: one that is longer is compressed by itself, and stands alone.
pub(crate) const SHORT: usize = if cfg!(test) { 600 } else { block::SHORT };

/// Batch, one behind the other, and where each stands: in memory alone, or out of a sheaf.
#[derive(Debug, Clone, Default)]
pub(crate) struct Batch {
    raw: Vec<u8>,
    // Place of the first entry of each, ascending, and where it begins.
    begins: Vec<(u64, usize)>,
}

impl Batch {
    /// Adds a block, whose first entry has the place `first`, behind all.
    pub(crate) fn push(&mut self, first: u64, bytes: &[u8]) {
        self.begins.push((first, self.raw.len()));
        self.raw.extend_from_slice(bytes);
    }

    /// Bytes of all.
    pub(crate) fn size(&self) -> usize {
        self.raw.len()
    }

    /// Place of the first entry of all; `None` if there is no block.
    pub(crate) fn first(&self) -> Option<u64> {
        self.begins.first().map(|(first, _)| *first)
    }

    /// The block that begins at the place `at`, or the last one before it: place and bytes.
    pub(crate) fn at_or_before(&self, at: u64) -> Option<(u64, &[u8])> {
        self.nth(
            self.begins
                .partition_point(|(first, _)| *first <= at)
                .checked_sub(1)?,
        )
    }

    /// The first block that begins at the place `at` or after it: place and bytes.
    pub(crate) fn at_or_after(&self, at: u64) -> Option<(u64, &[u8])> {
        self.nth(self.begins.partition_point(|(first, _)| *first < at))
    }

    fn nth(&self, n: usize) -> Option<(u64, &[u8])> {
        let (first, from) = *self.begins.get(n)?;
        let to = self.begins.get(n + 1).map_or(self.raw.len(), |(_, to)| *to);
        Some((first, self.raw.get(from..to)?))
    }

    /// Each: place and bytes.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, &[u8])> {
        (0..self.begins.len()).filter_map(|n| self.nth(n))
    }

    /// What the database is given for them: a sheaf, or the block itself where there is one alone; `None` where they are
    /// too long, together, to be read again.
    pub(crate) fn encode(&self) -> Option<Vec<u8>> {
        if self.begins.len() < 2 {
            return Some(self.raw.clone());
        }
        FRAME.encode(&self.raw)
    }
}

/// Whether `value` says that it is a sheaf.
pub(crate) fn is_batch(value: &[u8]) -> bool {
    value.starts_with(&FRAME.magic)
}

/// Reads a sheaf, which must be all of `value`.
///
/// # Errors
/// `Malformed` also where a checksum does not hold, or the blocks do not ascend.
pub(crate) fn read(value: &[u8]) -> Result<Arc<Batch>, Malformed> {
    match at_start(value) {
        Some((blocks, size)) if size == value.len() => Ok(Arc::new(blocks)),
        _ => Err(Malformed("a sheaf of blocks is not what was written")),
    }
}

/// The sheaf that begins `bytes`, if a whole and sound one does, and its length there.
pub(crate) fn at_start(bytes: &[u8]) -> Option<(Batch, usize)> {
    let (raw, length) = FRAME.at_start(bytes)?;
    Some((split(raw)?, length))
}

/// Finds the blocks in `raw`, which must be nothing else.
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
