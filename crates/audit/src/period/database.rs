//! One period while it is written: a sled database of blocks, by the sequence number of their first entry.
//!
//! This file and `database/guard.rs` are the only ones that use sled. They work around its limits (0.34.7):
//! - `flush` is `sync_file_range` on Linux, which neither writes the file's size nor empties the disk's own cache. It also
//!   wakes a pool of threads. So a commit goes to a [`Journal`], which is synced, and to memory. When the journal is full, sled
//!   is flushed, and its data file is synced through a separate handle. The files are `db` (all data), `conf` (written once),
//!   `snap.*` (rebuilt if absent) and `blobs/` (values over a quarter of a segment; blocks are smaller).
//! - `open` treats a failed read, or a flipped bit, as the end of its log, and zeroes the segments after it. So sled never
//!   opens an existing file. One process makes and writes a period; later ones read its files.
//! - `open`, and dropping, may panic on a failing disk, or never return. Both run on a named thread, with panics caught and a
//!   bounded wait.
//! - Accesses are queued for each of 256 shards of the cache, and only a full queue of 64 evicts anything. A leaf that is only
//!   appended to is accessed some twenty times. So four leaves of each shard would stay, tens of megabytes, whatever the size
//!   of the cache. Therefore each value is read several times after it was put, see [`LOOKS`].
//! - After a failed write all later ones fail. The period is given up, and another begins.

mod guard;

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub use self::guard::is_panic_caught;
use self::guard::{caught, guarded};
use crate::disk::faults;
use crate::error::DiskError;
use crate::format::batch::{self, Batch};
use crate::format::block::Block;
use crate::period::journal::Journal;
use crate::period::last_batch::LastBatch;

/// Segments of 4 MiB: see [`crate::format::block::CONTENT_LIMIT`].
const SEGMENT: usize = 4 << 20;

/// How often a value that was put is looked at. A leaf splits at 17 values, so nine more come to each new one, and each is
/// touched ten times, twice by the putting itself: that fills a queue of 64, and what its shard holds beyond the cache is
/// evicted.
const LOOKS: usize = 8;

/// How long beginning one may take, on a disk that hangs.
const OPEN_LIMIT: Duration = Duration::from_secs(60);

/// An open database. Reading goes on while another thread commits.
pub(crate) struct Database {
    // `None` only while it is dropped.
    database: Option<sled::Db>,
    data: Arc<Data>,
    // Begun with the first commit.
    journal: Mutex<Option<Journal>>,
    last_batch: LastBatch<sled::IVec>,
}

/// The data that is written.
struct Data {
    // That holds the data, to be synced.
    file: File,
    directory: PathBuf,
    memory: Mutex<Memory>,
}

/// The blocks that are only in memory and in the journal.
#[derive(Default)]
struct Memory {
    // Short blocks that are not yet in the database. They become a batch.
    short: Batch,
    // How often blocks were moved to the database: a search of both that spans a move may miss blocks.
    moved: u64,
}

/// A block of a period.
pub(crate) type StoredBlock = Block<Vec<u8>>;

/// A key, and the block under it, if it is sound.
pub(crate) type Keyed = (u64, Result<StoredBlock, DiskError>);

impl Database {
    /// Makes the period in the directory `path`. sled has no thread that flushes it: that depends on the journal.
    ///
    /// INVARIANT: sled never opens an existing file, see [`crate::store::periods`].
    pub(crate) fn create(path: &Path, cache_bytes: u64) -> Result<Self, DiskError> {
        if path.join("db").try_exists()? {
            return Err(io::Error::from(io::ErrorKind::AlreadyExists).into());
        }
        let created = Self::open(path, cache_bytes)?;
        sync_new(path)?;
        Ok(created)
    }

    fn open(path: &Path, cache_bytes: u64) -> Result<Self, DiskError> {
        let config = sled::Config::new()
            .path(path)
            .segment_size(SEGMENT)
            .cache_capacity(cache_bytes)
            .flush_every_ms(None);
        let database = guarded(move || config.open(), OPEN_LIMIT)?;
        let file = File::open(path.join("db"))?;
        Ok(Self {
            database: Some(database),
            data: Arc::new(Data {
                file,
                directory: path.to_owned(),
                memory: Mutex::default(),
            }),
            journal: Mutex::new(None),
            last_batch: LastBatch::default(),
        })
    }

