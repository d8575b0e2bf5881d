//! A block: many entries, compressed, with everything that is needed to read and check it by itself.
//!
//! Little-endian: magic `TWAB`, version, flags, count u32, first u64, earliest and latest time i64,
//! written i64, token mask u64, previous hash 32, hash 32, content length u32, stored length u32,
//! stored bytes, crc32 of all bytes before it. A block in a damaged file can be found by its magic.
//!
//! A caller could submit a value that looks like a block, which would be found if the real block around it is damaged or half
//! overwritten. So the stored bytes never contain the magic. If they would, version 2 is written: each byte is masked by
//! exclusive or with a byte of the block's hash, in turn. Apart from that, versions 1 and 2 are equal.

use std::borrow::Cow;

use sha2::{Digest, Sha256};

use crate::format::bytes::{Cursor, Malformed};
use crate::format::chain::Hash;
use crate::format::decode::Items;

const MAGIC: [u8; 4] = *b"TWAB";
const VERSION: u8 = 1;
const MASKED: u8 = 2;
/// The common beginning of the magics of blocks and batches.
pub(crate) const MAGICS: &[u8] = b"TWA";
const COMPRESSED: u8 = 1;
const FIRST_OF_PERIOD: u8 = 2;
const EVENTS: u8 = 4;
/// Bytes before the stored content.
pub(crate) const HEADER_SIZE: usize = 4 + 1 + 1 + 4 + 8 + 8 + 8 + 8 + 8 + 32 + 32 + 4 + 4;

/// Most bytes of a block's content. The database stores seventeen values together; if whole blocks of this size did not fit
/// there, it would move them to a file that it does not sync.
pub(crate) const CONTENT_LIMIT: usize = 58_000;

/// Encoder shorter than this, bytes, is stored as it is.
pub(crate) const SHORT: usize = 8 << 10;

/// Header of a block: a description of its content, covered by its hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    /// Whether the block is the first of a period.
    pub(crate) first_of_period: bool,
    /// Whether the block contains events of the store itself.
    pub(crate) events: bool,
    /// Number of entries.
    pub(crate) count: u32,
    /// Sequence number of the first entry.
    pub(crate) first: u64,
    /// Earliest and latest time of its decisions and events, milliseconds since 1970 UTC.
    pub(crate) earliest_ms: i64,
    pub(crate) latest_ms: i64,
    /// When it was written.
    pub(crate) written_ms: i64,
    /// Union of [`token_mask`] of its tokens.
    pub(crate) tokens: u64,
    /// Hash of the block before; zeros for the very first.
    pub(crate) previous: Hash,
}

/// The bits for a token in a block's header: a block without these bits does not contain the token.
pub(crate) fn token_mask(name: &str) -> u64 {
    let hash = crc32fast::hash(name.as_bytes());
    (1 << (hash & 63)) | (1 << ((hash >> 8) & 63))
}

impl Header {
    /// Sequence number of the last entry.
    pub(crate) fn last(&self) -> u64 {
        self.first.saturating_add(u64::from(self.count)).saturating_sub(1)
    }

    /// Widens its times to cover `ms`.
    pub(crate) fn cover(&mut self, ms: i64) {
        self.earliest_ms = self.earliest_ms.min(ms);
        self.latest_ms = self.latest_ms.max(ms);
    }

    fn flags(&self) -> u8 {
        let first = if self.first_of_period { FIRST_OF_PERIOD } else { 0 };
        first | if self.events { EVENTS } else { 0 }
    }

    /// Gives its fields to `put`, in the order in which they are stored.
    fn each_field(&self, mut put: impl FnMut(&[u8])) {
        put(&self.count.to_le_bytes());
        put(&self.first.to_le_bytes());
        put(&self.earliest_ms.to_le_bytes());
        put(&self.latest_ms.to_le_bytes());
        put(&self.written_ms.to_le_bytes());
        put(&self.tokens.to_le_bytes());
        put(&self.previous);
    }

