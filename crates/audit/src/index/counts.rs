//! Counts for a period: how many calls had the same token, line, reason, verdict and hour, so that counting reads hardly any
//! blocks.
//!
//! The file `sums` of the period consists of chunks, each for a run of whole blocks that a commit has put on disk. A chunk ends
//! with a commit, after some hundred thousand entries or some thousand groups. It is written after that commit has returned,
//! so that no chunk counts blocks that do not exist. It is not synced: if it is missing, as after a crash, the blocks are read.
//! The same holds for calls that have too little in common, whose chunk is not written, and for a damaged chunk. Verification
//! counts every call again and compares the result with the chunks.
//!
//! A chunk is stored in a frame (`format/frame`) of magic `TWSU`, version 1. It contains, in the numbers of `format/bytes`:
//! first sequence number; distance of the last one from it; number of groups; the texts, as in a block; then the groups,
//! ascending. A group is: flags (bits 0 and 1 the verdict, 2 a token, 3 a line); number of the token's text; for the line,
//! number of the file's text, line number, number of the digest's text; number of the reason's text; number of calls; time of
//! the first call in milliseconds, signed, as difference to the group before; distance of the last call's time from it. Both
//! times are in one hour.

mod answer;
mod check;
mod chunk;
mod groups;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

pub(crate) use self::answer::answer;
pub(crate) use self::check::CountsCheck;
use self::chunk::FILE;
#[cfg(test)]
pub(crate) use self::chunk::{Chunks as Read, encode};
pub(crate) use self::groups::{CallCount, GroupKey, Groups};
use crate::disk::faults;
use crate::index::file;
use crate::model::record::RecordRef;

/// Entries after which a chunk ends, with its commit. Entries that are in no chunk yet must be read.
const ENTRIES: u64 = if cfg!(test) { 40 } else { 1 << 18 };
/// Groups, and bytes of their texts, after which a chunk ends. With the rest of one commit this bounds its memory to some
/// megabytes.
const GROUPS: usize = if cfg!(test) { 12 } else { 1 << 14 };
const TEXTS: usize = 256 << 10;
/// Calls per group below which a chunk is not written: it would not be much smaller than its blocks.
const FEWEST: u64 = 4;

/// Counts the calls that are written to one period.
#[derive(Debug)]
pub(crate) struct CountsWriter {
    // Absent after a write failed: the entries after it have no counts.
    file: Option<File>,
    path: PathBuf,
    groups: Groups,
    // First and last sequence number that is counted.
    run: Option<(u64, u64)>,
    // Calls that are in no commit yet: group and time.
    uncommitted: Vec<(usize, i64)>,
}

impl CountsWriter {
    /// For the period at `path`.
    pub(crate) fn open(path: &Path) -> Self {
        Self {
            file: file::begin(&path.join(FILE)).ok(),
            path: path.join(FILE),
            groups: Groups::default(),
            run: None,
            uncommitted: Vec::new(),
        }
    }

    /// A decision is to be committed.
    pub(crate) fn see(&mut self, record: &RecordRef<'_>) {
        if self.file.is_some() {
            let number = self.groups.number(&GroupKey::from(record));
            self.uncommitted.push((number, record.time_ms));
        }
    }

    /// Counts the calls seen: they are on disk, in whole blocks with the sequence numbers `first` to `last`.
    pub(crate) fn committed(&mut self, first: u64, last: u64) {
        for (number, ms) in self.uncommitted.drain(..) {
            self.groups.add(number, ms);
        }
        let (first, _) = *self.run.get_or_insert((first, last));
        self.run = Some((first, last));
        if last.saturating_sub(first) >= ENTRIES
            || self.groups.len() >= GROUPS
            || self.groups.text_bytes() >= TEXTS
        {
            self.end_chunk();
        }
    }

    /// Drops the calls seen, which could not be committed. The chunk ends before them.
    pub(crate) fn failed(&mut self) {
        self.uncommitted.clear();
        self.end_chunk();
    }

    fn end_chunk(&mut self) {
        if let (Some((first, last)), Some(file)) = (self.run.take(), &mut self.file)
            && pays(&self.groups)
            && let Some(bytes) = chunk::encode(first, last, &self.groups)
        {
            let written = faults::check(&self.path, faults::Act::Write).and_then(|()| file.write_all(&bytes));
            if written.is_err() {
                self.file = None;
            }
        }
        self.groups.clear();
    }
}

impl Drop for CountsWriter {
    fn drop(&mut self) {
        // Calls seen after the last commit were never committed.
        self.end_chunk();
    }
}

fn pays(groups: &Groups) -> bool {
    let (mut number, mut calls) = (0_u64, 0_u64);
    for (_, sum) in groups.iter() {
        number += 1;
        calls = calls.saturating_add(sum.count);
    }
    calls >= number.saturating_mul(FEWEST)
}
