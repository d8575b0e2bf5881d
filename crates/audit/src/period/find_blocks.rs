//! Finding blocks and batches in any file by their magic, without the database.

use std::io::{self, Read};

use crate::format::batch;
use crate::format::block::{self, BLOCK_LIMIT, Block, MAGICS};

/// How much is read at once.
const CHUNK: usize = 4 << 20;

/// Position of a block in a file: its own, or that of its batch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Location {
    /// Position of the first byte.
    pub(crate) offset: u64,
    /// Number of bytes.
    pub(crate) length: usize,
    /// Whether a batch is at the position.
    pub(crate) is_batch: bool,
}

/// Gives each sound block in `file`, with its position, to `each`.
pub(crate) fn find_blocks(
    mut file: impl Read,
    each: &mut dyn FnMut(Location, Block<&[u8]>),
) -> io::Result<()> {
    // Begins with the rest of the last round: a block may cross the border of two reads.
    let mut window: Vec<u8> = Vec::with_capacity(CHUNK + BLOCK_LIMIT);
    let mut passed = 0_u64;
    loop {
        let before = window.len();
        file.by_ref()
            .take(u64::try_from(CHUNK).unwrap_or(u64::MAX))
            .read_to_end(&mut window)?;
        let end = window.len() == before;
        let at = search_window(&window, end, passed, each);
        if end {
            return Ok(());
        }
        window.drain(..at.min(window.len()));
        passed = passed.saturating_add(u64::try_from(at).unwrap_or(u64::MAX));
    }
}

/// Searches the bytes read so far, and returns how many are done: the rest may be the beginning of a block.
fn search_window(
    window: &[u8],
    end: bool,
    passed: u64,
    each: &mut dyn FnMut(Location, Block<&[u8]>),
) -> usize {
    let mut at = 0_usize;
    while let Some(rest) = window.get(at..) {
        let Some(next) = memchr::memmem::find(rest, MAGICS) else {
            // The last bytes may begin a magic.
            return at.max(window.len().saturating_sub(MAGICS.len() - 1));
        };
        at += next;
        let rest = rest.get(next..).unwrap_or_default();
        if rest.len() < BLOCK_LIMIT && !end {
            return at;
        }
        let stand = |length, is_batch| Location {
            offset: passed.saturating_add(u64::try_from(at).unwrap_or(u64::MAX)),
            length,
            is_batch,
        };
        let mut size = 1;
        if let Some(block) = block::at_start(rest) {
            size = block.size();
            each(stand(size, false), block);
        } else if let Some((blocks, length)) = batch::at_start(rest) {
            size = length;
            for (_, bytes) in blocks.iter() {
                if let Some(block) = block::at_start(bytes) {
                    each(stand(size, true), block);
                }
            }
        }
        at += size;
    }
    at
}
