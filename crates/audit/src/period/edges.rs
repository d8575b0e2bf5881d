//! The beginning and the end of the chain in a period, and all its sound blocks, found in its files.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use crate::disk::bad_sectors::SkippingFile;
use crate::disk::faults;
use crate::error::of_file;
use crate::format::block::{Block, Header};
use crate::format::chain::Chain;
use crate::period::database::StoredBlock;
use crate::period::find_blocks::find_blocks;
use crate::period::journal;
use crate::period::name::Period;

/// The file with the data of a period.
pub(crate) const DATA: &str = "db";
/// Bytes of the data that are searched for the end first: the newest blocks are there, except in reused space.
const TAIL: u64 = 16 << 20;
/// Bytes of the data that are searched for the first block. The database rewrites a leaf until it is full: large first blocks
/// are 14 MB after the beginning.
const BEGINNING: u64 = 64 << 20;

/// Finds the sound blocks in the directory of a period, by the sequence number of their first entry. The database moves blocks
/// and leaves copies. Any copy will do: blocks with a matching checksum and the same sequence number are equal, because no
/// sequence number is reused.
///
/// Reads all data once, skips unreadable parts, and returns how many bytes these were. Memory: that of the blocks found.
pub(crate) fn blocks(directory: &Path) -> io::Result<(BTreeMap<u64, StoredBlock>, u64)> {
    let mut found = BTreeMap::new();
    let mut see = |block: Block<&[u8]>| {
        found
            .entry(block.header.first)
            .or_insert_with(|| block.to_owned());
    };
    // The journal is read before the data: a block that is moved meanwhile is then found twice, and not missed.
    let (journal, mut unread) = journal::sound_bytes(directory)?;
    if let Some(file) = data(directory)? {
        let mut file = SkippingFile::of(file).map_err(in_data)?;
        find_blocks(&mut file, &mut |_, block| see(block)).map_err(in_data)?;
        unread += file.unread();
    }
    for (_, block) in journal::blocks(&journal) {
        see(block);
    }
    Ok((found, unread))
}

/// The end of the chain after the last sound block in the directory of a period. If the `expected` end is found in the journal,
/// or in the last bytes of the data, the rest is not read.
pub(crate) fn end(directory: &Path, expected: Option<Chain>) -> io::Result<Option<Chain>> {
    let mut last: Option<(u64, Chain)> = None;
    let mut see = |block: Block<&[u8]>| {
        if last.is_none_or(|(first, _)| first < block.header.first) {
            let chain = Chain {
                next: block.header.last().saturating_add(1),
                hash: block.hash,
            };
            last = Some((block.header.first, chain));
        }
        last.map(|(_, chain)| chain)
    };
    let mut found = None;
    let journal = journal::bytes(directory)?;
    for (_, block) in journal::blocks(&journal) {
        found = see(block);
    }
    if found.is_some() && found == expected {
        return Ok(found);
    }
    let Some(mut file) = data(directory)? else {
        return Ok(found);
    };
    let length = file.metadata()?.len();
    for from in [length.saturating_sub(TAIL), 0] {
        file.seek(SeekFrom::Start(from))?;
        find_blocks(&file, &mut |_, block| found = see(block)).map_err(in_data)?;
        if from == 0 || (found.is_some() && found == expected) {
            break;
        }
    }
    Ok(found)
}

/// The state of the chain at the beginning of the period in `directory`, from its first block. Only the journal and the first
/// bytes of the data are read; `None` if they do not contain that block.
pub(crate) fn begin(directory: &Path) -> io::Result<Option<Chain>> {
    let mut found = None;
    let mut see = |header: &Header| {
        if header.first_of_period {
            found = Some(Chain {
                next: header.first,
                hash: header.previous,
            });
        }
    };
    for (_, block) in journal::blocks(&journal::bytes(directory)?) {
        see(&block.header);
    }
    if let Some(file) = data(directory)? {
        find_blocks(file.take(BEGINNING), &mut |_, block| see(&block.header)).map_err(in_data)?;
    }
    Ok(found)
}

/// The state of the chain at the beginning of each later period of the store at `root`, in their order: [`begin`] of those
/// periods after `period` that `counts` selects. `None` if the periods cannot be listed, or if none follows.
pub(crate) fn beginnings_after(
    root: &Path,
    period: Period,
    counts: impl Fn(Period) -> bool,
) -> Option<impl Iterator<Item = io::Result<Option<Chain>>>> {
    let mut later = Period::list(root).ok()?;
    later.retain(|other| *other > period && counts(*other));
    let begin = move |other: Period| begin(&root.join(other.to_string()));
    (!later.is_empty()).then(|| later.into_iter().map(begin))
}

/// The file with the data of a period, if there is one.
fn data(directory: &Path) -> io::Result<Option<File>> {
    let path = directory.join(DATA);
    match faults::check(&path, faults::Act::Read).and_then(|()| File::open(path)) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        file => file.map(Some).map_err(in_data),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it maps errors")]
fn in_data(error: io::Error) -> io::Error {
    of_file(DATA, &error)
}
