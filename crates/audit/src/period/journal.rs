//! The journal: commits that the database may not have on disk yet, in two files of a period that are overwritten in turn.
//!
//! A commit is one write and one sync of a file whose size and blocks are allocated, so that no metadata is written. The
//! database gets the same blocks in memory. It is flushed when one file is full, while the other one is written: a flush wakes
//! eight threads, which cost more than the rest of a commit. After a crash the journal stays, and is read in place. Closing
//! deletes it.
//!
//! A file contains blocks, one after the other, followed by the rest of an earlier turn: blocks that the database has.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::thread::{self, JoinHandle};

use crate::disk::bad_sectors::SkippingFile;
use crate::disk::faults;
use crate::error::{DiskError, of_file};
use crate::format::block::{Block, at_start, find_magic};

const FILES: [&str; 2] = ["journal-0", "journal-1"];
/// Size of a file at first, and at most: it doubles at each turn, so that little traffic takes little space.
const FIRST_SIZE: u64 = if cfg!(test) { 4 << 10 } else { 256 << 10 };
const MOST_SIZE: u64 = if cfg!(test) { 16 << 10 } else { 4 << 20 };

/// The journal of one period, open to be written.
pub(crate) struct Journal {
    directory: PathBuf,
    // The one that is written, and the other one.
    now: Part,
    other: Other,
    at: u64,
}

struct Part {
    file: File,
    path: PathBuf,
    size: u64,
}

/// The file that is not written.
enum Other {
    /// The database has all of it.
    Free(Part),
    /// The database is being flushed.
    Settling(JoinHandle<Result<Part, DiskError>>),
    /// The flush failed: the period must not be written again.
    Lost,
}

impl Journal {
    /// Begins the journal of the period in `directory`. The database must have the content of an existing journal.
    pub(crate) fn begin(directory: &Path) -> Result<Self, DiskError> {
        let [now, other] = FILES.map(|name| Part::open(directory.join(name)));
        let journal = Self {
            now: now?,
            other: Other::Free(other?),
            at: 0,
            directory: directory.to_owned(),
        };
        File::open(directory)?.sync_all()?;
        Ok(journal)
    }

    /// Puts `bytes`, which are whole blocks, on disk. If they do not fit, `settle` is run on a thread: it returns when the database
    /// has everything that was appended before, on disk.
    pub(crate) fn append(
        &mut self,
        bytes: &[u8],
        settle: impl FnOnce() -> Result<(), DiskError> + Send + 'static,
    ) -> Result<(), DiskError> {
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if self.at > 0 && self.at.saturating_add(length) > self.now.size {
            self.turn(settle)?;
        }
        faults::check(&self.now.path, faults::Act::Write)?;
        self.now.file.write_all_at(bytes, self.at)?;
        faults::check(&self.now.path, faults::Act::Sync)?;
        self.now.file.sync_data()?;
        self.at += length;
        Ok(())
    }

    /// Takes the other file, once it is free, and lets `settle` free this one.
    fn turn(
        &mut self,
        settle: impl FnOnce() -> Result<(), DiskError> + Send + 'static,
    ) -> Result<(), DiskError> {
        let free = self.freed()?;
        let mut full = std::mem::replace(&mut self.now, free);
        self.at = 0;
        let work = move || {
            settle()?;
            full.grow()?;
            Ok(full)
        };
        self.other = Other::Settling(thread::Builder::new().name("audit-settle".into()).spawn(work)?);
        Ok(())
    }

    /// The other file, waited for.
    fn freed(&mut self) -> Result<Part, DiskError> {
        match std::mem::replace(&mut self.other, Other::Lost) {
            Other::Free(part) => Ok(part),
            Other::Settling(thread) => thread.join().unwrap_or_else(|_| Err(lost())),
            Other::Lost => Err(lost()),
        }
    }

    /// Waits until the database has the content of the other file.
    #[cfg(test)]
    pub(crate) fn wait(&mut self) -> Result<(), DiskError> {
        self.other = Other::Free(self.freed()?);
        Ok(())
    }

    /// Ends it: the database has all, on disk. After an error the files are left.
    pub(crate) fn end(mut self) -> Result<(), DiskError> {
        self.freed()?;
        Ok(remove(&self.directory)?)
    }
}

fn lost() -> DiskError {
    DiskError::Database("it could not be flushed".into())
}

impl Part {
    /// Opens a file, made if absent, of zeros up to its first size.
    fn open(path: PathBuf) -> Result<Self, DiskError> {
        faults::check(&path, faults::Act::Write)?;
        let file = File::options()
            .create(true)
            .read(true)
            .write(true)
            .truncate(false)
            .open(&path)?;
        let size = file.metadata()?.len();
        let mut part = Self { file, path, size };
        part.extend(FIRST_SIZE)?;
        Ok(part)
    }

    fn grow(&mut self) -> Result<(), DiskError> {
        self.extend(self.size.saturating_mul(2).min(MOST_SIZE))
    }

    /// Writes zeros up to `size`: a hole would be filled, and its metadata written, by the commit that meets it.
    fn extend(&mut self, size: u64) -> Result<(), DiskError> {
        let zeros = [0; 64 << 10];
        while self.size < size {
            let length = usize::try_from(size - self.size)
                .unwrap_or(zeros.len())
                .min(zeros.len());
            self.file
                .write_all_at(zeros.get(..length).unwrap_or_default(), self.size)?;
            self.size += u64::try_from(length).unwrap_or(0);
        }
        Ok(self.file.sync_all()?)
    }
}

/// Reads the journal in the directory of a period; empty if there is none.
pub(crate) fn bytes(directory: &Path) -> io::Result<Vec<u8>> {
    let mut all = Vec::new();
    each_file(directory, |mut file| file.read_to_end(&mut all).map(drop))?;
    Ok(all)
}

/// Reads the journal past bad sectors, and returns how many bytes could not be read.
pub(crate) fn sound_bytes(directory: &Path) -> io::Result<(Vec<u8>, u64)> {
    let (mut all, mut unread) = (Vec::new(), 0);
    each_file(directory, |file| {
        let mut file = SkippingFile::of(file)?;
        file.read_to_end(&mut all)?;
        unread += file.unread();
        Ok(())
    })?;
    Ok((all, unread))
}

fn each_file(directory: &Path, mut read: impl FnMut(File) -> io::Result<()>) -> io::Result<()> {
    for name in FILES {
        let path = directory.join(name);
        match faults::check(&path, faults::Act::Read).and_then(|()| File::open(path)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            file => file.and_then(&mut read).map_err(|error| of_file(name, &error))?,
        }
    }
    Ok(())
}

/// The sound blocks in the bytes of a journal, with their positions.
pub(crate) fn blocks(bytes: &[u8]) -> Vec<(usize, Block<&[u8]>)> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(rest) = bytes.get(at..)
        && let Some(next) = find_magic(rest)
    {
        at += next;
        match bytes.get(at..).and_then(at_start) {
            Some(block) => {
                let length = block.size().max(1);
                found.push((at, block));
                at += length;
            }
            None => at += 1,
        }
    }
    found
}

/// Removes the journal in the directory of a period, if there is one.
pub(crate) fn remove(directory: &Path) -> io::Result<()> {
    for name in FILES {
        match fs::remove_file(directory.join(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}
