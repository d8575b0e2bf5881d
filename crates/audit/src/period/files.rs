//! A period that is read from its files: no database is opened, no lock is taken, nothing is written.
//!
//! The database rewrites its files when it opens them, and allows only one process. Blocks can be found and checked without
//! it. So reading makes an index of the blocks' positions, at about a gigabyte a second, and reads the blocks that are
//! needed. Later writes are not seen.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use crate::disk::faults;
use crate::error::{DiskError, of_file};
use crate::format::batch::Batch;
use crate::format::block::Block;
use crate::period::database::{Keyed, StoredBlock};
use crate::period::find_blocks::find_blocks;
use crate::period::journal;
use crate::period::last_batch::LastBatch;
use crate::period::name::{Day, Period};

/// A period, or a part of a file with several, and the positions of its blocks.
#[derive(Debug)]
pub(crate) struct Files {
    // Absent if the period has no file yet.
    file: Option<Arc<File>>,
    // The journal of a period that is being written, or that a crash left.
    journal: Vec<u8>,
    // In the order of sequence numbers.
    blocks: Vec<Indexed>,
    // First and last of missing sequence numbers; the first is not known of a gap at the beginning of the period.
    holes: Vec<(Option<u64>, u64)>,
    // Sequence numbers at which different blocks were found: one was changed, and given a new checksum.
    twice: Vec<u64>,
    // By offset.
    last_batch: LastBatch<u64>,
}

/// Position of a block. The index takes 24 bytes for each.
#[derive(Debug, Clone, Copy)]
struct Indexed {
    first: u64,
    // Position of the block, or of its batch.
    offset: u64,
    length: u32,
    within: Within,
}

/// The container of a block, in order of preference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Within {
    File,
    Batch,
    Journal,
}

/// A block found, with the properties that distinguish it from another one with the same sequence number.
struct Found {
    at: Indexed,
    checksum: [u8; 4],
    last: u64,
    first_of_period: bool,
    written_ms: i64,
}

impl Found {
    fn of(offset: u64, length: usize, within: Within, block: &Block<&[u8]>) -> Self {
        Self {
            at: Indexed {
                first: block.header.first,
                offset,
                // Blocks and batches are shorter than 64 KiB.
                length: u32::try_from(length).unwrap_or(u32::MAX),
                within,
            },
            checksum: block.bytes().last_chunk().copied().unwrap_or_default(),
            last: block.header.last(),
            first_of_period: block.header.first_of_period,
            written_ms: block.header.written_ms,
        }
    }

    fn order(&self) -> (u64, Within, u64) {
        (self.at.first, self.at.within, self.at.offset)
    }
}

