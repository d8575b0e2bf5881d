//! Reading what is left of a period whose database does not open: its files are searched for blocks,
//! each of which can be read and judged alone.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::block::{Block, Head};
use crate::chain::Chain;
use crate::decode::Seen;
use crate::entry::{Entry, Sequence};
use crate::error::of_file;
use crate::faults;
use crate::gaps::Gaps;
use crate::journal;
use crate::note;
use crate::period::Period;
use crate::record::Outcome;
use crate::sweep::sweep;

/// The file with the data of a period.
const DATA: &str = "db";
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
        found.entry(block.head.first).or_insert_with(|| block.to_owned());
    };
    // Before the data: what is moved meanwhile is then found twice, and not never.
    let (journal, mut unread) = journal::sound_bytes(directory)?;
    if let Some(file) = data(directory)? {
        let mut file = Gaps::of(file).map_err(in_data)?;
        sweep(&mut file, &mut |_, block| see(block)).map_err(in_data)?;
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
        if last.is_none_or(|(first, _)| first < block.head.first) {
            let chain = Chain {
                next: block.head.last().saturating_add(1),
                hash: block.hash,
            };
            last = Some((block.head.first, chain));
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
        sweep(&file, &mut |_, block| found = see(block)).map_err(in_data)?;
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
    let mut see = |head: &Head| {
        if head.first_of_period {
            found = Some(Chain {
                next: head.first,
                hash: head.previous,
            });
        }
    };
    for (_, block) in journal::blocks(&journal::bytes(directory)?) {
        see(&block.head);
    }
    if let Some(file) = data(directory)? {
        sweep(file.take(BEGINNING), &mut |_, block| see(&block.head)).map_err(in_data)?;
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

/// What was found in a period that does not open.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Salvaged {
    /// Sound blocks found.
    pub blocks: u64,
    /// The calls in them, oldest first, with those outcomes that were found.
    pub entries: Vec<Entry>,
    /// Gaps between the blocks: first and last place that is missing.
    pub missing: Vec<(Sequence, Sequence)>,
    /// What is missing after the last block, as the store's next period, or its `HEAD`, tells; absent where neither does.
    pub missing_after: Option<(Sequence, Sequence)>,
    /// The first block found, where that is not the one that the period began with: of what stood before, nobody tells
    /// how much it was.
    pub begins_late: Option<Sequence>,
    /// Bytes of its files that the disk did not give: what was in them is not found.
    pub unread_bytes: u64,
    /// Bytes of its files.
    pub bytes: u64,
}

/// The period cannot be searched.
#[derive(Debug, thiserror::Error)]
pub enum SalvageError {
    /// It cannot be read.
    #[error("cannot read the period {}: {source}; check that this user may read it", directory.display())]
    Unreadable {
        /// Directory of the period.
        directory: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// It is a store.
    #[error(
        "{} is a store, not a period; name one of its periods: {}",
        directory.display(),
        periods.join(", ")
    )]
    Store {
        /// The directory.
        directory: PathBuf,
        /// Names of the directories of its periods.
        periods: Vec<String>,
    },
    /// Nothing of ours is there.
    #[error(
        "{} has no file of a period ({DATA}, journal-0); name a directory of the store such as 2026-11-24",
        directory.display()
    )]
    NoPeriod {
        /// The directory.
        directory: PathBuf,
    },
}

/// Searches the directory of one period for whatever is sound in it, without changing it. The store
/// need not be open, nor closed. Memory is that of all that is found.
///
/// # Errors
/// See [`SalvageError`].
pub fn salvage(directory: &Path) -> Result<Salvaged, SalvageError> {
    let unreadable = |source| SalvageError::Unreadable {
        directory: directory.to_owned(),
        source,
    };
    let bytes = bytes_of(directory).map_err(unreadable)?;
    let Some(bytes) = bytes else {
        let periods = periods_with_files(directory).map_err(unreadable)?;
        let directory = directory.to_owned();
        return Err(if periods.is_empty() {
            SalvageError::NoPeriod { directory }
        } else {
            let periods = periods.iter().map(ToString::to_string).collect();
            SalvageError::Store { directory, periods }
        });
    };
    let (found, unread_bytes) = blocks(directory).map_err(unreadable)?;
    let mut salvaged = Salvaged {
        unread_bytes,
        bytes,
        ..Salvaged::default()
    };
    let mut last = None;
    let mut at = HashMap::new();
    let mut next = None;
    for block in found.values() {
        let Ok(content) = block.content() else { continue };
        let Ok(mut items) = block.items(&content) else {
            continue;
        };
        salvaged.blocks += 1;
        let head = &block.head;
        if let Some(from) = next.filter(|from| *from < head.first) {
            salvaged
                .missing
                .push((Sequence(from), Sequence(head.first.saturating_sub(1))));
        }
        if last.is_none() && !head.first_of_period {
            salvaged.begins_late = Some(Sequence(head.first));
        }
        next = head.last().checked_add(1);
        last = Some(Chain {
            next: head.last().saturating_add(1),
            hash: block.hash,
        });
        while let Ok(Some((place, seen))) = items.next() {
            match seen {
                Seen::Decision(view) => {
                    let record = view.to_record();
                    at.insert(record.request_id, place);
                    salvaged.entries.push(Entry {
                        sequence: Sequence(place),
                        record,
                        outcome: None,
                        is_lost: false,
                    });
                }
                Seen::Ended(ended) => {
                    let decision = ended
                        .decision
                        .or_else(|| at.get(&ended.outcome.request_id).copied());
                    let entry = decision.and_then(|d| {
                        let n = salvaged.entries.binary_search_by_key(&d, |e| e.sequence.0).ok()?;
                        salvaged.entries.get_mut(n)
                    });
                    if let Some(entry) = entry {
                        let request_id = entry.record.request_id;
                        entry.outcome = Some(Outcome {
                            request_id,
                            ..ended.outcome
                        });
                    }
                }
                Seen::Event(_) => {}
            }
        }
    }
    salvaged.missing_after = last
        .zip(followed_by(directory))
        .filter(|(last, then)| last.hash != then.hash && last.next < then.next)
        .map(|(last, then)| (Sequence(last.next), Sequence(then.next.saturating_sub(1))));
    Ok(salvaged)
}

/// Whether the directory is a store, or a copy of one: it has periods with files.
pub fn is_store(directory: &Path) -> bool {
    periods_with_files(directory).is_ok_and(|periods| !periods.is_empty())
}

fn periods_with_files(root: &Path) -> io::Result<Vec<Period>> {
    let mut periods = Period::list(root)?;
    periods.retain(|period| matches!(bytes_of(&root.join(period.to_string())), Ok(Some(_))));
    Ok(periods)
}

/// Bytes of the files of a period; `None` where there are none of them.
fn bytes_of(directory: &Path) -> io::Result<Option<u64>> {
    let mut bytes = None;
    for name in [DATA, "journal-0", "journal-1"] {
        match std::fs::metadata(directory.join(name)) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            found => bytes = Some(bytes.unwrap_or(0) + found?.len()),
        }
    }
    Ok(bytes)
}

/// Where the chain stood behind the period in `directory`, as the store's next period says, or its `HEAD` where there is
/// none. `None` where nothing tells.
fn followed_by(directory: &Path) -> Option<Chain> {
    let directory = directory.canonicalize().ok()?;
    let root = directory.parent()?;
    let this = Period::parse(directory.file_name()?.to_str()?)?;
    let periods = Period::list(root).ok()?;
    match periods.into_iter().find(|period| *period > this) {
        Some(next) => begin(&root.join(next.to_string())).ok()?,
        None => note::read(root),
    }
}
