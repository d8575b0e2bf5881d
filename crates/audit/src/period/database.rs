//! One period on disk: a sled database of blocks, keyed by the place of their first entry.
//!
//! With `store/guard.rs` the only file that names sled, built past its edges (0.34.7):
//! - `flush` is `sync_file_range` on Linux, which neither writes the file's size nor empties the
//!   disk's own cache; and it wakes a pool of threads. So a commit goes to a [`Journal`], which is synced, and to
//!   memory; sled is flushed, and its data file synced through a handle of our own, when the journal is full.
//!   Files are `db` (all data), `conf` (written once), `snap.*` (rebuilt when absent) and `blobs/`
//!   (values over a quarter of a segment; blocks stay below).
//! - `open` takes a read that fails, and a flipped bit, for the end of its log, and zeroes the segments behind it: so it is
//!   given no file that is there. A period is one process's, from its making to its end; what comes after reads the files.
//! - `open`, and dropping, may panic on a failing disk, or never return: both run on a named thread, guarded, and waited
//!   for in bounds.
//! - what was touched is noted in queues of 64 for each of 256 shards of the cache, and only a full queue evicts anything.
//!   A leaf that is only ever appended to is touched some twenty times, so four leaves of each shard would stay, tens of
//!   megabytes, whatever the cache may take: each value is looked at after it was put, see [`LOOKS`].
//! - after one failed write all later ones fail: the period is given up and another begun.

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
    // The sheaf that was read last, and its blocks.
    last_batch: Mutex<Option<(Bytes, Arc<Batch>)>>,
}

/// What is written.
struct Data {
    // That holds the data, to be synced.
    file: File,
    directory: PathBuf,
    // Short blocks that are in the journal, and not yet in the database: they become a sheaf.
    short: Mutex<Batch>,
}

/// Bytes of a block as sled hands them out, not copied.
pub(crate) type Bytes = sled::IVec;

/// A block of a period.
pub(crate) type StoredBlock = Block<Bytes>;

/// A key, and the block under it, if it is sound.
pub(crate) type Keyed = (u64, Result<StoredBlock, DiskError>);

impl Database {
    /// Makes the period at `path`. sled has no thread of its own that flushes it: the journal tells when.
    ///
    /// INVARIANT: sled opens no file that is there, see [`crate::store::periods`].
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
                short: Mutex::default(),
            }),
            journal: Mutex::new(None),
            last_batch: Mutex::default(),
        })
    }

    fn database(&self) -> Result<&sled::Db, DiskError> {
        self.database
            .as_ref()
            .ok_or_else(|| DiskError::Database("it is closed".into()))
    }

    /// Puts `blocks` (place of the first entry, bytes) on disk: when it returns they are there,
    /// power cut or not. After an error the period must not be written again.
    pub(crate) fn commit(&self, blocks: &[(u64, Vec<u8>)]) -> Result<(), DiskError> {
        let database = self.database()?;
        let bytes: Vec<&[u8]> = blocks.iter().map(|(_, bytes)| bytes.as_slice()).collect();
        let mut journal = self.journal.lock().unwrap_or_else(PoisonError::into_inner);
        let journal = match &mut *journal {
            Some(journal) => journal,
            none => none.insert(Journal::begin(&self.data.directory)?),
        };
        let (data, settled) = (Arc::clone(&self.data), database.clone());
        journal.append(&bytes.concat(), move || data.settle(&settled))?;
        for (first, bytes) in blocks {
            self.data.put(database, *first, bytes)?;
        }
        Ok(())
    }

    /// The block that holds the place `at`, or the one before it if none does.
    pub(crate) fn at_or_before(&self, at: u64) -> Result<Option<StoredBlock>, DiskError> {
        // First those in memory: what becomes a sheaf meanwhile is then found twice, and not never.
        if let Some(found) = self.data.short().at_or_before(at) {
            return copied(found).map(Some);
        }
        let database = self.database()?;
        let found = caught(|| database.range(..=at.to_be_bytes()).next_back().transpose())?;
        found.map(|found| self.stored(found, at)).transpose()
    }

    /// The first block that begins at the place `at` or after it.
    pub(crate) fn at_or_after(&self, at: u64) -> Result<Option<StoredBlock>, DiskError> {
        self.from(at)?.map(|(_, block)| block).transpose()
    }

    /// The first block that begins at the place `at` or after it, and the key it is under, read or
    /// not: to step over what cannot be read.
    pub(crate) fn from(&self, at: u64) -> Result<Option<Keyed>, DiskError> {
        let short = self
            .data
            .short()
            .at_or_after(at)
            .map(|(first, bytes)| (first, copied((first, bytes))));
        let database = self.database()?;
        // It may stand in a sheaf that begins before. One that cannot be read is told at its own key.
        let before = caught(|| database.range(..at.to_be_bytes()).next_back().transpose())?;
        if let Some((_, value)) = before
            && batch::is_batch(&value)
            && let Ok(blocks) = self.blocks(&value)
            && let Some((first, bytes)) = blocks.at_or_after(at)
        {
            return Ok(Some((first, copied((first, bytes)))));
        }
        let found = caught(|| database.range(at.to_be_bytes()..).next().transpose())?;
        Ok(match found {
            Some(found) => {
                let key = key_of(&found.0);
                Some((key, self.stored(found, key)))
            }
            None => short,
        })
    }

    /// The last block at the place `at` or before it of what stands under a key.
    fn stored(&self, (key, value): (Bytes, Bytes), at: u64) -> Result<StoredBlock, DiskError> {
        let key = key_of(&key);
        if !batch::is_batch(&value) {
            return stored(key, value);
        }
        let blocks = self.blocks(&value)?;
        match blocks.at_or_before(at) {
            Some(found) if blocks.first() == Some(key) => copied(found),
            _ => Err(other_key()),
        }
    }

    /// The blocks of a sheaf: unpacked once for all of them, when they are read one after the other.
    fn blocks(&self, value: &Bytes) -> Result<Arc<Batch>, DiskError> {
        let mut last = self.last_batch.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, blocks)) = &*last
            && of == value
        {
            return Ok(Arc::clone(blocks));
        }
        let blocks = batch::read(value).map_err(|e| DiskError::Database(e.to_string()))?;
        *last = Some((value.clone(), Arc::clone(&blocks)));
        Ok(blocks)
    }
}

