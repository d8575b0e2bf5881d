//! What a question passes over: blocks whose summary says that nothing wanted is in them.

use std::fs;
use std::path::Path;

use super::codec::mend_checksum;
use super::sample::{Clock, NOON, open, outcome, record, stored, tamper};
use crate::store::periods::Periods;
use crate::{Fault, Filter, Page, Record, Sequence};

/// Many calls of one user, in blocks of one each, with one of another among them; closed. Gives the
/// place of that one, and of the last.
fn filled(root: &Path) -> (Sequence, Sequence) {
    let store = open(root, &Clock::at(NOON));
    let mut rare = Sequence(0);
    for n in 0..3_000_u32 {
        let id = u8::try_from(n % 200).unwrap();
        let call = Record {
            user: Some(if n == 2_800 { "rare" } else { "usual" }.into()),
            ..record(id, NOON)
        };
        if n.is_multiple_of(50) {
            let place = stored(&store, call);
            rare = if n == 2_800 { place } else { rare };
        } else {
            store.append_outcome(outcome(id)).unwrap();
        }
    }
    let last = store.last();
    store.close().unwrap();
    (rare, last)
}

fn rare() -> Filter {
    Filter {
        user: Some("rare".into()),
        ..Filter::default()
    }
}

fn period(root: &Path) -> std::path::PathBuf {
    root.join("audit/2026-11-24")
}

#[test]
fn blocks_without_what_is_wanted_are_not_read() {
    let dir = tempfile::tempdir().unwrap();
    let (place, _) = filled(dir.path());
    let summaries = fs::read(period(dir.path()).join("summaries")).unwrap();
    assert!(summaries.len() > 532, "more than one run");
    // A block in a run without it cannot be read; whoever tried would say so.
    tamper(&period(dir.path()), |blocks| {
        let (_, early) = blocks.range_mut(100..).next().unwrap();
        let content = early.len() - 12;
        early[content..].fill(0xff);
        mend_checksum(early);
    });
    let periods = std::sync::Arc::new(Periods::new(&dir.path().join("audit"), 1 << 20));
    let reader = crate::reader::Reader::of(periods);
    let page = Page {
        newest_first: false,
        limit: 1,
        ..Page::default()
    };
    assert_eq!(reader.query(&rare(), page).unwrap()[0].sequence, place);
    assert!(reader.usage(&Filter::default()).is_err());
    assert_eq!(reader.usage(&rare()).unwrap().calls.all(), 1);
}

#[test]
fn either_direction_finds_it() {
    let dir = tempfile::tempdir().unwrap();
    let (place, _) = filled(dir.path());
    let store = open(dir.path(), &Clock::at(NOON));
    // After reopening, and without its summary yet.
    let late = stored(
        &store,
        Record {
            user: Some("rare".into()),
            ..record(201, NOON)
        },
    );
    for newest_first in [true, false] {
        let page = Page {
            newest_first,
            ..Page::default()
        };
        let mut found: Vec<_> = store
            .query(&rare(), page)
            .unwrap()
            .iter()
            .map(|entry| entry.sequence)
            .collect();
        found.sort();
        assert_eq!(found, [place, late]);
    }
    store.close().unwrap();
}

/// A summary of the places up to this one, which has nothing.
fn empty(last: u64) -> Vec<u8> {
    let mut forged = Vec::new();
    forged.extend_from_slice(&1_u64.to_le_bytes());
    forged.extend_from_slice(&last.to_le_bytes());
    forged.extend_from_slice(&[0; 512]);
    forged.extend_from_slice(&crc32fast::hash(&forged).to_le_bytes());
    forged
}

#[test]
fn a_summary_that_ends_within_a_block_hides_nothing_of_the_rest_unseen() {
    let dir = tempfile::tempdir().unwrap();
    let (place, _) = filled(dir.path());
    // It says nothing of the call itself, but of entries before it in its block.
    fs::write(period(dir.path()).join("summaries"), empty(place.0 - 1)).unwrap();
    let store = open(dir.path(), &Clock::at(NOON));
    assert!(store.query(&rare(), Page::default()).unwrap().is_empty());
    let findings = store.verify().unwrap().findings;
    assert!(
        findings
            .iter()
            .any(|found| (found.sequence, &found.what) == (Some(place), &Fault::Hidden)),
        "{}",
        findings.len()
    );
    store.close().unwrap();
}

#[test]
fn a_summary_that_hides_a_call_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let (place, last) = filled(dir.path());
    let forged = empty(last.0);
    let path = period(dir.path()).join("summaries");
    fs::write(&path, forged).unwrap();
    let store = open(dir.path(), &Clock::at(NOON));
    assert!(store.query(&rare(), Page::default()).unwrap().is_empty());
    let findings = store.verify().unwrap().findings;
    assert!(
        findings.iter().all(|found| found.what == Fault::Hidden),
        "{findings:?}"
    );
    assert!(findings.iter().any(|found| found.sequence == Some(place)));
    // Without it, all is read.
    fs::remove_file(&path).unwrap();
    assert_eq!(store.query(&rare(), Page::default()).unwrap().len(), 1);
    store.close().unwrap();
}

#[test]
fn a_rare_status_is_found_by_its_ends() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), &Clock::at(NOON));
    let mut expected = Vec::new();
    // Four calls stay open for long and end in another order; by then the writer has forgotten where
    // some of them stand.
    let answered = |n: u8| crate::Outcome {
        status: Some(502),
        ..outcome(n)
    };
    for n in 1..=200_u8 {
        let place = stored(&store, record(n, NOON));
        if [3, 40, 41, 150].contains(&n) {
            expected.insert(0, place);
        } else {
            store.append_outcome(outcome(n)).unwrap();
        }
        match n {
            60 => store.append_outcome(answered(41)).unwrap(),
            61 => store.append_outcome(answered(3)).unwrap(),
            90 => store.append_outcome(answered(40)).unwrap(),
            190 => store.append_outcome(answered(150)).unwrap(),
            _ => {}
        }
    }
    let ask = |limit, before| {
        let filter = Filter {
            status: Some(502),
            ..Filter::default()
        };
        let page = Page {
            limit,
            before,
            ..Page::default()
        };
        let found = store.query(&filter, page).unwrap();
        found.iter().map(|entry| entry.sequence).collect::<Vec<_>>()
    };
    // The last outcome is on disk once the next record is.
    stored(&store, record(201, NOON));
    assert_eq!(ask(10, None), expected);
    for limit in 1..4 {
        assert_eq!(ask(limit, None), expected[..limit]);
        assert_eq!(ask(limit, Some(expected[0])), expected[1..][..limit.min(3)]);
    }
    store.close().unwrap();
}
