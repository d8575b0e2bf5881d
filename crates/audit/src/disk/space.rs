//! The disk's free space, and the reserve: a file that is deleted when no space is left.
//!
//! The database does not open on a full disk, and may wait forever after a failed write. So no commit begins with less than
//! [`MARGIN`] free, and the reserve gives a store that is closing room to write.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use fs4::FileExt;

/// Free bytes below which nothing is written: two segments of the database.
pub(crate) const MARGIN: u64 = 16 << 20;

/// Time for which free space is taken to last: far less than the margin can be written in it.
const ROOM_KNOWN: Duration = Duration::from_millis(50);

/// The reserve of one store.
#[derive(Debug)]
pub(crate) struct Space {
    root: PathBuf,
    reserve_bytes: u64,
    held: bool,
    margin: u64,
    /// Time until which the last answer is taken for true.
    room_until: Instant,
}

impl Space {
    /// Looks at the disk that `root` is on, and makes the reserve if there is room for it.
    pub(crate) fn new(root: &Path, reserve_bytes: u64) -> Self {
        let length = fs::metadata(root.join("RESERVE")).map(|data| data.len()).ok();
        let mut space = Self {
            root: root.to_owned(),
            reserve_bytes,
            held: length.is_some(),
            margin: MARGIN,
            room_until: Instant::now(),
        };
        // A crash may have left it empty.
        if length.is_none_or(|length| length < reserve_bytes) {
            space.refill();
        }
        space
    }

    fn file(&self) -> PathBuf {
        self.root.join("RESERVE")
    }

    /// Whether a commit may begin: the answer of [`Space::check`], repeated for a moment.
    pub(crate) fn has_room(&mut self) -> io::Result<bool> {
        if Instant::now() < self.room_until {
            return Ok(true);
        }
        let has_room = self.check()?;
        if has_room {
            self.room_until = Instant::now() + ROOM_KNOWN;
        }
        Ok(has_room)
    }

    /// Whether a commit may begin. If not, deletes the reserve.
    fn check(&mut self) -> io::Result<bool> {
        let enough = fs4::available_space(&self.root)? >= self.margin;
        if !enough {
            self.release();
        } else if !self.held {
            self.refill();
        }
        Ok(enough)
    }

    /// Deletes the reserve.
    fn release(&mut self) {
        if self.held {
            // Nothing better can be done where even that fails.
            let _ = fs::remove_file(self.file());
            self.held = false;
        }
    }

    fn refill(&mut self) {
        if self.reserve_bytes == 0 {
            return;
        }
        let needed = self.margin.saturating_mul(2).saturating_add(self.reserve_bytes);
        let room = fs4::available_space(&self.root).is_ok_and(|free| free >= needed);
        if room {
            self.held = File::create(self.file())
                .and_then(|f| f.allocate(self.reserve_bytes))
                .is_ok();
        }
    }
}

#[cfg(test)]
mod tests;
