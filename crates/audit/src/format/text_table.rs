//! The table of a block's texts: it contains each distinct text once, and entries name the text by its number.
//!
//! Tokens, users, lines and digests repeat in nearly every record of a block. The table makes the bytes that are hashed and
//! compressed several times fewer.

use std::hash::Hasher;
use std::ops::Range;

use hashbrown::HashTable;

use crate::format::bytes::{Cursor, Malformed, put_number};

/// Collects the texts of one block.
#[derive(Debug, Default)]
pub(crate) struct TextTableWriter {
    // Numbers of texts, by hash.
    numbers: HashTable<usize>,
    texts: Vec<Text>,
    bytes: Vec<u8>,
}

/// A text in the bytes of the table. It is not copied: most blocks have few records, so that most texts are new.
#[derive(Debug)]
struct Text {
    hash: u64,
    at: Range<usize>,
}

/// Hash of the table's keys. The table lives for one block and holds at most some thousand short
/// texts, so that collisions made on purpose cost little; SipHash took a fifth of the encoding.
fn hash_of(text: &[u8]) -> u64 {
    let mut hasher = Fnv::default();
    hasher.write(text);
    hasher.finish()
}

/// FNV-1a, eight bytes at a time.
#[derive(Debug)]
pub(crate) struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl std::hash::Hasher for Fnv {
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 29)
    }
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.0 = (self.0 ^ u64::from_le_bytes(*word))
                .wrapping_mul(0x9e37_79b9_7f4a_7c15)
                .rotate_left(23);
        }
        for byte in rest {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
        }
    }
}

impl TextTableWriter {
    /// The number of `text`, which joins the table if it is new.
    pub(crate) fn number(&mut self, text: &[u8]) -> u64 {
        let hash = hash_of(text);
        let (texts, bytes) = (&self.texts, &self.bytes);
        let known = |n: &usize| texts.get(*n).and_then(|known| bytes.get(known.at.clone())) == Some(text);
        if let Some(n) = self.numbers.find(hash, known) {
            return whole(*n);
        }
        let n = self.texts.len();
        put_number(&mut self.bytes, whole(text.len()));
        let from = self.bytes.len();
        self.bytes.extend_from_slice(text);
        let at = from..self.bytes.len();
        self.texts.push(Text { hash, at });
        let texts = &self.texts;
        self.numbers
            .insert_unique(hash, n, |n| texts.get(*n).map_or(0, |text| text.hash));
        whole(n)
    }

    /// Bytes of the table so far.
    pub(crate) fn size(&self) -> usize {
        self.bytes.len()
    }

    /// Appends the table.
    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        put_number(out, whole(self.texts.len()));
        out.extend_from_slice(&self.bytes);
    }

    /// Empties the table, keeping its memory.
    pub(crate) fn clear(&mut self) {
        self.numbers.clear();
        self.texts.clear();
        self.bytes.clear();
    }
}

fn whole(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

/// The texts of a block that is read: bytes, and the same as UTF-8, which is checked once and not at each use.
#[derive(Debug)]
pub(crate) struct TextTable<'b>(Vec<(&'b [u8], Option<&'b str>)>);

impl<'b> TextTable<'b> {
    /// Reads the table.
    pub(crate) fn read(from: &mut Cursor<'b>) -> Result<Self, Malformed> {
        let count: usize = from.small()?;
        // Each text takes a byte at least; so the input bounds the memory.
        if count > from.0.len() {
            return Err(Malformed("more texts than bytes"));
        }
        let mut texts = Vec::with_capacity(count);
        for _ in 0..count {
            let length = from.small()?;
            let bytes = from.take(length)?;
            texts.push((bytes, std::str::from_utf8(bytes).ok()));
        }
        Ok(Self(texts))
    }

    /// The bytes that the next number in `from` names.
    pub(crate) fn bytes(&self, from: &mut Cursor<'_>) -> Result<&'b [u8], Malformed> {
        Ok(self.at(from.number()?)?.0)
    }

    fn at(&self, number: u64) -> Result<(&'b [u8], Option<&'b str>), Malformed> {
        let found = usize::try_from(number).ok().and_then(|n| self.0.get(n));
        found.copied().ok_or(Malformed("no such text"))
    }

    /// The text of this number.
    pub(crate) fn numbered(&self, number: u64) -> Result<&'b str, Malformed> {
        self.at(number)?.1.ok_or(Malformed("a text is not UTF-8"))
    }

    /// The text that the next number in `from` names.
    pub(crate) fn text(&self, from: &mut Cursor<'_>) -> Result<&'b str, Malformed> {
        self.numbered(from.number()?)
    }
}
