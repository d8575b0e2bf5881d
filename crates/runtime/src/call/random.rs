//! Random bytes for ids, taken from the system in batches: each worker asks it once for some fifty calls.

use std::cell::RefCell;

/// Number of bytes of a batch.
const BATCH: usize = 1024;

/// Bytes of the system that were not used yet.
struct Batch {
    bytes: [u8; BATCH],
    used: usize,
}

thread_local! {
    static BYTES: RefCell<Batch> = const { RefCell::new(Batch { bytes: [0; BATCH], used: BATCH }) };
}

/// Fills at most a batch with random bytes that nobody else gets. Without randomness, which all known systems have, it
/// leaves them as they are.
pub(super) fn fill(out: &mut [u8]) {
    BYTES.with_borrow_mut(|batch| {
        if batch.used + out.len() > BATCH {
            if getrandom::fill(&mut batch.bytes).is_err() {
                return;
            }
            batch.used = 0;
        }
        let rest = batch.bytes.get(batch.used..).unwrap_or_default();
        for (byte, random) in out.iter_mut().zip(rest) {
            *byte = *random;
        }
        batch.used += out.len();
    });
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_bytes_are_given_twice() {
        let mut seen = HashSet::new();
        for _ in 0..1000 {
            let mut bytes = [0; 10];
            fill(&mut bytes);
            assert!(seen.insert(bytes));
        }
    }
}
