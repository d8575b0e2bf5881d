//! The stored form of a chunk: writing it, and reading it, which is total.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::groups::{CallCount, GroupKey, Groups, hour_of};
use crate::format::bytes::{Cursor, Malformed, put_number, put_signed};
use crate::format::frame::Frame;
use crate::format::text_table::{TextTable, TextTableWriter};
use crate::model::record::Verdict;

/// Name of the file with the chunks of a period.
pub(crate) const FILE: &str = "sums";
/// One that would be longer is not written.
const FRAME: Frame = Frame {
    magic: *b"TWSU",
    version: 1,
    limit: 1 << 20,
};
/// Fewest bytes that a group takes.
const GROUP: usize = 5;
/// Most bytes of the file that are read: chunks of some billion calls.
const FILE_LIMIT: u64 = 64 << 20;

// Flags of a group, above the verdict's two bits.
const TOKEN: u8 = 4;
const LINE: u8 = 8;

/// A chunk that was read.
#[derive(Debug)]
pub(crate) struct Chunk {
    /// Sequence number of the first entry of its blocks.
    pub(crate) first: u64,
    /// Sequence number of the last entry of its blocks.
    pub(crate) last: u64,
    pub(super) raw: Vec<u8>,
}

impl Chunk {
    fn of(raw: Vec<u8>) -> Option<Self> {
        let mut from = Cursor(&raw);
        let first = from.number().ok()?;
        let last = first.checked_add(from.number().ok()?)?;
        Some(Self { first, last, raw })
    }

    /// The groups of the chunk, each once.
    pub(crate) fn groups(&self) -> Result<Vec<(GroupKey<'_>, CallCount)>, Malformed> {
        let mut from = Cursor(&self.raw);
        // First and last sequence number.
        from.number()?;
        from.number()?;
        let count: usize = from.small()?;
        let texts = TextTable::read(&mut from)?;
        if count > from.0.len() / GROUP {
            return Err(Malformed("more groups than bytes"));
        }
        let mut groups: Vec<(GroupKey<'_>, CallCount)> = Vec::with_capacity(count);
        let mut before = 0_i64;
        for _ in 0..count {
            let (common, sum) = group(&mut from, &texts, before)?;
            before = sum.first_ms;
            if groups.last().is_some_and(|(last, _)| *last >= common) {
                return Err(Malformed("groups are out of order"));
            }
            groups.push((common, sum));
        }
        if from.0.is_empty() {
            Ok(groups)
        } else {
            Err(Malformed("a segment has data after its groups"))
        }
    }

    /// Whether the chunk is exactly the encoding of `groups`.
    pub(crate) fn tells(&self, groups: &Groups) -> bool {
        self.raw == raw(self.first, self.last, groups)
    }
}

fn group<'c>(
    from: &mut Cursor<'_>,
    texts: &TextTable<'c>,
    before: i64,
) -> Result<(GroupKey<'c>, CallCount), Malformed> {
    let flags = from.byte()?;
    let verdict = match flags & 3 {
        0 => Verdict::Allow,
        1 => Verdict::Deny,
        2 => Verdict::Refuse,
        _ => return Err(Malformed("a verdict is unknown")),
    };
    // The common properties, as far as the flags say that they are present.
    let token = if flags & TOKEN == 0 {
        None
    } else {
        Some(texts.text(from)?)
    };
    let line = if flags & LINE == 0 {
        None
    } else {
        Some((texts.text(from)?, from.small()?, texts.text(from)?))
    };
    let reason = texts.text(from)?;
    // The count. Its times are within one hour, which is part of the group's key.
    let count = from.number()?;
    let first_ms = before.wrapping_add(from.signed()?);
    let last_ms = first_ms.checked_add_unsigned(from.number()?);
    let last_ms = last_ms.ok_or(Malformed("a time exceeds its field"))?;
    let hour = hour_of(first_ms);
    if count == 0 || hour_of(last_ms) != hour {
        return Err(Malformed("a group has no calls, or calls of two hours"));
    }
    let common = GroupKey {
        token,
        line,
        reason,
        verdict,
        hour,
    };
    let sum = CallCount {
        count,
        first_ms,
        last_ms,
    };
    Ok((common, sum))
}

