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
    let mut file = SkippingFile::new(Bad(&bytes, bad), u64::try_from(length).unwrap());
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
