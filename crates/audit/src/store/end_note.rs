//! A note of where the chain ends, beside the periods, so that an end that went missing shows: a
//! database whose file was cut short may open as if nothing had been in it.
//!
//! Written after each commit and not synced: after a power cut it may be older than the data, never
//! newer. It guards against accidents, not against who may write to the disk.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::format::bytes::Cursor;
use crate::format::chain::Chain;

const MAGIC: [u8; 4] = *b"TWAH";

/// The note of one store, open to be written.
#[derive(Debug)]
pub(crate) struct EndNote(File);

impl EndNote {
    /// Opens the note below `root`, made if absent.
    pub(crate) fn open(root: &Path) -> io::Result<Self> {
        File::options()
            .create(true)
            .write(true)
            .truncate(false)
            .open(root.join("HEAD"))
            .map(Self)
    }

    /// Notes the end of the chain.
    pub(crate) fn write(&self, chain: &Chain) -> io::Result<()> {
        let mut bytes = Vec::with_capacity(48);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&chain.next.to_le_bytes());
        bytes.extend_from_slice(&chain.hash);
        let crc = crc32fast::hash(&bytes);
        bytes.extend_from_slice(&crc.to_le_bytes());
        self.0.write_all_at(&bytes, 0)?;
        (&self.0).flush()
    }
}

/// Reads the note below `root`; `None` if there is none, or none that is whole.
pub(crate) fn read(root: &Path) -> Option<Chain> {
    let bytes = std::fs::read(root.join("HEAD")).ok()?;
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
