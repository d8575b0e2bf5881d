//! Finding blocks, and those in sheaves, in a file by their magic, whatever else is in it: no database is asked.

use std::io::{self, Read};

use crate::format::batch;
use crate::format::block::{self, BLOCK_LIMIT, Block, MAGICS};

/// How much is read at once.
const CHUNK: usize = 4 << 20;

/// Where a block stands in a file: alone, or in a sheaf, which then is what stands there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Location {
    /// Where it begins, bytes.
    pub(crate) offset: u64,
    /// Its bytes.
    pub(crate) length: usize,
    /// Whether it is a sheaf.
    pub(crate) is_batch: bool,
}

/// Gives each sound block in `file`, and where it stands, to `each`.
pub(crate) fn find_blocks(
    mut file: impl Read,
    each: &mut dyn FnMut(Location, Block<&[u8]>),
) -> io::Result<()> {
    // Begins with what the last round left: a block may cross the border of two reads.
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

/// Sweeps what was read so far, and gives up to where: what may be the begin of a block is left.
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
