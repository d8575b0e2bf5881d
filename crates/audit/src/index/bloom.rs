//! Bloom filters for a period: they show which values may be among the calls of a run of blocks, so that a query about
//! something rare skips most blocks.
//!
//! Each run has one filter of 4096 bits, and ends after some thousand entries or when the filter is half full. That is about
//! half a byte per call, and one block in three hundred is read in vain. The filters are in the file `summaries` of the
//! period, which is not synced: blocks without a filter, as after a crash, are read. Verification compares every call with
//! its filter, so that nobody can hide one by changing the file.
//!
//! Little-endian: first and last sequence number u64, 64 words of the filter, crc32 of all bytes before it.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::Write;
use std::net::IpAddr;
use std::path::Path;

use crate::format::bytes::Cursor;
use crate::format::decode::{ItemView, RecordView};
use crate::index::file;
use crate::index::skipped::Skipped;
use crate::model::filter::Filter;
use crate::model::record::{Outcome, RecordRef, Verdict};

/// Name of the file with the filters of a period.
const FILE: &str = "summaries";
const WORDS: usize = 64;
const SIZE: usize = 8 + 8 + WORDS * 8 + 4;
/// Entries after which a run ends, at its block's end.
const ENTRIES: u64 = 2048;
/// Bits that are set when a run is full.
const FULL: u32 = 64 * 64 / 2;

/// The values of a call, or of a query, that filters are asked about.
#[derive(Debug, Clone, Copy, Default)]
struct Facts<'f> {
    token: Option<&'f str>,
    user: Option<&'f str>,
    on_behalf_of: Option<&'f str>,
    client: Option<IpAddr>,
    method: Option<&'f str>,
    reason: Option<&'f str>,
    verdict: Option<Verdict>,
    file: Option<&'f str>,
    line: Option<(&'f str, u32)>,
}

/// Hash of one fact. Part of the stored form: it must never change.
pub(crate) type Key = u64;

impl Facts<'_> {
    fn each(&self, mut with: impl FnMut(Key)) {
        let texts = [
            (1, self.token),
            (2, self.user),
            (3, self.on_behalf_of),
            (4, self.method),
            (5, self.reason),
            (6, self.file),
        ];
        for (kind, text) in texts {
            if let Some(text) = text {
                with(key(kind, 0, text.as_bytes()));
            }
        }
        match self.client {
            Some(IpAddr::V4(address)) => with(key(7, 0, &address.octets())),
            Some(IpAddr::V6(address)) => with(key(8, 0, &address.octets())),
            None => {}
        }
        if let Some(verdict) = self.verdict {
            with(key(9, 0, verdict.as_str().as_bytes()));
        }
        if let Some((file, number)) = self.line {
            with(key(10, number.into(), file.as_bytes()));
        }
    }
}

impl<'f> From<&RecordRef<'f>> for Facts<'f> {
    fn from(r: &RecordRef<'f>) -> Self {
        Self {
            token: r.token,
            user: r.user,
            on_behalf_of: r.on_behalf_of,
            client: Some(r.client),
            method: Some(r.method),
            reason: Some(r.reason),
            verdict: Some(r.verdict),
            file: r.line.map(|line| line.file),
            line: r.line.map(|line| (line.file, line.number)),
        }
    }
}

impl<'f> From<&RecordView<'f>> for Facts<'f> {
    fn from(r: &RecordView<'f>) -> Self {
        Self {
            token: r.token,
            user: r.user,
            on_behalf_of: r.on_behalf_of,
            client: Some(r.client),
            method: Some(r.method),
            reason: Some(r.reason),
            verdict: Some(r.verdict),
            file: r.line.map(|(file, ..)| file),
            line: r.line.map(|(file, number, _)| (file, number)),
        }
    }
}

impl<'f> From<&'f Filter> for Facts<'f> {
    fn from(f: &'f Filter) -> Self {
        let line = f.line.as_ref().map(|(file, number)| (file.as_str(), *number));
        Self {
            token: f.token.as_deref(),
            user: f.user.as_deref(),
            on_behalf_of: f.on_behalf_of.as_deref(),
            client: f.client,
            method: f.method.as_deref(),
            reason: f.reason.as_deref(),
            verdict: f.verdict,
            file: line.map(|(file, _)| file),
            line: line.and_then(|(file, number)| Some((file, number?))),
        }
    }
}

