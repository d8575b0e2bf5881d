//! Sums that say anything else than the blocks are found by verifying, and only they.

use std::fs;
use std::path::Path;

use super::counts::{call, chapters, period};
use super::sample::{Clock, NOON, append, config, open, open_with, spoil, stored, tamper};
use crate::index::counts::{GroupKey, Groups, encode};
use crate::{Fault, Filter, Reader, Sequence};

/// What verifying finds with these chapters, each of so many calls of kind 0, in place of those that were written.
fn found(root: &Path, forged: &[(u64, u64, u32)]) -> Vec<(Option<Sequence>, Fault)> {
    let mut bytes = Vec::new();
    for (first, last, calls) in forged {
        let mut groups = Groups::default();
        for n in 0..*calls {
            let record = call(1, 0, NOON + i64::from(n) + 1);
            groups.count(&GroupKey::from(&record), record.time_ms);
        }
        bytes.extend(encode(*first, *last, &groups).unwrap());
    }
    fs::write(period(root).join("sums"), bytes).unwrap();
    let verified = Reader::open(&root.join("audit")).unwrap().verify(&[]).unwrap();
    verified
        .findings
        .into_iter()
        .map(|found| (found.sequence, found.what))
        .collect()
}

/// Ten calls in blocks of their own, from the second place on.
pub(super) fn ten(root: &Path) {
    let store = open(root, &Clock::at(NOON));
    for n in 1..=10 {
        stored(&store, call(n, 0, NOON + i64::from(n)));
    }
    store.close().unwrap();
}

#[test]
fn sums_that_say_anything_else_are_found() {
    let dir = tempfile::tempdir().unwrap();
    ten(dir.path());
    assert_eq!(chapters(dir.path()), [(1, 11)]);
    let miscounted = |place| (Some(Sequence(place)), Fault::Miscounted);
    assert_eq!(found(dir.path(), &[(1, 11, 10)]), [], "it is what was written");
    assert_eq!(found(dir.path(), &[(1, 6, 5)]), []);
    assert_eq!(found(dir.path(), &[(1, 11, 9)]), [miscounted(1)]);
    assert_eq!(
        found(dir.path(), &[(1, 10, 10), (11, 11, 1)]),
        [miscounted(1), miscounted(11)]
    );
    // Of none of its calls.
    assert_eq!(found(dir.path(), &[(1, 11, 0)]), [miscounted(1)]);
    // Such as end beyond the store's end are not used.
    assert_eq!(found(dir.path(), &[(1, 12, 11)]), []);
    let counted = |root: &Path| {
        Reader::open(&root.join("audit"))
            .unwrap()
            .usage(&Filter::default())
    };
    assert_eq!(counted(dir.path()).unwrap().calls.all(), 10);
    found(dir.path(), &[(1, 11, 3)]);
    assert_eq!(counted(dir.path()).unwrap().calls.all(), 3, "they are believed");
    fs::remove_file(period(dir.path()).join("sums")).unwrap();
    assert_eq!(counted(dir.path()).unwrap().calls.all(), 10);
    assert!(
        Reader::open(&dir.path().join("audit"))
            .unwrap()
            .verify(&[])
            .unwrap()
            .is_sound()
    );
}

#[test]
fn sums_that_part_a_block_are_found() {
    let dir = tempfile::tempdir().unwrap();
    // Nobody waits for them, so that they are written together when the store is closed.
    let buffered = crate::Config {
        durability: crate::Durability::Buffered,
        ..config(dir.path())
    };
    let store = open_with(buffered, &Clock::at(NOON));
    for n in 1..=10 {
        append(&store, call(n, 0, NOON + i64::from(n))).unwrap();
    }
    store.close().unwrap();
    let reader = Reader::open(&dir.path().join("audit")).unwrap();
    let blocks = reader.blocks(Sequence(0), None, usize::MAX).unwrap().bytes;
    let first = crate::format::block::at_start(&blocks).unwrap();
    let second = crate::format::block::at_start(&blocks[first.size()..])
        .unwrap()
        .header;
    assert!(second.count > 2, "{second:?}");
    let miscounted = |place| (Some(Sequence(place)), Fault::Miscounted);
    // A call of the block is counted, and the rest passed over.
    let forged = [(second.first, second.first, 1)];
    assert_eq!(found(dir.path(), &forged), [miscounted(second.first)]);
    let forged = [(second.first + 1, second.last(), second.count - 1)];
    assert_eq!(found(dir.path(), &forged), [miscounted(second.first + 1)]);
}

#[test]
fn blocks_that_are_damaged_are_told_and_not_the_sums() {
    let dir = tempfile::tempdir().unwrap();
    ten(dir.path());
    let period = dir.path().join("audit/2026-11-24");
    let findings = || {
        let reader = Reader::open(&dir.path().join("audit")).unwrap();
        reader.verify(&[]).unwrap().findings
    };
    tamper(&period, |blocks| spoil(blocks.get_mut(&4).unwrap()));
    let of_spoilt = findings();
    assert_eq!(of_spoilt.len(), 1, "{of_spoilt:?}");
    assert_eq!(of_spoilt[0].what, Fault::Changed);
    tamper(&period, |blocks| drop(blocks.remove(&4).unwrap()));
    let of_removed = findings();
    assert_eq!(of_removed.len(), 1, "{of_removed:?}");
    assert_eq!(of_removed[0].what, Fault::Broken);
}
