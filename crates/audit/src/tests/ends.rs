//! An end that went missing shows, though the database opens as if nothing had been there.

use std::fs;

use super::sample::{Clock, NOON, open, record, stored, tamper};
use crate::{Fault, Sequence};

#[test]
fn an_end_that_was_cut_off_is_told_and_its_places_are_not_used_again() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Clock::at(NOON);
    let store = open(dir.path(), &clock);
    let last = (1..=3).map(|n| stored(&store, record(n, NOON))).max().unwrap();
    store.close().unwrap();
    // Another could have been put in its place: an empty one.
    fs::remove_dir_all(dir.path().join("audit/2026-11-24")).unwrap();
    let store = open(dir.path(), &clock);
    assert!(
        store.opened().warnings[0].contains("the end is missing"),
        "{:?}",
        store.opened()
    );
    let place = stored(&store, record(9, NOON));
    assert!(place > last);
    let verified = store.verify().unwrap();
    assert!(
        matches!(verified.findings[0].what, Fault::MissingStart),
        "{:?}",
        verified.findings
    );
    store.close().unwrap();
}

#[test]
fn verifying_tells_of_a_missing_end() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Clock::at(NOON);
    let store = open(dir.path(), &clock);
    stored(&store, record(1, NOON));
    let last = stored(&store, record(2, NOON));
    store.close().unwrap();
    tamper(&dir.path().join("audit/2026-11-24"), |blocks| {
        blocks.remove(&last.0).unwrap();
    });
    let periods = crate::store::periods::Periods::new(&dir.path().join("audit"), 1 << 20);
    let verified = crate::integrity::verify::verify(&periods, &[]).unwrap();
    let found: Vec<_> = verified.findings.iter().map(|f| (f.sequence, &f.what)).collect();
    assert_eq!(found, [(Some(Sequence(last.0)), &Fault::CutOff)]);
}