/// FNV-1a over eight bytes at a time, then the finisher of SplitMix64, which spreads it over all bits.
fn key(kind: u64, number: u64, text: &[u8]) -> Key {
    const PRIME: u64 = 0x100_0000_01b3;
    let mut hash = (0xcbf2_9ce4_8422_2325 ^ kind).wrapping_mul(PRIME) ^ number;
    let (words, rest) = text.as_chunks::<8>();
    for word in words {
        hash = (hash ^ u64::from_le_bytes(*word))
            .wrapping_mul(PRIME)
            .rotate_left(29);
    }
    for byte in rest {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(PRIME);
    }
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

/// The keys of every call that `filter` wants, whatever its outcome.
pub(crate) fn keys_of(filter: &Filter) -> Vec<Key> {
    let mut keys = Vec::new();
    Facts::from(filter).each(|key| keys.push(key));
    keys
}

/// The key of an end with this status. The end may be far after its call.
pub(crate) fn status_key(status: u16) -> Key {
    key(11, status.into(), &[])
}

/// The four bits for a key: word, and bit in it.
fn bits(key: Key) -> [(usize, u64); 4] {
    [key, key >> 12, key >> 24, key >> 36].map(|part| {
        let word = usize::try_from(part & 63).unwrap_or(0);
        (word, 1 << (part >> 6 & 63))
    })
}

/// A run of blocks.
#[derive(Debug, Clone)]
pub(crate) struct BloomFilter {
    first: u64,
    last: u64,
    words: [u64; WORDS],
    /// Number of bits that are set.
    ones: u32,
}

impl BloomFilter {
    fn new(first: u64) -> Self {
        Self {
            first,
            last: first,
            words: [0; WORDS],
            ones: 0,
        }
    }

    fn add(&mut self, key: Key) {
        for (word, bit) in bits(key) {
            if let Some(word) = self.words.get_mut(word) {
                self.ones += u32::from(*word & bit == 0);
                *word |= bit;
            }
        }
    }

    fn may_have(&self, key: Key) -> bool {
        bits(key)
            .iter()
            .all(|(word, bit)| self.words.get(*word).is_some_and(|word| word & bit != 0))
    }

    /// Whether the filter hides an entry that it covers.
    fn denies(&self, seen: &ItemView<'_>) -> bool {
        match seen {
            ItemView::Decision(view) => {
                let mut denies = false;
                Facts::from(view).each(|key| denies |= !self.may_have(key));
                denies
            }
            ItemView::Ended(ended) => ended
                .outcome
                .status
                .is_some_and(|status| !self.may_have(status_key(status))),
            ItemView::Event(_) => false,
        }
    }

    fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(SIZE);
        out.extend_from_slice(&self.first.to_le_bytes());
        out.extend_from_slice(&self.last.to_le_bytes());
        for word in &self.words {
            out.extend_from_slice(&word.to_le_bytes());
        }
        let crc = crc32fast::hash(&out);
        out.extend_from_slice(&crc.to_le_bytes());
        out
    }

    /// Decodes a filter; `None` if its checksum does not match.
    fn decode(bytes: &[u8]) -> Option<Self> {
        let (covered, crc) = bytes.split_last_chunk::<4>()?;
        if crc32fast::hash(covered) != u32::from_le_bytes(*crc) {
            return None;
        }
        let mut from = Cursor(covered);
        let mut number = || from.array().map(u64::from_le_bytes).ok();
        let mut filter = Self::new(number()?);
        filter.last = number()?;
        for word in &mut filter.words {
            *word = number()?;
            filter.ones += word.count_ones();
        }
        Some(filter)
    }
}

/// All filters of the period at `path`, in the order of sequence numbers.
fn read(path: &Path) -> Vec<BloomFilter> {
    let bytes = fs::read(path.join(FILE)).unwrap_or_default();
    bytes.chunks_exact(SIZE).filter_map(BloomFilter::decode).collect()
}

/// The runs of the period at `path` that, by their filters, have no entry with all of `keys`.
pub(crate) fn ruled_out(path: &Path, keys: &[Key]) -> Skipped {
    let mut runs = Skipped::default();
    if keys.is_empty() {
        return runs;
    }
    for filter in read(path) {
        if keys.iter().all(|key| filter.may_have(*key)) {
            continue;
        }
        if !runs.push(filter.first, filter.last) {
            // Out of order: not ours.
            return Skipped::default();
        }
    }
    runs
}

/// Checks while verifying whether a filter hides an entry.
#[derive(Debug, Default)]
pub(crate) struct BloomCheck(VecDeque<BloomFilter>);

impl BloomCheck {
    /// Reads the filters of the period at `path`.
    pub(crate) fn of(path: &Path) -> Self {
        Self(read(path).into())
    }

    /// Whether a filter hides this entry of the block that begins at `block`. Blocks must be given in ascending order. The
    /// beginning of a block decides whether it is skipped, even if a filter covers only a part of it.
    pub(crate) fn deny(&mut self, block: u64, seen: &ItemView<'_>) -> bool {
        while self.0.front().is_some_and(|filter| filter.last < block) {
            self.0.pop_front();
        }
        let filter = self.0.front().filter(|filter| filter.first <= block);
        filter.is_some_and(|filter| filter.denies(seen))
    }
}

/// Writes the filters of one period.
#[derive(Debug)]
pub(crate) struct BloomWriter {
    // Absent after a write failed: the blocks after it have no filter.
    file: Option<File>,
    run: Option<BloomFilter>,
}

impl BloomWriter {
    /// For the period at `path`.
    pub(crate) fn open(path: &Path) -> Self {
        Self {
            file: file::begin(&path.join(FILE)).ok(),
            run: None,
        }
    }

    /// A decision is written in the block that begins at `block`.
    pub(crate) fn see(&mut self, block: u64, record: &RecordRef<'_>) {
        let run = self.run.get_or_insert_with(|| BloomFilter::new(block));
        Facts::from(record).each(|key| run.add(key));
    }

    /// An end is written in the block that begins at `block`.
    pub(crate) fn see_end(&mut self, block: u64, outcome: &Outcome) {
        if let Some(status) = outcome.status {
            let run = self.run.get_or_insert_with(|| BloomFilter::new(block));
            run.add(status_key(status));
        }
    }

    /// The block that begins at `first` ends with `last`.
    pub(crate) fn end_block(&mut self, first: u64, last: u64) {
        let run = self.run.get_or_insert_with(|| BloomFilter::new(first));
        run.last = last;
        let entries = last.saturating_sub(run.first);
        if entries >= ENTRIES || run.ones >= FULL {
            self.end_run();
        }
    }

    fn end_run(&mut self) {
        let (Some(run), Some(file)) = (self.run.take(), &mut self.file) else {
            return;
        };
        if file.write_all(&run.encode()).is_err() {
            self.file = None;
        }
    }
}

impl Drop for BloomWriter {
    fn drop(&mut self) {
        self.end_run();
    }
}

#[cfg(test)]
mod tests;