    fn hash(&self, content: &[u8]) -> Hash {
        let mut hash = Sha256::new();
        hash.update([VERSION, self.flags()]);
        self.each_field(|field| hash.update(field));
        hash.update(content);
        hash.finalize().into()
    }
}

/// Appends a block of `content`, which is not longer than [`CONTENT_LIMIT`], to `out`, and gives its hash.
pub(crate) fn encode_onto(out: &mut Vec<u8>, header: &Header, content: &[u8]) -> Hash {
    let hash = header.hash(content);
    // A short block gains little by itself: a batch compresses it with the blocks around it.
    let packed = (content.len() >= SHORT).then(|| lz4_flex::block::compress(content));
    let (stored, compressed) = match &packed {
        Some(packed) if packed.len() < content.len() => (packed.as_slice(), COMPRESSED),
        _ => (content, 0),
    };
    let is_masked = memchr::memmem::find(stored, MAGICS).is_some();
    let start = out.len();
    out.reserve(HEADER_SIZE + stored.len() + 4);
    out.extend_from_slice(&MAGIC);
    out.push(if is_masked { MASKED } else { VERSION });
    out.push(compressed | header.flags());
    header.each_field(|field| out.extend_from_slice(field));
    out.extend_from_slice(&hash);
    // Both lengths are below CONTENT_LIMIT.
    out.extend_from_slice(&u32::try_from(content.len()).unwrap_or(u32::MAX).to_le_bytes());
    out.extend_from_slice(&u32::try_from(stored.len()).unwrap_or(u32::MAX).to_le_bytes());
    if is_masked {
        out.extend(masked(stored, &hash));
    } else {
        out.extend_from_slice(stored);
    }
    let crc = crc32fast::hash(out.get(start..).unwrap_or_default());
    out.extend_from_slice(&crc.to_le_bytes());
    hash
}

/// Encodes a block of `content`, and gives its bytes and hash.
#[cfg(test)]
pub(crate) fn encode(header: &Header, content: &[u8]) -> (Vec<u8>, Hash) {
    let mut out = Vec::new();
    let hash = encode_onto(&mut out, header, content);
    (out, hash)
}

/// Masks `bytes`, or unmasks masked ones. A caller cannot know the hash, which depends on all calls before.
fn masked(bytes: &[u8], hash: &Hash) -> impl Iterator<Item = u8> {
    bytes
        .iter()
        .zip(hash.iter().cycle())
        .map(|(byte, mask)| byte ^ mask)
}

/// A block that was read: head and checksum hold, the content is not yet unpacked.
#[derive(Debug, Clone)]
pub(crate) struct Block<B> {
    /// Header of the block.
    pub(crate) header: Header,
    /// Chain hash of the block, as stored.
    pub(crate) hash: Hash,
    compressed: bool,
    is_masked: bool,
    content_length: usize,
    bytes: B,
}

impl<B: AsRef<[u8]>> Block<B> {
    /// Reads a block, which must be all of `bytes`.
    ///
    /// # Errors
    /// `Malformed`, also if the checksum does not match. The hash is not recomputed here.
    pub(crate) fn read(bytes: B) -> Result<Self, Malformed> {
        let all = bytes.as_ref();
        let (header, hash, compressed, is_masked, content_length, stored) = read_head(all)?;
        let body = HEADER_SIZE.saturating_add(stored);
        if body.checked_add(4) != Some(all.len()) {
            return Err(Malformed("a block's length differs from the stored length"));
        }
        let mut from = Cursor(all);
        let covered = from.take(body)?;
        if crc32fast::hash(covered) != u32::from_le_bytes(from.array()?) {
            return Err(Malformed("a block's checksum is wrong"));
        }
        Ok(Self {
            header,
            hash,
            compressed,
            is_masked,
            content_length,
            bytes,
        })
    }