    fn database(&self) -> Result<&sled::Db, DiskError> {
        self.database
            .as_ref()
            .ok_or_else(|| DiskError::Database("it is closed".into()))
    }

    /// Puts `blocks` (sequence number of the first entry, bytes) on disk. When it returns, they survive a power cut. After an error
    /// the period must not be written again.
    pub(crate) fn commit(&self, blocks: &Batch) -> Result<(), DiskError> {
        let database = self.database()?;
        let mut journal = self.journal.lock().unwrap_or_else(PoisonError::into_inner);
        let journal = match &mut *journal {
            Some(journal) => journal,
            none => none.insert(Journal::begin(&self.data.directory)?),
        };
        let (data, settled) = (Arc::clone(&self.data), database.clone());
        journal.append(blocks.bytes(), move || data.settle(&settled))?;
        for (first, bytes) in blocks.iter() {
            self.data.put(database, first, bytes)?;
        }
        Ok(())
    }

    /// The block that contains the sequence number `at`, or the last one before it if none does.
    pub(crate) fn at_or_before(&self, at: u64) -> Result<Option<StoredBlock>, DiskError> {
        // Memory is searched first: a block that goes into a batch meanwhile is then found twice, and not missed.
        if let Some(found) = self.data.memory().short.at_or_before(at) {
            return copied(found).map(Some);
        }
        let database = self.database()?;
        let found = caught(|| database.range(..=at.to_be_bytes()).next_back().transpose())?;
        found.map(|found| self.stored(found, at)).transpose()
    }

    /// The first block that begins at or after the sequence number `at`.
    pub(crate) fn at_or_after(&self, at: u64) -> Result<Option<StoredBlock>, DiskError> {
        self.from(at)?.map(|(_, block)| block).transpose()
    }

    /// The first block that begins at or after the sequence number `at`, with its key even if it cannot be read, so that the
    /// caller can step over it.
    pub(crate) fn from(&self, at: u64) -> Result<Option<Keyed>, DiskError> {
        self.search(at, || {})
    }

    /// Does the work of [`Database::from`]. `between` runs before each search of the database: a test writes there.
    ///
    /// A search takes several steps, and the writer does not wait for them. If it moves blocks from memory to the database
    /// between two steps, a block may be in neither where the steps look, and a later block would be returned. So the search is
    /// repeated if blocks were moved.
    fn search(&self, at: u64, mut between: impl FnMut()) -> Result<Option<Keyed>, DiskError> {
        loop {
            let (short, moved) = {
                let memory = self.data.memory();
                let short = memory.short.at_or_after(at);
                (short.map(|found| (found.0, copied(found))), memory.moved)
            };
            let found = self.search_database(at, &mut between)?;
            if self.data.memory().moved == moved {
                return Ok(found.or(short));
            }
        }
    }

    /// The first block in the database that begins at or after the sequence number `at`.
    fn search_database(&self, at: u64, between: &mut impl FnMut()) -> Result<Option<Keyed>, DiskError> {
        let database = self.database()?;
        between();
        // The block may be in a batch that begins before. If that batch cannot be read, the error is reported at its own key.
        let before = caught(|| database.range(..at.to_be_bytes()).next_back().transpose())?;
        if let Some((_, value)) = before
            && batch::is_batch(&value)
            && let Ok(blocks) = self.batch(&value)
            && let Some(found) = blocks.at_or_after(at)
        {
            return Ok(Some((found.0, copied(found))));
        }
        between();
        let found = caught(|| database.range(at.to_be_bytes()..).next().transpose())?;
        Ok(found.map(|found| {
            let key = key_of(&found.0);
            (key, self.stored(found, key))
        }))
    }

    /// The last block at or before the sequence number `at` in the value under a key.
    fn stored(&self, (key, value): (sled::IVec, sled::IVec), at: u64) -> Result<StoredBlock, DiskError> {
        let key = key_of(&key);
        if !batch::is_batch(&value) {
            return stored(key, value.to_vec());
        }
        let blocks = self.batch(&value)?;
        match blocks.at_or_before(at) {
            Some(found) if blocks.first() == Some(key) => copied(found),
            _ => Err(other_key()),
        }
    }

