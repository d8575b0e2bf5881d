//! Reading a file past bad sectors: bytes that cannot be read become zeros, and are counted.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;

/// Bytes that are given up at once: disks fail by sectors, the system reads by pages.
const PAGE: u64 = 4 << 10;

/// A file, read from its beginning to its end.
pub(crate) struct SkippingFile<F> {
    file: F,
    at: u64,
    length: u64,
    unread: u64,
}

impl SkippingFile<File> {
    /// Opens the file. Fails only if not even its length is known.
    pub(crate) fn of(file: File) -> io::Result<Self> {
        let length = file.metadata()?.len();
        Ok(Self::new(file, length))
    }
}

impl<F> SkippingFile<F> {
    fn new(file: F, length: u64) -> Self {
        Self {
            file,
            at: 0,
            length,
            unread: 0,
        }
    }

    /// Bytes that could not be read so far.
    pub(crate) fn unread(&self) -> u64 {
        self.unread
    }
}

impl<F: FileExt> Read for SkippingFile<F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // After a failure, read up to the end of the page only.
        let page = usize::try_from(PAGE - self.at % PAGE).unwrap_or(usize::MAX);
        let within = buffer.len().min(page);
        let all = self.file.read_at(buffer, self.at);
        let read = all.or_else(|_| match buffer.get_mut(..within) {
            Some(part) => self.file.read_at(part, self.at),
            None => Ok(0),
        });
        let passed = match read {
            Ok(read) => read,
            Err(_) => {
                let left = usize::try_from(self.length.saturating_sub(self.at)).unwrap_or(usize::MAX);
                let gap = within.min(left);
                buffer.iter_mut().take(gap).for_each(|byte| *byte = 0);
                self.unread += u64::try_from(gap).unwrap_or(0);
                gap
            }
        };
        self.at += u64::try_from(passed).unwrap_or(0);
        Ok(passed)
    }
}

#[cfg(test)]
mod tests;
