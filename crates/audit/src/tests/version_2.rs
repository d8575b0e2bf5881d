//! What was written before version 3 of the content stays readable: a proof that the code of version 2 made.
//!
//! Four calls with evidence, every second one ended. It is never made anew.

use std::fs;

use super::sample::{NOON, outcome, record};
use crate::{
    Constraint, Entry, Filter, Held, Kept, LineRef, NodeKind, NodeValue, Page, Reader, Record, Sequence,
    Tried,
};

const PROOF: &[u8] = include_bytes!("fixtures/version-2.proof");

fn judged(n: u8) -> Record {
    Record {
        nodes: vec![NodeValue {
            path: "fields.key".into(),
            kind: NodeKind::String,
            value: Kept::Text(format!("KANBAN-{n}")),
        }],
        tried: vec![Tried {
            line: LineRef {
                file: "ci.toml".into(),
                number: u32::from(n),
                digest: "00ff".into(),
            },
            forbids: n == 1,
            held: Held::No,
            constraints: vec![Constraint {
                text: "JsonData::fields.key==".into(),
                held: Held::Unknown,
            }],
        }],
        ..record(n, NOON)
    }
}

#[test]
fn a_proof_of_version_2_is_read_and_verified() {
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
    let expected = (1..=4).map(|n| {
        place += 1;
        let entry = Entry {
            sequence: Sequence(place),
            record: judged(n),
            outcome: n.is_multiple_of(2).then(|| outcome(n)),
            is_lost: false,
        };
        place += u64::from(n.is_multiple_of(2));
        entry
    });
    assert_eq!(found, expected.collect::<Vec<_>>());
    let verified = reader.verify(&[]).unwrap();
    assert_eq!(verified.findings, []);
}