impl Files {
    /// Reads the period in the directory `path`.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        // The journal is read before the data: a block that the database gets meanwhile is then found twice, and not missed.
        let journal = journal::bytes(path)?;
        let data = path.join("db");
        let file = faults::check(&data, faults::Act::Read).and_then(|()| File::open(data));
        let (file, mut found) = match file {
            Err(e) if e.kind() == io::ErrorKind::NotFound && path.is_dir() => (None, Vec::new()),
            file => {
                let in_data = |error| of_file("db", &error);
                let file = file.map_err(in_data)?;
                let found = find(&file).map_err(in_data)?;
                (Some(Arc::new(file)), found)
            }
        };
        for (at, block) in journal::blocks(&journal) {
            let at = u64::try_from(at).unwrap_or(0);
            found.push(Found::of(at, block.size(), Within::Journal, &block));
        }
        found.sort_by_key(Found::order);
        let in_journal = found.iter().filter(|f| f.at.within == Within::Journal);
        // Blocks that were written after the journal was read may be in the file in part.
        let known = in_journal
            .map(|f| f.last)
            .max()
            .or((!journal.is_empty()).then_some(0));
        let mut period = Self {
            journal,
            ..Self::of(file, found)
        };
        if let Some(known) = known {
            period.holes.retain(|(_, last)| *last <= known);
        }
        Ok(period)
    }

    /// Reads a file of blocks, such as a proof, and returns its periods in the order of the chain. They have the names that a store
    /// would have given them.
    pub(crate) fn split(file: File) -> io::Result<Vec<(Period, Self)>> {
        let found = find(&file)?;
        let file = Arc::new(file);
        let mut parts: Vec<(Period, Vec<Found>)> = Vec::new();
        for block in found {
            match parts.last_mut() {
                Some((_, part)) if !block.first_of_period => part.push(block),
                last => {
                    let first = Period::first(Day::of(block.written_ms));
                    let period = last.map_or(first, |(period, _)| period.successor().max(first));
                    parts.push((period, vec![block]));
                }
            }
        }
        Ok(parts
            .into_iter()
            .map(|(period, found)| (period, Self::of(Some(Arc::clone(&file)), found)))
            .collect())
    }

    fn of(file: Option<Arc<File>>, found: Vec<Found>) -> Self {
        let mut blocks: Vec<Indexed> = Vec::with_capacity(found.len());
        let mut twice = Vec::new();
        let mut last = None;
        let mut holes = Vec::new();
        let mut next: Option<u64> = None;
        for Found {
            at,
            checksum,
            last: end,
            first_of_period,
            ..
        } in found
        {
            if blocks.last().is_some_and(|b| b.first == at.first) {
                if last != Some(checksum) && twice.last() != Some(&at.first) {
                    twice.push(at.first);
                }
                continue;
            }
            let goes_on = next.map_or(first_of_period, |next| at.first <= next);
            if !goes_on && let Some(before) = at.first.checked_sub(1) {
                holes.push((next, before));
            }
            next = Some(end.saturating_add(1));
            last = Some(checksum);
            blocks.push(at);
        }
        Self {
            file,
            journal: Vec::new(),
            blocks,
            holes,
            twice,
            last_batch: LastBatch::default(),
        }
    }

    /// First and last of missing sequence numbers.
    pub(crate) fn holes(&self) -> &[(Option<u64>, u64)] {
        &self.holes
    }

    /// Implements [`crate::period::open::OpenPeriod::at_or_before`].
    pub(crate) fn at_or_before(&self, at: u64) -> Result<Option<StoredBlock>, DiskError> {
        let n = self.blocks.partition_point(|block| block.first <= at);
        let at = n.checked_sub(1).and_then(|n| self.blocks.get(n));
        at.map(|at| self.read(*at)).transpose()
    }

    /// Implements [`crate::period::open::OpenPeriod::at_or_after`].
    pub(crate) fn at_or_after(&self, at: u64) -> Result<Option<StoredBlock>, DiskError> {
        self.next(at).map(|at| self.read(at)).transpose()
    }

    /// Implements [`crate::period::open::OpenPeriod::from`].
    pub(crate) fn from(&self, at: u64) -> Option<Keyed> {
        self.next(at).map(|at| {
            let block = if self.twice.binary_search(&at.first).is_ok() {
                Err(DiskError::Database(
                    "two different blocks have the same sequence number".into(),
                ))
            } else {
                self.read(at)
            };
            (at.first, block)
        })
    }

    fn next(&self, at: u64) -> Option<Indexed> {
        let n = self.blocks.partition_point(|block| block.first < at);
        self.blocks.get(n).copied()
    }

    fn read(&self, at: Indexed) -> Result<StoredBlock, DiskError> {
        let bytes = match at.within {
            Within::File => self.stretch(at)?,
            Within::Batch => {
                let blocks = self.batch(at)?;
                let found = blocks.at_or_before(at.first);
                found.map_or_else(Vec::new, |(_, bytes)| bytes.to_vec())
            }
            Within::Journal => {
                let (from, length) = (size(at.offset), size(at.length.into()));
                let part = self.journal.get(from..).and_then(|rest| rest.get(..length));
                part.unwrap_or_default().to_vec()
            }
        };
        let block = Block::read(bytes).map_err(|e| DiskError::Database(e.to_string()))?;
        // A process that writes the file meanwhile may move blocks.
        if block.header.first == at.first {
            Ok(block)
        } else {
            Err(DiskError::Database("its file changed while it was read".into()))
        }
    }

    /// The bytes of the file that `at` names.
    fn stretch(&self, at: Indexed) -> Result<Vec<u8>, DiskError> {
        let mut bytes = vec![0; size(at.length.into())];
        if let Some(file) = &self.file {
            file.read_exact_at(&mut bytes, at.offset)
                .map_err(|error| of_file("db", &error))?;
        }
        Ok(bytes)
    }

    /// The batch at `at`.
    fn batch(&self, at: Indexed) -> Result<Arc<Batch>, DiskError> {
        self.last_batch.get(at.offset, || self.stretch(at))
    }
}

fn size(n: u64) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}

/// The blocks in `file`, by sequence number.
fn find(file: &File) -> io::Result<Vec<Found>> {
    let mut found = Vec::new();
    find_blocks(file, &mut |stand, block| {
        let within = if stand.is_batch {
            Within::Batch
        } else {
            Within::File
        };
        found.push(Found::of(stand.offset, stand.length, within, &block));
    })?;
    found.sort_by_key(Found::order);
    Ok(found)
}