/// Encodes a chunk of `groups`, for blocks with the sequence numbers `first` to `last`; `None` if it would be too long.
pub(crate) fn encode(first: u64, last: u64, groups: &Groups) -> Option<Vec<u8>> {
    FRAME.encode(&raw(first, last, groups))
}

fn raw(first: u64, last: u64, groups: &Groups) -> Vec<u8> {
    let mut sorted: Vec<(GroupKey<'_>, CallCount)> = groups.iter().collect();
    sorted.sort_unstable_by_key(|(common, _)| *common);
    let (mut texts, mut body) = (TextTableWriter::default(), Vec::new());
    let mut before = 0_i64;
    for (common, sum) in &sorted {
        let verdict = match common.verdict {
            Verdict::Allow => 0,
            Verdict::Deny => 1,
            Verdict::Refuse => 2,
        };
        let token = common.token.map_or(0, |_| TOKEN);
        let line = common.line.map_or(0, |_| LINE);
        body.push(verdict | token | line);
        let mut text = |text: &str, body: &mut Vec<u8>| put_number(body, texts.number(text.as_bytes()));
        if let Some(token) = common.token {
            text(token, &mut body);
        }
        if let Some((file, number, digest)) = common.line {
            text(file, &mut body);
            put_number(&mut body, number.into());
            text(digest, &mut body);
        }
        text(common.reason, &mut body);
        put_number(&mut body, sum.count);
        put_signed(&mut body, sum.first_ms.wrapping_sub(before));
        put_number(&mut body, sum.last_ms.abs_diff(sum.first_ms));
        before = sum.first_ms;
    }
    let mut out = Vec::with_capacity(texts.size() + body.len() + 32);
    put_number(&mut out, first);
    put_number(&mut out, last.saturating_sub(first));
    put_number(&mut out, u64::try_from(sorted.len()).unwrap_or(u64::MAX));
    texts.put(&mut out);
    out.extend_from_slice(&body);
    out
}

/// The chunk at the start of `bytes`, if it is whole and sound, and its length there.
fn at_start(bytes: &[u8]) -> Option<(Chunk, usize)> {
    let (raw, length) = FRAME.at_start(bytes)?;
    Some((Chunk::of(raw)?, length))
}

/// The sound chunks of a period, in the order of sequence numbers. It ends before a chunk that is out of order, which the
/// store did not write.
#[derive(Debug, Default)]
pub(crate) struct Chunks {
    bytes: Vec<u8>,
    at: usize,
    last: Option<u64>,
}

impl Chunks {
    /// Reads the chunks of the period at `path`; none if the file cannot be read.
    pub(crate) fn of(path: &Path) -> Self {
        Self::in_bytes(read(path).unwrap_or_default())
    }

    pub(crate) fn in_bytes(bytes: Vec<u8>) -> Self {
        Self {
            bytes,
            at: 0,
            last: None,
        }
    }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path.join(FILE))?
        .take(FILE_LIMIT)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

impl Iterator for Chunks {
    type Item = Chunk;

    fn next(&mut self) -> Option<Chunk> {
        let mut at = self.at;
        loop {
            let rest = self.bytes.get(at..)?;
            at += memchr::memmem::find(rest, &FRAME.magic)?;
            match self.bytes.get(at..).and_then(at_start) {
                Some((chunk, _)) if self.last.is_some_and(|last| chunk.first <= last) => return None,
                Some((chunk, size)) => {
                    self.at = at + size;
                    self.last = Some(chunk.last);
                    return Some(chunk);
                }
                None => at += 1,
            }
        }
    }
}
