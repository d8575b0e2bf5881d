//! Reading what is left of a period whose database does not open: its files are searched for blocks,
//! each of which can be read and judged alone.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::block::{self, BLOCK_LIMIT, Block, Head};

/// A block found, copied out.
pub(crate) type Found = Block<Vec<u8>>;

/// How much is read at once.
const CHUNK: usize = 4 << 20;

/// The sound blocks in the directory of a period, by the place of their first entry. Of several with
/// one place (the database moves blocks about and leaves copies) any: all that carry a checksum and
/// one place are the same block, since no place is used twice.
///
/// Reads all data once; memory is that of the blocks found.
pub(crate) fn blocks(directory: &Path) -> io::Result<BTreeMap<u64, Found>> {
    let mut found = BTreeMap::new();
    search(directory, &mut |block| {
        found.entry(block.head.first).or_insert_with(|| block.to_owned());
    })?;
    Ok(found)
}

/// Head and hash of the last sound block in the directory of a period.
pub(crate) fn last(directory: &Path) -> io::Result<Option<(Head, block::Hash)>> {
    let mut last: Option<(Head, block::Hash)> = None;
    search(directory, &mut |block| {
        if last.is_none_or(|(head, _)| head.first < block.head.first) {
            last = Some((block.head, block.hash));
        }
    })?;
    Ok(last)
}

fn search(directory: &Path, each: &mut dyn FnMut(Block<&[u8]>)) -> io::Result<()> {
    let mut file = match File::open(directory.join("db")) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other?,
    };
    // Begins with what the last round left: a block may cross the border of two reads.
    let mut window: Vec<u8> = Vec::with_capacity(CHUNK + BLOCK_LIMIT);
    loop {
        let before = window.len();
        file.by_ref().take(u64::try_from(CHUNK).unwrap_or(u64::MAX)).read_to_end(&mut window)?;
        let end = window.len() == before;
        let mut at = 0;
        while let Some(rest) = window.get(at..) {
            if rest.len() < BLOCK_LIMIT && !end {
                break;
            }
            let Some(next) = block::find_magic(rest) else {
                // The last three bytes may begin a magic.
                at = if end { window.len() } else { window.len().saturating_sub(3) };
                break;
            };
            let rest = rest.get(next..).unwrap_or_default();
            if rest.len() < BLOCK_LIMIT && !end {
                at += next;
                break;
            }
            at += next;
            match block::at_start(rest) {
                Some(block) => {
                    at += block.size().max(1);
                    each(block);
                }
                None => at += 1,
            }
        }
        if end {
            return Ok(());
        }
        window.drain(..at.min(window.len()));
    }
}
