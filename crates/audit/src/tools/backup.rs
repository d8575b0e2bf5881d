//! Copying a store, as it is now, to another directory: a backup that opens like any store.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::disk::permissions;
use crate::error::{DiskError, QueryError};
use crate::format::batch::Batch;
use crate::format::block;
use crate::format::chain::Chain;
use crate::index::time_order::TimeOrder;
use crate::integrity::heads_file;
use crate::integrity::signed_head::SignedHead;
use crate::model::entry::Sequence;
use crate::period::database::Database;
use crate::period::name::{Day, Period};
use crate::reader::Reader;
use crate::store::end_note;

/// Bytes of blocks that are read, and committed, at once.
const STEP: usize = 4 << 20;
const CACHE_BYTES: u64 = 32 << 20;

/// Result of a copy.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Copied {
    /// Blocks.
    pub blocks: u64,
    /// Entries in them.
    pub entries: u64,
    /// The last entry.
    pub last: Sequence,
}

/// A store was not copied. Nothing is left of the copy.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The target exists already.
    #[error("{} already exists; specify a new directory", path.display())]
    Exists {
        /// Where.
        path: PathBuf,
    },
    /// Another copy to this target is in progress, or was when its process was killed.
    #[error("{} already exists: another backup is writing it, or a backup was killed; in the second case delete it", path.display())]
    Begun {
        /// Path of the unfinished copy.
        path: PathBuf,
    },
    /// The original cannot be read.
    #[error(transparent)]
    Read(#[from] QueryError),
    /// The copy cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// Where.
        path: PathBuf,
        /// Why not.
        source: DiskError,
    },
}

impl Reader {
    /// Copies all blocks, the signed heads and the note of the end to a new store in the directory `to`, which is created and
    /// synced. Entries written to the original meanwhile may be copied or not. Until the copy is complete, its name is `to`
    /// with `.partial` appended.
    ///
    /// # Errors
    /// See [`CopyError`].
    pub fn copy(&self, to: &Path) -> Result<Copied, CopyError> {
        let failed = |source: io::Error| CopyError::Write {
            path: to.to_owned(),
            source: source.into(),
        };
        let exists = || CopyError::Exists { path: to.to_owned() };
        if to.symlink_metadata().is_ok() {
            return Err(exists());
        }
        let mut name = to.as_os_str().to_owned();
        name.push(".partial");
        let partial = PathBuf::from(name);
        permissions::make_new(&partial).map_err(|e| match e.kind() {
            io::ErrorKind::AlreadyExists => CopyError::Begun {
                path: partial.clone(),
            },
            _ => failed(e),
        })?;
        let copied = self.copy_blocks(&partial).and_then(|copied| {
            // The name is taken first, and fails if somebody has it; an empty directory gives way to one that is renamed.
            permissions::make_new(to).map_err(|e| match e.kind() {
                io::ErrorKind::AlreadyExists => exists(),
                _ => failed(e),
            })?;
            fs::rename(&partial, to).map_err(|e| {
                let _ = fs::remove_dir(to);
                failed(e)
            })?;
            Ok(copied)
        });
        if copied.is_err() {
            let _ = fs::remove_dir_all(&partial);
        }
        copied
    }

    /// Copies to a directory that is there, and empty.
    fn copy_blocks(&self, to: &Path) -> Result<Copied, CopyError> {
        let failed = |source: DiskError| CopyError::Write {
            path: to.to_owned(),
            source,
        };
        let mut copy = Copy {
            to,
            current: None,
            end: None,
            done: Copied::default(),
        };
        // Read before the blocks: a head of a block that is not copied would report an end cut off.
        let heads = self.heads()?;
        let mut after = Sequence(0);
        loop {
            let blocks = self.blocks(after, None, STEP)?;
            let Some(last) = blocks.last else { break };
            copy.put(&blocks.bytes).map_err(failed)?;
            after = last;
        }
        copy.finish(&heads).map_err(failed)
    }
}

struct Copy<'p> {
    to: &'p Path,
    current: Option<(Period, Database, TimeOrder)>,
    /// The end of the chain of what was copied.
    end: Option<Chain>,
    done: Copied,
}

impl Copy<'_> {
    fn put(&mut self, mut bytes: &[u8]) -> Result<(), DiskError> {
        let mut batch = Batch::default();
        while let Some(block) = block::at_start(bytes) {
            let header = block.header;
            if self.current.is_none() || header.first_of_period {
                self.commit(&mut batch)?;
                self.begin(header.written_ms)?;
            }
            if let Some((.., order)) = &mut self.current {
                order.see(&header);
            }
            batch.push(header.first, block.bytes());
            self.done.blocks += 1;
            self.done.entries += u64::from(header.count);
            self.done.last = Sequence(header.last());
            self.end = Some(Chain {
                next: header.last().saturating_add(1),
                hash: block.hash,
            });
            let size = block.size();
            bytes = bytes.get(size..).unwrap_or_default();
        }
        self.commit(&mut batch)
    }

    fn begin(&mut self, written_ms: i64) -> Result<(), DiskError> {
        let first = Period::first(Day::of(written_ms));
        let period = match self.current.take() {
            Some((last, ..)) => last.successor().max(first),
            None => first,
        };
        let path = self.to.join(period.to_string());
        let database = Database::create(&path, CACHE_BYTES)?;
        let order = TimeOrder::of(period.day, &path);
        self.current = Some((period, database, order));
        Ok(())
    }

    fn commit(&mut self, batch: &mut Batch) -> Result<(), DiskError> {
        if let Some((_, database, _)) = &self.current
            && !batch.is_empty()
        {
            database.commit(batch)?;
        }
        batch.clear();
        Ok(())
    }

    fn finish(self, heads: &[SignedHead]) -> Result<Copied, DiskError> {
        if !heads.is_empty() {
            let mut file = File::create(self.to.join(heads_file::FILE))?;
            for head in heads.iter().filter(|head| head.last <= self.done.last.0) {
                writeln!(file, "{head}")?;
            }
            file.sync_all()?;
        }
        // Without it, a backup whose database lost its end, or all of it, would open as a shorter or an empty one.
        if let Some(end) = &self.end {
            end_note::write_new(self.to, end)?;
        }
        File::open(self.to)?.sync_all()?;
        Ok(self.done)
    }
}
