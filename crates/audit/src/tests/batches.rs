//! Short blocks become sheaves: read back as they were, small on disk, and refused where they were changed.

use std::collections::BTreeMap;
use std::fs;

use proptest::prelude::*;

use super::codec::mend_checksum;
use super::sample::{Clock, NOON, open, outcome, record, stored};
use crate::format::batch::{self, Batch};
use crate::format::block::{self, Header};
use crate::{Filter, Page, Reader, Sequence, Store};

/// Batch of arbitrary content, each beginning where the one before ends.
fn blocks(contents: &[Vec<u8>]) -> Batch {
    let mut blocks = Batch::default();
    for (first, content) in (5_u64..).step_by(3).zip(contents) {
        let header = Header {
            first_of_period: false,
            events: false,
            count: 3,
            first,
            earliest_ms: 1,
            latest_ms: 2,
            written_ms: 3,
            tokens: 0,
            previous: [9; 32],
        };
        blocks.push(first, &block::encode(&header, content).0);
    }
    blocks
}

fn contents() -> impl Strategy<Value = Vec<Vec<u8>>> {
    proptest::collection::vec(proptest::collection::vec(0..4_u8, 0..90), 2..7)
}

fn all(blocks: &Batch) -> Vec<(u64, Vec<u8>)> {
    blocks
        .iter()
        .map(|(first, bytes)| (first, bytes.to_vec()))
        .collect()
}

proptest! {
    #[test]
    fn a_sheaf_is_read_back(contents in contents(), at in 0..40_u64) {
        let made = blocks(&contents);
        let bytes = made.encode().unwrap();
        prop_assert!(batch::is_batch(&bytes) && bytes.len() < made.size());
        let read = batch::read(&bytes).unwrap();
        prop_assert_eq!(all(&read), all(&made));
        let expected = all(&made);
        prop_assert_eq!(
            read.at_or_before(at).map(|(first, _)| first),
            expected.iter().map(|(first, _)| *first).rfind(|first| *first <= at)
        );
        prop_assert_eq!(
            read.at_or_after(at).map(|(first, _)| first),
            expected.iter().map(|(first, _)| *first).find(|first| *first >= at)
        );
    }

    #[test]
    fn a_batch_in_the_memory_of_others_is_as_in_its_own(before in contents(), contents in contents()) {
        let mut made = blocks(&before);
        made.clear();
        prop_assert!(made.is_empty() && made.bytes().is_empty());
        let others = blocks(&contents);
        others.iter().for_each(|(first, bytes)| made.push(first, bytes));
        prop_assert_eq!(all(&made), all(&others));
        prop_assert_eq!(made.bytes(), others.bytes());
    }

    #[test]
    fn a_changed_sheaf_is_refused(contents in contents(), at in any::<prop::sample::Index>(), bit in 0..8_u8) {
        let made = blocks(&contents);
        let mut bytes = made.encode().unwrap();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        prop_assert!(batch::read(&bytes).is_err());
        prop_assert!(batch::read(&bytes[..at]).is_err());
        // With its checksum mended, the blocks' own tell, unless what it unpacks to is the same.
        mend_checksum(&mut bytes);
        if let Ok(read) = batch::read(&bytes) {
            prop_assert_eq!(all(&read), all(&made));
        }
    }

    #[test]
    fn any_bytes_are_no_sheaf(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut bytes = [b"TWAS\x01\x01".as_slice(), &bytes].concat();
        prop_assert!(batch::read(&bytes).is_err());
        if bytes.len() > 4 {
            mend_checksum(&mut bytes);
            prop_assert!(batch::read(&bytes).is_err());
        }
    }
}

#[test]
fn a_sheaf_that_claims_much_allocates_nothing() {
    let mut bytes = b"TWAS\x01\x01\xff\xff\xff\x7f\x01\0\0\0\0....".to_vec();
    mend_checksum(&mut bytes);
    assert!(batch::read(&bytes).is_err());
}

fn entries(of: &Reader, newest_first: bool) -> Vec<Sequence> {
    let page = Page {
        limit: 1000,
        newest_first,
        ..Page::default()
    };
    let found = of.query(&Filter::default(), page).unwrap();
    found.iter().map(|entry| entry.sequence).collect()
}

fn filled(store: &Store) -> Vec<Sequence> {
    (1..=200)
        .map(|n| {
            let place = stored(store, record(n, NOON));
            store.append_outcome(outcome(n)).unwrap();
            place
        })
        .collect()
}

#[test]
fn blocks_in_memory_in_sheaves_and_in_the_journal_are_found_alike() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), &Clock::at(NOON));
    let mut expected = filled(&store);
    let audit = dir.path().join("audit");
    for reader in [store.reader(), Reader::open(&audit).unwrap()] {
        assert_eq!(entries(&reader, false), expected);
        assert!(reader.verify(&[]).unwrap().is_sound());
    }
    store.close().unwrap();
    let closed = Reader::open(&audit).unwrap();
    assert_eq!(entries(&closed, false), expected);
    assert!(closed.verify(&[]).unwrap().is_sound());
    expected.reverse();
    assert_eq!(entries(&closed, true), expected);
    let again = open(dir.path(), &Clock::at(NOON));
    assert_eq!(entries(&again.reader(), true), expected);
    assert!(again.verify().unwrap().is_sound());
}

#[test]
fn a_sheaf_takes_less_than_its_blocks() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), &Clock::at(NOON));
    filled(&store);
    store.close().unwrap();
    let file = fs::File::open(dir.path().join("audit/2026-11-24/db")).unwrap();
    // By where it stands: its bytes, and those of its blocks.
    let mut sheaves = BTreeMap::new();
    crate::period::find_blocks::find_blocks(file, &mut |stand, block| {
        if stand.is_batch {
            sheaves.entry(stand.offset).or_insert((stand.length, 0)).1 += block.size();
        }
    })
    .unwrap();
    assert!(sheaves.len() > 10);
    for (length, blocks) in sheaves.values() {
        assert!(length * 10 < blocks * 9, "{length} of {blocks}");
    }
}
