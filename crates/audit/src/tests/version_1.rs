//! What was written before version 2 of the content stays readable: a proof that the code of version 1 made.
//!
//! Two days, twelve calls, every second one ended, heads signed. It is never made anew.

use std::fs;

use super::sample::{DAY, NOON, outcome, record};
use crate::{Entry, Event, Filter, Page, Reader, Sequence};

const PROOF: &[u8] = include_bytes!("fixtures/version-1.proof");

#[test]
fn a_proof_of_version_1_is_read_and_verified() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("proof");
    fs::write(&path, PROOF).unwrap();
    let reader = Reader::open(&path).unwrap();
    let page = Page {
        newest_first: false,
        ..Page::default()
    };
    let found = reader.query(&Filter::default(), page).unwrap();
    let mut place = 1;
    let expected = (1..=12).map(|n| {
        place += 1;
        let entry = Entry {
            sequence: Sequence(place),
            record: record(n, if n < 7 { NOON } else { NOON + DAY }),
            outcome: n.is_multiple_of(2).then(|| outcome(n)),
            is_lost: false,
        };
        place += u64::from(n.is_multiple_of(2));
        entry
    });
    assert_eq!(found, expected.collect::<Vec<_>>());
    let told = reader.events(0, i64::MAX).unwrap();
    assert_eq!(told, [(Sequence(1), Event::Opened { time_ms: NOON })]);
    let verified = reader.verify(&reader.claimed_keys()).unwrap();
    assert!(verified.is_sound(), "{:?}", verified.findings);
    assert_eq!(
        (verified.entries, verified.signed),
        (19, Some((Sequence(19), NOON + DAY)))
    );
}
