//! Proofs of a part: what begins at a time has no holes.

use std::fs;
use std::path::Path;

use super::sample::{Clock, DAY, NOON, open, record, stored};
use crate::{Reader, Sequence, Verified};

const MINUTE: i64 = 60_000;

/// What verifying finds of a proof of all since a time, as it is written in steps.
fn proved(store: &Reader, since_ms: i64, dir: &Path) -> (Reader, Verified) {
    let mut bytes = store.proof_head(&[]).unwrap().into_bytes();
    let mut after = Sequence(0);
    loop {
        let blocks = store.blocks(after, Some(since_ms), 1).unwrap();
        let Some(last) = blocks.last else { break };
        bytes.extend(blocks.bytes);
        after = last;
    }
    let path = dir.join("proof");
    fs::write(&path, bytes).unwrap();
    let proof = Reader::open(&path).unwrap();
    let verified = proof.verify(&[]).unwrap();
    (proof, verified)
}

/// Numbers of the calls in it, oldest first.
fn numbers(of: &Reader, since_ms: i64) -> Vec<u8> {
    let filter = crate::Filter {
        since_ms: Some(since_ms),
        ..crate::Filter::default()
    };
    let found = of.query(&filter, crate::Page::default()).unwrap();
    found
        .iter()
        .rev()
        .map(|entry| entry.record.request_id[0])
        .collect()
}

#[test]
fn a_proof_of_the_time_after_a_restart_is_whole() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Clock::at(NOON);
    for period in 0..3_u8 {
        let store = open(dir.path(), &clock);
        for n in 1..=4 {
            let now = NOON + i64::from(period * 10 + n) * MINUTE;
            clock.set(now);
            stored(&store, record(period * 10 + n, now));
        }
        store.close().unwrap();
    }
    let reader = Reader::open(&dir.path().join("audit")).unwrap();
    // Within the first period, the second, the third, at the last call, and behind it.
    for (minute, calls) in [(3, 10), (12, 7), (23, 2), (24, 1), (60, 0), (24 * 60, 0)] {
        let since = NOON + minute * MINUTE;
        let (proof, verified) = proved(&reader, since, dir.path());
        assert_eq!(verified.findings, [], "{minute}");
        assert_eq!(verified.last, Some(reader.last().unwrap()), "{minute}");
        let wanted = numbers(&reader, since);
        assert_eq!(wanted.len(), calls, "{minute}");
        assert_eq!(numbers(&proof, since), wanted, "{minute}");
        // The part before is not in it.
        assert!(
            minute < 12 || verified.first > Some(Sequence(5)),
            "{:?}",
            verified.first
        );
    }
}

#[test]
fn a_proof_is_whole_where_the_clock_was_set_back() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Clock::at(NOON + DAY);
    let store = open(dir.path(), &clock);
    stored(&store, record(1, NOON + DAY));
    clock.set(NOON);
    stored(&store, record(2, NOON));
    store.close().unwrap();
    clock.set(NOON + DAY + MINUTE);
    let store = open(dir.path(), &clock);
    stored(&store, record(3, NOON + DAY + MINUTE));
    store.close().unwrap();
    let reader = Reader::open(&dir.path().join("audit")).unwrap();
    for since in [NOON, NOON + DAY, NOON + DAY + 1, NOON + 2 * DAY] {
        let (proof, verified) = proved(&reader, since, dir.path());
        assert_eq!(verified.findings, []);
        assert_eq!(numbers(&proof, since), numbers(&reader, since));
    }
}