#[cfg(test)]
impl Database {
    /// Waits until the database has what the journal's full file holds: a thread of its own writes that.
    pub(crate) fn wait_settled(&self) {
        if let Some(journal) = &mut *self.journal.lock().unwrap() {
            journal.wait().unwrap();
        }
    }
}

impl Drop for Database {
    /// Closes it, in bounds: a database whose disk hangs is left behind.
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
    fn short(&self) -> MutexGuard<'_, Batch> {
        // A panic of sled's under the lock becomes an error, after which nothing more is written.
        self.short.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a block in memory, behind all that are there.
    fn put(&self, database: &sled::Db, first: u64, bytes: &[u8]) -> Result<(), DiskError> {
        let mut short = self.short();
        if short.size() + bytes.len() > batch::LIMIT {
            bind(&mut short, database)?;
        }
        if bytes.len() > batch::SHORT {
            bind(&mut short, database)?;
            insert(database, first, bytes)?;
        } else {
            short.push(first, bytes);
        }
        Ok(())
    }

    /// Makes the short blocks a sheaf.
    fn bind(&self, database: &sled::Db) -> Result<(), DiskError> {
        bind(&mut self.short(), database)
    }

    /// Puts all that is in memory alone on disk.
    fn settle(&self, database: &sled::Db) -> Result<(), DiskError> {
        self.bind(database)?;
        caught(|| database.flush())?;
        faults::check(&self.directory.join("db"), faults::Act::Sync)?;
        Ok(self.file.sync_data()?)
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

fn bind(short: &mut Batch, database: &sled::Db) -> Result<(), DiskError> {
    if let Some(first) = short.first() {
        let value = short.encode();
        let value = value.ok_or_else(|| DiskError::Database("a sheaf of blocks is too long".into()))?;
        insert(database, first, &value)?;
        *short = Batch::default();
    }
    Ok(())
}

/// Gives the database a value, and looks at it: so that what it keeps in memory stays in bounds.
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

fn stored(key: u64, value: Bytes) -> Result<StoredBlock, DiskError> {
    let block = Block::read(value).map_err(|e| DiskError::Database(e.to_string()))?;
    if block.header.first == key {
        Ok(block)
    } else {
        Err(other_key())
    }
}

fn copied((first, bytes): (u64, &[u8])) -> Result<StoredBlock, DiskError> {
    stored(first, Bytes::from(bytes))
}

fn other_key() -> DiskError {
    DiskError::Database("a block stands under a key that is not its own".into())
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
