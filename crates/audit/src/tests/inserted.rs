//! Entries put in where a period ends, and periods taken away before others, show.

use std::path::Path;

use super::sample::{Clock, DAY, NOON, append, open, record, stored, tamper};
use crate::disk::faults::{Act, Injected};
use crate::format::block::{self, Block};
use crate::format::encode::Encoder;
use crate::model::item::Item;
use crate::{Fault, Finding, Reader, Sequence};

fn findings(root: &Path) -> Vec<Finding> {
    let reader = Reader::open(&root.join("audit")).unwrap();
    reader.verify(&[]).unwrap().findings
}

/// Puts a record of a tamperer's behind the last block of the period that is closed at `path`.
fn insert(path: &Path) -> u64 {
    let mut place = 0;
    tamper(path, |blocks| {
        let last = Block::read(blocks.values().next_back().unwrap().clone()).unwrap();
        place = last.header.last() + 1;
        let head = block::Header {
            first_of_period: false,
            events: false,
            count: 1,
            first: place,
            previous: last.hash,
            ..last.header
        };
        let mut content = Encoder::default();
        content.push(&Item::Decision(record(200, NOON).into()), place);
        let mut raw = Vec::new();
        content.finish(&mut raw);
        blocks.insert(place, block::encode(&head, &raw).0);
    });
    place
}

#[test]
fn a_record_put_in_where_a_day_ends_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Clock::at(NOON);
    let store = open(dir.path(), &clock);
    stored(&store, record(1, NOON));
    clock.set(NOON + DAY);
    let next = stored(&store, record(2, NOON + DAY));
    store.close().unwrap();
    assert_eq!(findings(dir.path()), []);
    assert_eq!(insert(&dir.path().join("audit/2026-11-24")), next.0);
    let found = findings(dir.path());
    assert!(found.iter().any(|f| !f.what.is_harmless()), "{found:?}");
    assert_eq!(found[0].sequence, Some(next));
}

#[test]
fn what_is_missing_before_the_ninth_period_of_a_day_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Clock::at(NOON);
    for n in 1..=8 {
        let store = open(dir.path(), &clock);
        stored(&store, record(n, NOON));
        store.close().unwrap();
    }
    // A failed commit, which is on disk all the same, ends the ninth.
    let ninth = dir.path().join("audit/2026-11-24.9");
    let store = open(dir.path(), &clock);
    stored(&store, record(9, NOON));
    let fault = Injected::new(&ninth, Act::Sync, 5);
    append(&store, record(10, NOON)).unwrap_err();
    drop(fault);
    while append(&store, record(11, NOON)).is_err() {
        std::thread::yield_now();
    }
    store.close().unwrap();
    assert!(dir.path().join("audit/2026-11-24.10").exists());
    let unconfirmed: Vec<_> = findings(dir.path()).into_iter().map(|f| f.what).collect();
    assert_eq!(unconfirmed, [Fault::Unconfirmed]);
    for n in 1..=8 {
        let name = if n == 1 { String::new() } else { format!(".{n}") };
        std::fs::remove_dir_all(dir.path().join(format!("audit/2026-11-24{name}"))).unwrap();
    }
    let found = findings(dir.path());
    assert_eq!(found[0].what, Fault::MissingStart, "{found:?}");
    assert!(found[0].sequence > Some(Sequence(1)));
}
