//! Finding blocks in a file by their magic, whatever else is in it: no database is asked.

use std::io::{self, Read};

use crate::block::{self, BLOCK_LIMIT, Block};

/// How much is read at once.
const CHUNK: usize = 4 << 20;

/// Gives each sound block in `file`, and the offset where it stands, to `each`.
pub(crate) fn sweep(mut file: impl Read, each: &mut dyn FnMut(u64, Block<&[u8]>)) -> io::Result<()> {
    // Begins with what the last round left: a block may cross the border of two reads.
    let mut window: Vec<u8> = Vec::with_capacity(CHUNK + BLOCK_LIMIT);
    let mut passed = 0_u64;
    loop {
        let before = window.len();
        file.by_ref()
            .take(u64::try_from(CHUNK).unwrap_or(u64::MAX))
            .read_to_end(&mut window)?;
        let end = window.len() == before;
        let at = sweep_window(&window, end, passed, each);
        if end {
            return Ok(());
        }
        window.drain(..at.min(window.len()));
        passed = passed.saturating_add(u64::try_from(at).unwrap_or(u64::MAX));
    }
}

/// Sweeps what was read so far, and gives up to where: what may be the begin of a block is left.
fn sweep_window(window: &[u8], end: bool, passed: u64, each: &mut dyn FnMut(u64, Block<&[u8]>)) -> usize {
    let mut at = 0_usize;
    while let Some(rest) = window.get(at..) {
        let Some(next) = block::find_magic(rest) else {
            // The last three bytes may begin a magic.
            return at.max(window.len().saturating_sub(3));
        };
        at += next;
        let rest = rest.get(next..).unwrap_or_default();
        if rest.len() < BLOCK_LIMIT && !end {
            return at;
        }
        match block::at_start(rest) {
            Some(block) => {
                let offset = passed.saturating_add(u64::try_from(at).unwrap_or(u64::MAX));
                at += block.size().max(1);
                each(offset, block);
            }
            None => at += 1,
        }
    }
    at
}
