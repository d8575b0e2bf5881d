//! Reading what is left of a period whose database does not open: its files are searched for blocks,
//! each of which can be read and judged alone.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

use crate::format::chain::Chain;
use crate::format::decode::ItemView;
use crate::model::entry::{Entry, Sequence};
use crate::model::record::Outcome;
use crate::period::edges::{DATA, begin, blocks};
use crate::period::name::Period;
use crate::store::end_note;

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
        let header = &block.header;
        if let Some(from) = next.filter(|from| *from < header.first) {
            salvaged
                .missing
                .push((Sequence(from), Sequence(header.first.saturating_sub(1))));
        }
        if last.is_none() && !header.first_of_period {
            salvaged.begins_late = Some(Sequence(header.first));
        }
        next = header.last().checked_add(1);
        last = Some(Chain {
            next: header.last().saturating_add(1),
            hash: block.hash,
        });
        while let Ok(Some((sequence, seen))) = items.next() {
            match seen {
                ItemView::Decision(view) => {
                    let record = view.to_record();
                    at.insert(record.request_id, sequence);
                    salvaged.entries.push(Entry {
                        sequence: Sequence(sequence),
                        record,
                        outcome: None,
                        is_lost: false,
                    });
                }
                ItemView::Ended(ended) => {
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
                ItemView::Event(_) => {}
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
        None => end_note::read(root),
    }
}
