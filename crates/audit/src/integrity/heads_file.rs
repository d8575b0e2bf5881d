//! The file `HEADS` of a store, with one signed head a line, synced. A head records where the chain ended at a time, signed with
//! a key that an attacker who can write to the disk does not have.
//!
//! The chain by itself shows changes within it. A head after the chain's end shows that the end was cut off. An attacker who
//! can write both the store and `HEADS` can roll both back to an earlier head: copy the file elsewhere, or note its last line,
//! to detect that too.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::disk::faults;
use crate::format::chain::Chain;
use crate::integrity::keys::SigningKey;

/// Name of the file in the store.
pub(crate) const FILE: &str = "HEADS";

/// Signs the end of a store's chain now and then.
#[derive(Debug)]
pub(crate) struct HeadsFile {
    key: SigningKey,
    path: PathBuf,
    // Absent until it could be opened.
    file: Option<File>,
    interval: Duration,
    // The last entry that was signed, and when.
    signed: Option<(u64, Instant)>,
}

impl HeadsFile {
    /// Opens the file below `root`, made if absent.
    pub(crate) fn open(root: &Path, key: SigningKey, interval: Duration) -> io::Result<Self> {
        let mut heads = Self {
            key,
            path: root.join(FILE),
            file: None,
            interval,
            signed: None,
        };
        match heads.append("") {
            // A disk that takes nothing at present may do so later.
            Err(error) if !heads.path.exists() && error.kind() != io::ErrorKind::ReadOnlyFilesystem => {
                Err(error)
            }
            _ => Ok(heads),
        }
    }

    /// Appends to the file, opened if it is not.
    fn append(&mut self, text: &str) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            none => {
                let whole =
                    fs::read(&self.path).map_or(true, |bytes| bytes.last().is_none_or(|b| *b == b'\n'));
                faults::check(&self.path, faults::Act::Write)?;
                let mut file = File::options().create(true).append(true).open(&self.path)?;
                if !whole {
                    // A crash left half a line.
                    file.write_all(b"\n")?;
                }
                none.insert(file)
            }
        };
        if !text.is_empty() {
            file.write_all(text.as_bytes())?;
            file.sync_data()?;
        }
        Ok(())
    }

    /// Signs the end of `chain` if it has moved on and the last head is older than the interval, or if no later head follows
    /// (`finally`).
    pub(crate) fn sign(&mut self, chain: &Chain, now_ms: i64, finally: bool) -> io::Result<()> {
        let last = chain.next.saturating_sub(1);
        let due = self
            .signed
            .is_none_or(|(signed, when)| signed < last && (finally || when.elapsed() >= self.interval));
        if !due || last == 0 {
            return Ok(());
        }
        let head = self.key.sign(chain, now_ms);
        self.append(&format!("{head}\n"))?;
        self.signed = Some((last, Instant::now()));
        Ok(())
    }
}
