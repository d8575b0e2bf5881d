//! Reading the rest of a damaged period: its files are searched for blocks, each of which can be read and checked by itself.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

use crate::format::chain::Chain;
use crate::format::decode::ItemView;
use crate::model::entry::{Entry, Sequence};
use crate::period::database::StoredBlock;
use crate::period::edges::{DATA, beginnings_after, blocks};
use crate::period::name::Period;
use crate::store::end_note;

/// The content found in a damaged period.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Salvaged {
    /// Sound blocks found.
    pub blocks: u64,
    /// The calls in them, oldest first, with those outcomes that were found.
    pub entries: Vec<Entry>,
    /// Gaps between the blocks: first and last missing entry.
    pub missing: Vec<(Sequence, Sequence)>,
    /// Entries missing after the last block, as the store's next period or its `HEAD` shows; absent if neither does.
    pub missing_after: Option<(Sequence, Sequence)>,
    /// The first entry found, if the period began with an earlier one. How many entries are missing before it is not known.
    pub begins_late: Option<Sequence>,
    /// Bytes of the files that the disk could not read.
    pub unread_bytes: u64,
    /// Bytes of its files.
    pub bytes: u64,
}

/// The period cannot be searched.
#[derive(Debug, thiserror::Error)]
pub enum SalvageError {
    /// The directory cannot be read.
    #[error("cannot read the period {}: {source}; check that this user may read it", directory.display())]
    Unreadable {
        /// Directory of the period.
        directory: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The directory is a store.
    #[error(
        "{} is a store, not a period; specify one of its periods: {}",
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
        "{} has no file of a period ({DATA}, journal-0); specify a directory of the store, such as 2026-11-24",
        directory.display()
    )]
    NoPeriod {
        /// The directory.
        directory: PathBuf,
    },
}

/// Searches the directory of one period for sound blocks, without changing it. The store may be open or closed. Memory: that
/// of all entries found.
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
    let mut search = Search::default();
    search.salvaged.unread_bytes = unread_bytes;
    search.salvaged.bytes = bytes;
    for block in found.values() {
        search.block(block);
    }
    Ok(search.finish(followed_by(directory)))
}

/// A search of one period.
#[derive(Default)]
struct Search {
    salvaged: Salvaged,
    // End of the last sound block.
    end: Option<Chain>,
    // Sequence numbers of the calls found, by the id of the call.
    decisions: HashMap<[u8; 16], u64>,
}

impl Search {
    /// Takes the calls of a block, if its content is sound. Blocks are given in their order.
    fn block(&mut self, block: &StoredBlock) {
        let Ok(content) = block.content() else { return };
        let Ok(mut items) = block.items(&content) else {
            return;
        };
        let header = &block.header;
        self.salvaged.blocks += 1;
        match self.end {
            Some(end) if end.next < header.first => {
                let last = Sequence(header.first.saturating_sub(1));
                self.salvaged.missing.push((Sequence(end.next), last));
            }
            None if !header.first_of_period => self.salvaged.begins_late = Some(Sequence(header.first)),
            _ => {}
        }
        self.end = Some(Chain {
            next: header.last().saturating_add(1),
            hash: block.hash,
        });
        while let Ok(Some((sequence, item))) = items.next() {
            self.item(sequence, &item);
        }
    }

    fn item(&mut self, sequence: u64, item: &ItemView<'_>) {
        match item {
            ItemView::Decision(view) => {
                let record = view.to_record();
                self.decisions.insert(record.request_id, sequence);
                self.salvaged
                    .entries
                    .push(Entry::decided(Sequence(sequence), record));
            }
            ItemView::Ended(ended) => {
                let decision = ended.decision_in(&self.decisions);
                let entries = &mut self.salvaged.entries;
                let at = decision.and_then(|d| entries.binary_search_by_key(&d, |e| e.sequence.0).ok());
                if let Some(entry) = at.and_then(|at| entries.get_mut(at)) {
                    entry.end(&ended.outcome);
                }
            }
            ItemView::Event(_) => {}
        }
    }

    /// Adds the gap up to the state of the chain after the period.
    fn finish(mut self, followed_by: Option<Chain>) -> Salvaged {
        if let (Some(end), Some(then)) = (self.end, followed_by)
            && end.hash != then.hash
            && end.next < then.next
        {
            let last = Sequence(then.next.saturating_sub(1));
            self.salvaged.missing_after = Some((Sequence(end.next), last));
        }
        self.salvaged
    }
}

/// Whether the directory is a store or a copy of one: it contains periods with files.
pub fn is_store(directory: &Path) -> bool {
    periods_with_files(directory).is_ok_and(|periods| !periods.is_empty())
}

fn periods_with_files(root: &Path) -> io::Result<Vec<Period>> {
    let mut periods = Period::list(root)?;
    periods.retain(|period| matches!(bytes_of(&root.join(period.to_string())), Ok(Some(_))));
    Ok(periods)
}

/// Size of the files of a period, bytes; `None` if there are no files.
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

/// The state of the chain after the period in `directory`, from the store's next period, or from its `HEAD` if none follows.
fn followed_by(directory: &Path) -> Option<Chain> {
    let directory = directory.canonicalize().ok()?;
    let root = directory.parent()?;
    let this = Period::parse(directory.file_name()?.to_str()?)?;
    match beginnings_after(root, this, |_| true) {
        Some(mut later) => later.next()?.ok()?,
        None => end_note::read(root),
    }
}
