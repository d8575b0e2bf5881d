//! Where the chain stands at the beginning and at the end of a period, and every sound block of it, found in its files.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use crate::disk::bad_sectors::SkippingFile;
use crate::disk::faults;
use crate::error::of_file;
use crate::format::block::{Block, Header};
use crate::format::chain::Chain;
use crate::period::find_blocks::find_blocks;
use crate::period::journal;

/// The file with the data of a period.
pub(crate) const DATA: &str = "db";
/// How much of the data is searched for its end first: what was written last stands there, but for space used again.
const TAIL: u64 = 16 << 20;
/// How much of it is searched for its first block. The database writes a leaf again until it is full: of large blocks the first
/// comes to stand 14 MB behind the beginning.
const BEGINNING: u64 = 64 << 20;

/// A block found, copied out.
pub(crate) type Found = Block<Vec<u8>>;

/// The sound blocks in the directory of a period, by the place of their first entry. Of several with
/// one place (the database moves blocks about and leaves copies) any: all that carry a checksum and
/// one place are the same block, since no place is used twice.
///
/// Reads all data once, past what cannot be read, and gives how many bytes that were; memory is that of the blocks found.
pub(crate) fn blocks(directory: &Path) -> io::Result<(BTreeMap<u64, Found>, u64)> {
    let mut found = BTreeMap::new();
    let mut see = |block: Block<&[u8]>| {
        found
            .entry(block.header.first)
            .or_insert_with(|| block.to_owned());
    };
    // Before the data: what is moved meanwhile is then found twice, and not never.
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

/// Where the chain ends after the last sound block in the directory of a period. Where the `expected` end is found in the
/// journal, or in the last bytes of the data, the rest is not read.
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

/// Where the chain stood when the period in `directory` began, as its first block says. Only the journal and the first bytes
/// of the data are read: `None` where that block is not found there.
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