    /// The whole block, as it is stored.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.bytes.as_ref()
    }

    /// Bytes that it takes.
    pub(crate) fn size(&self) -> usize {
        self.bytes.as_ref().len()
    }

    /// Copies the block with its bytes.
    pub(crate) fn to_owned(&self) -> Block<Vec<u8>> {
        let &Self {
            header,
            hash,
            compressed,
            is_masked,
            content_length,
            ..
        } = self;
        Block {
            header,
            hash,
            compressed,
            is_masked,
            content_length,
            bytes: self.bytes.as_ref().to_vec(),
        }
    }

    /// The content, unpacked.
    pub(crate) fn content(&self) -> Result<Vec<u8>, Malformed> {
        let mut from = Cursor(self.bytes.as_ref());
        from.take(HEADER_SIZE)?;
        let stored = from.take(from.0.len().saturating_sub(4))?;
        let stored = if self.is_masked {
            Cow::Owned(masked(stored, &self.hash).collect())
        } else {
            Cow::Borrowed(stored)
        };
        if !self.compressed {
            return Ok(stored.into_owned());
        }
        let mut out = vec![0; self.content_length];
        match lz4_flex::block::decompress_into(&stored, &mut out) {
            Ok(n) if n == self.content_length => Ok(out),
            _ => Err(Malformed("a block cannot be decompressed")),
        }
    }

    /// Whether the hash matches the header and the content.
    pub(crate) fn hash_holds(&self, content: &[u8]) -> bool {
        self.header.hash(content) == self.hash
    }

    /// Reads its entries from `content`, which is its own.
    pub(crate) fn items<'c>(&self, content: &'c [u8]) -> Result<Items<'c>, Malformed> {
        Items::read(content, self.header.first)
    }
}

fn read_head(all: &[u8]) -> Result<(Header, Hash, bool, bool, usize, usize), Malformed> {
    let mut from = Cursor(all);
    if from.array()? != MAGIC {
        return Err(Malformed("the data is not a block"));
    }
    let version = from.byte()?;
    if !matches!(version, VERSION | MASKED) {
        return Err(Malformed(
            "a block's version is unknown; a newer release wrote it",
        ));
    }
    let flags = from.byte()?;
    let header = Header {
        first_of_period: flags & FIRST_OF_PERIOD != 0,
        events: flags & EVENTS != 0,
        count: u32::from_le_bytes(from.array()?),
        first: u64::from_le_bytes(from.array()?),
        earliest_ms: i64::from_le_bytes(from.array()?),
        latest_ms: i64::from_le_bytes(from.array()?),
        written_ms: i64::from_le_bytes(from.array()?),
        tokens: u64::from_le_bytes(from.array()?),
        previous: from.array()?,
    };
    let hash = from.array()?;
    let content = usize::try_from(u32::from_le_bytes(from.array()?)).unwrap_or(usize::MAX);
    let stored = usize::try_from(u32::from_le_bytes(from.array()?)).unwrap_or(usize::MAX);
    if content > CONTENT_LIMIT || stored > content {
        return Err(Malformed("a block is larger than the maximum"));
    }
    let is_masked = version == MASKED;
    Ok((header, hash, flags & COMPRESSED != 0, is_masked, content, stored))
}

/// The block that begins `bytes`, if a whole and sound one does: for searching damaged files.
pub(crate) fn at_start(bytes: &[u8]) -> Option<Block<&[u8]>> {
    let (.., stored) = read_head(bytes).ok()?;
    Block::read(bytes.get(..HEADER_SIZE.checked_add(stored)?.checked_add(4)?)?).ok()
}

/// Most bytes that a block takes.
pub(crate) const BLOCK_LIMIT: usize = HEADER_SIZE + CONTENT_LIMIT + 4;

/// Position of the next magic in `bytes`.
pub(crate) fn find_magic(bytes: &[u8]) -> Option<usize> {
    memchr::memmem::find(bytes, &MAGIC)
}
