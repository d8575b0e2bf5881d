//! Reading what is left of a period whose database does not open: its files are searched for blocks,
//! each of which can be read and judged alone.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use crate::block::{self, Block, Head};
use crate::decode::Seen;
use crate::entry::{Entry, Sequence};
use crate::journal;
use crate::record::Outcome;
use crate::sweep::sweep;

/// A block found, copied out.
pub(crate) type Found = Block<Vec<u8>>;

/// The sound blocks in the directory of a period, by the place of their first entry. Of several with
/// one place (the database moves blocks about and leaves copies) any: all that carry a checksum and
/// one place are the same block, since no place is used twice.
///
/// Reads all data once; memory is that of the blocks found.
pub(crate) fn blocks(directory: &Path) -> io::Result<BTreeMap<u64, Found>> {
    let mut found = BTreeMap::new();
    search(directory, |block| {
        found.entry(block.head.first).or_insert_with(|| block.to_owned());
    })?;
    Ok(found)
}

/// Head and hash of the last sound block in the directory of a period.
pub(crate) fn last(directory: &Path) -> io::Result<Option<(Head, block::Hash)>> {
    let mut last: Option<(Head, block::Hash)> = None;
    search(directory, |block| {
        if last.is_none_or(|(head, _)| head.first < block.head.first) {
            last = Some((block.head, block.hash));
        }
    })?;
    Ok(last)
}

fn search(directory: &Path, mut each: impl FnMut(Block<&[u8]>)) -> io::Result<()> {
    // Before the data: what is moved meanwhile is then found twice, and not never.
    let journal = journal::bytes(directory)?;
    match File::open(directory.join("db")) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => {}
        file => sweep(file?, &mut |_, block| each(block))?,
    }
    for (_, block) in journal::blocks(&journal) {
        each(block);
    }
    Ok(())
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
}

/// The period cannot be searched.
#[derive(Debug, thiserror::Error)]
#[error("cannot read the period {}: {source}; check that this user may read it", directory.display())]
pub struct SalvageError {
    /// Directory of the period.
    pub directory: PathBuf,
    /// Why not.
    pub source: io::Error,
}

/// Searches the directory of one period for whatever is sound in it, without changing it. The store
/// need not be open, nor closed. Memory is that of all that is found.
///
/// # Errors
/// See [`SalvageError`]. A directory without a database gives nothing.
pub fn salvage(directory: &Path) -> Result<Salvaged, SalvageError> {
    let found = blocks(directory).map_err(|source| SalvageError {
        directory: directory.to_owned(),
        source,
    })?;
    let mut salvaged = Salvaged::default();
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
        next = head.last().checked_add(1);
        while let Ok(Some((place, seen))) = items.next() {
            match seen {
                Seen::Decision(view) => {
                    let record = view.to_record();
                    at.insert(record.request_id, place);
                    salvaged.entries.push(Entry {
                        sequence: Sequence(place),
                        record,
                        outcome: None,
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
    Ok(salvaged)
}
