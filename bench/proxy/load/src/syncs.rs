//! The disk's own time for a durable write.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::Failure;

/// Overwrites a block of a file so many times, each with fdatasync, and returns how long each took.
pub(crate) fn run(directory: &Path, count: u32) -> Result<Vec<Duration>, Failure> {
    let path = directory.join("proxy-load-syncs");
    let file = File::options().create_new(true).write(true).open(&path)?;
    let mut took = Vec::new();
    for n in 0..count + 1 {
        let begun = Instant::now();
        file.write_all_at(&[7; 4096], 0)?;
        file.sync_data()?;
        // The first makes the file's block.
        if n > 0 {
            took.push(begun.elapsed());
        }
    }
    std::fs::remove_file(path)?;
    Ok(took)
}
