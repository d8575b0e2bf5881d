//! The file `HEAD`: a note of the end of the chain, which shows if the end is lost. A database whose file was cut short may open
//! as if it had been empty.
//!
//! The note is written after each commit and not synced: after a power cut it may be older than the data, never newer. It guards
//! against accidents, not against an attacker who can write to the disk. A backup has a note too, written once and synced.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::format::bytes::Cursor;
use crate::format::chain::Chain;

const FILE: &str = "HEAD";
const MAGIC: [u8; 4] = *b"TWAH";

/// The note of one store, open for writing. If it could not be opened, nothing is noted: the store works without it.
#[derive(Debug)]
pub(crate) struct EndNote(io::Result<File>);

impl EndNote {
    /// Opens the note in the directory `root`, made if absent.
    pub(crate) fn open(root: &Path) -> Self {
        let mut options = File::options();
        options.create(true).write(true).truncate(false);
        Self(options.open(root.join(FILE)))
    }

    /// Notes the end of the chain. A note that cannot be written stays as it is.
    pub(crate) fn write(&self, chain: &Chain) {
        let Ok(file) = &self.0 else { return };
        let _ = file.write_all_at(&encode(chain), 0);
    }
}

/// Writes a note into the directory `root` of a store that is complete, and syncs it.
///
/// # Errors
/// The note exists, or cannot be written.
pub(crate) fn write_new(root: &Path, chain: &Chain) -> io::Result<()> {
    let mut file = File::create_new(root.join(FILE))?;
    file.write_all(&encode(chain))?;
    file.sync_all()
}

fn encode(chain: &Chain) -> [u8; 48] {
    let mut bytes = [0; 48];
    let (covered, crc) = bytes.split_at_mut(44);
    let (magic, rest) = covered.split_at_mut(MAGIC.len());
    let (next, hash) = rest.split_at_mut(size_of::<u64>());
    magic.copy_from_slice(&MAGIC);
    next.copy_from_slice(&chain.next.to_le_bytes());
    hash.copy_from_slice(&chain.hash);
    crc.copy_from_slice(&crc32fast::hash(covered).to_le_bytes());
    bytes
}

/// Reads the note in the directory `root`; `None` if it is missing or damaged.
pub(crate) fn read(root: &Path) -> Option<Chain> {
    let bytes = std::fs::read(root.join(FILE)).ok()?;
    let mut from = Cursor(&bytes);
    let covered = Cursor(&bytes).take(44).ok()?;
    let magic = from.array().ok()?;
    let chain = Chain {
        next: u64::from_le_bytes(from.array().ok()?),
        hash: from.array().ok()?,
    };
    let crc = u32::from_le_bytes(from.array().ok()?);
    (magic == MAGIC && crc == crc32fast::hash(covered)).then_some(chain)
}
