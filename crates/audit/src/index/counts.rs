//! Sums beside a period's database: how many calls had the same token, line, reason, verdict and hour, so that counting
//! needs to read next to no blocks.
//!
//! In the file `sums` of the period are *chapters*, each of a run of whole blocks that a commit has put on disk: a chapter
//! ends with a commit, after some hundred thousand entries or some thousand groups. It is written after that commit has
//! returned, so that none tells of blocks that are not there, and not synced: what is missing, as after a crash, is read
//! from the blocks. So are the blocks of calls that have too little in common, whose chapter is not written, and those of a
//! chapter that is not what was written. Verifying counts every call again and holds chapters against that.
//!
//! A chapter stands in a frame (`frame`) of magic `TWSU`, version 1. Raw, in the numbers of `bytes`: first place; how far behind it the last one is; number of
//! groups; the texts, as in a block; then the groups, ascending: flags (bits 0 and 1 the verdict, 2 a token, 3 a line); of
//! the token its text's number; of the line that of the file, its number, that of the digest; that of the reason; how many
//! calls; time of the first in milliseconds, signed, less that of the group before; how far behind it the last one is. Both
//! fall in one hour.

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
use crate::model::record::Record;

/// Entries after which a chapter ends, at its commit's end: more are read where one is not yet written.
const ENTRIES: u64 = if cfg!(test) { 40 } else { 1 << 18 };
/// Groups, and bytes of their texts, after which it ends: with what one commit adds, that bounds its memory to some megabytes.
const GROUPS: usize = if cfg!(test) { 12 } else { 1 << 14 };
const TEXTS: usize = 256 << 10;
/// Calls to a group below which a chapter does not pay: it would be a good part of what its blocks are.
const FEWEST: u64 = 4;

/// Sums up what is written to one period.
#[derive(Debug)]
pub(crate) struct CountsWriter {
    // Absent after it could not be written: then what follows has no sums.
    file: Option<File>,
    path: PathBuf,
    groups: Groups,
    // First and last place that is counted.
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
    pub(crate) fn see(&mut self, record: &Record) {
        if self.file.is_some() {
            let number = self.groups.number(&GroupKey::from(record));
            self.uncommitted.push((number, record.time_ms));
        }
    }

    /// What was seen is on disk, in whole blocks that hold the places `first` to `last`.
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

    /// What was seen could not be committed: the chapter ends before it.
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
        // What was seen after the last commit was never committed.
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
