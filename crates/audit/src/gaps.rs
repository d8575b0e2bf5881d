//! Reading a file past what cannot be read of it: what a bad sector holds is taken for zeros, and counted.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;

/// What is given up at once, bytes: disks fail by sectors, the system reads by pages.
const PAGE: u64 = 4 << 10;

/// A file, read from its beginning to its end.
pub(crate) struct Gaps<F> {
    file: F,
    at: u64,
    length: u64,
    unread: u64,
}

impl Gaps<File> {
    /// Fails only where not even the file's length can be told.
    pub(crate) fn of(file: File) -> io::Result<Self> {
        let length = file.metadata()?.len();
        Ok(Self::new(file, length))
    }
}

impl<F> Gaps<F> {
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

impl<F: FileExt> Read for Gaps<F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // To the end of the page alone, where more could not be read.
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
mod tests {
    use super::*;

    /// Bytes of which some stretches cannot be read.
    struct Bad<'b>(&'b [u8], &'b [std::ops::Range<usize>]);

    impl FileExt for Bad<'_> {
        fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
            let from = usize::try_from(offset).unwrap().min(self.0.len());
            let to = self.0.len().min(from + buffer.len());
            if self.1.iter().any(|bad| bad.start < to && from < bad.end) {
                return Err(io::Error::from_raw_os_error(5));
            }
            buffer[..to - from].copy_from_slice(&self.0[from..to]);
            Ok(to - from)
        }

        fn write_at(&self, _: &[u8], _: u64) -> io::Result<usize> {
            Err(io::ErrorKind::Unsupported.into())
        }
    }

    fn read(length: usize, bad: &[std::ops::Range<usize>]) -> (Vec<u8>, u64) {
        let bytes: Vec<u8> = (0..length).map(|n| u8::try_from(n % 251 + 1).unwrap()).collect();
        let mut file = Gaps::new(Bad(&bytes, bad), u64::try_from(length).unwrap());
        let mut all = Vec::new();
        file.read_to_end(&mut all).unwrap();
        assert_eq!(all.len(), length);
        let wrong = all.iter().zip(&bytes).filter(|(is, was)| is != was).count();
        assert_eq!(
            u64::try_from(wrong).unwrap(),
            file.unread(),
            "what is not read is zeros"
        );
        (all, file.unread())
    }

    #[test]
    fn what_cannot_be_read_costs_its_pages_alone() {
        assert_eq!(read(100_000, &[]).1, 0);
        let (all, unread) = read(100_000, &[16_384..20_480, 49_152..57_344]);
        assert_eq!(unread, 3 * PAGE);
        assert!(all[16_384..20_480].iter().all(|byte| *byte == 0));
        assert!(all[20_480..49_152].iter().all(|byte| *byte != 0));
        assert_eq!(read(10_000, &[0..8_192, 8_192..10_000]).1, 10_000);
        assert_eq!(read(10_000, &[0..4_096, 8_192..10_000]).1, 10_000 - 4_096);
        assert_eq!(read(0, &[]).1, 0);
    }
}