    fn batch(&self, value: &sled::IVec) -> Result<Arc<Batch>, DiskError> {
        self.last_batch.get(value.clone(), || Ok(value))
    }
}

#[cfg(test)]
impl Database {
    /// Waits until the database has the content of the journal's full file, which another thread writes.
    pub(crate) fn wait_settled(&self) {
        if let Some(journal) = &mut *self.journal.lock().unwrap() {
            journal.wait().unwrap();
        }
    }
}

impl Drop for Database {
    /// Closes the database, waiting only a bounded time for a disk that hangs.
    fn drop(&mut self) {
        if let Some(database) = self.database.take() {
            let journal = self
                .journal
                .get_mut()
                .unwrap_or_else(PoisonError::into_inner)
                .take();
            let data = Arc::clone(&self.data);
            let _ = guarded(
                move || {
                    // What could not be settled stays in the journal.
                    if let Some(journal) = journal
                        && data.settle(&database).is_ok()
                    {
                        let _ = journal.end();
                    }
                    drop(database);
                    Ok(())
                },
                Duration::from_secs(10),
            );
        }
    }
}

impl Data {
    fn memory(&self) -> MutexGuard<'_, Memory> {
        // A panic in sled under the lock becomes an error, after which nothing more is written.
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a block in memory, after all others.
    fn put(&self, database: &sled::Db, first: u64, bytes: &[u8]) -> Result<(), DiskError> {
        let mut memory = self.memory();
        if memory.short.size() + bytes.len() > batch::LIMIT {
            memory.bind(database)?;
        }
        if bytes.len() > batch::SHORT {
            memory.bind(database)?;
            insert(database, first, bytes)?;
        } else {
            memory.short.push(first, bytes);
        }
        Ok(())
    }

    /// Puts everything that is only in memory on disk.
    fn settle(&self, database: &sled::Db) -> Result<(), DiskError> {
        self.memory().bind(database)?;
        caught(|| database.flush())?;
        faults::check(&self.directory.join("db"), faults::Act::Sync)?;
        Ok(self.file.sync_data()?)
    }
}

impl Memory {
    /// Moves the short blocks to the database, as a batch.
    fn bind(&mut self, database: &sled::Db) -> Result<(), DiskError> {
        if let Some(first) = self.short.first() {
            let value = self.short.encode();
            let value = value.ok_or_else(|| DiskError::Database("a sheaf of blocks is too long".into()))?;
            insert(database, first, &value)?;
            self.short.clear();
            self.moved = self.moved.wrapping_add(1);
        }
        Ok(())
    }
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Database")
    }
}

fn key_of(key: &[u8]) -> u64 {
    <[u8; 8]>::try_from(key).map_or(u64::MAX, u64::from_be_bytes)
}

/// Puts a value into the database, and reads it several times to keep the cache bounded.
fn insert(database: &sled::Db, first: u64, value: &[u8]) -> Result<(), DiskError> {
    let key = first.to_be_bytes();
    caught(|| {
        database.insert(key, value)?;
        for _ in 0..LOOKS {
            database.get(key)?;
        }
        Ok(())
    })
}

fn stored(key: u64, value: Vec<u8>) -> Result<StoredBlock, DiskError> {
    let block = Block::read(value).map_err(|e| DiskError::Database(e.to_string()))?;
    if block.header.first == key {
        Ok(block)
    } else {
        Err(other_key())
    }
}

fn copied((first, bytes): (u64, &[u8])) -> Result<StoredBlock, DiskError> {
    stored(first, bytes.to_vec())
}

fn other_key() -> DiskError {
    DiskError::Database("a block is stored under the wrong key".into())
}

/// Syncs the files and directories of a new period, so that a power cut does not take them.
fn sync_new(path: &Path) -> io::Result<()> {
    let parent = path.parent().map(PathBuf::from).unwrap_or_default();
    for name in [
        path.join("conf"),
        path.join("db"),
        path.join("blobs"),
        path.to_owned(),
        parent,
    ] {
        File::open(name)?.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
