//! A value that is kept and looks like a block is never taken for one.

use super::codec::mend_checksum;
use super::sample::{Clock, NOON, open, record, stored};
use crate::format::block::{self, Block};
use crate::format::encode::Encoder;
use crate::model::item::Item;
use crate::period::find_blocks::find_blocks;
use crate::period::journal;
use crate::{Event, Filter, Kept, NodeKind, NodeValue, Page, Record};

/// A block, sound by its checksum, that is text: whoever may write a value that is kept can hand it over.
fn block_as_text(place: u64) -> String {
    (0..200)
        .find_map(|written_ms| {
            let head = block::Header {
                first_of_period: false,
                events: true,
                count: 1,
                first: place,
                earliest_ms: 0,
                latest_ms: 0,
                written_ms,
                tokens: 0,
                previous: [0; 32],
            };
            let mut content = Encoder::default();
            content.push(&Item::Event(Event::Opened { time_ms: 5 }), place);
            let mut raw = Vec::new();
            content.finish(&mut raw);
            let mut bytes = block::encode(&head, &raw).0;
            let hash = block::HEADER_SIZE - 8 - 32;
            bytes[hash..hash + 32].fill(b'h');
            mend_checksum(&mut bytes);
            assert!(Block::read(bytes.as_slice()).is_ok());
            String::from_utf8(bytes).ok()
        })
        .unwrap()
}

#[test]
fn a_block_that_a_caller_hands_over_as_a_value_is_never_taken_for_one() {
    const FORGED: u64 = 0x0101_0101_0101;
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), &Clock::at(NOON));
    let period = dir.path().join("audit/2026-11-24");
    let handed = block_as_text(FORGED);
    for n in 1..=100 {
        let value = NodeValue {
            path: "summary".into(),
            kind: NodeKind::String,
            value: Kept::Text(handed.clone()),
        };
        let url = "u".repeat(usize::from(n) * 7 % 300);
        stored(
            &store,
            Record {
                url,
                nodes: vec![value],
                ..record(n, NOON)
            },
        );
        // The journal is written over: of what stood there before the rest of a block may be left.
        let journal = journal::bytes(&period).unwrap();
        let last = store.last().0;
        for (_, block) in journal::blocks(&journal) {
            assert!(block.header.last() <= last, "after {n}: {:?}", block.header);
        }
    }
    let found = store.query(&Filter::default(), Page::default()).unwrap();
    assert!(
        found
            .iter()
            .all(|entry| entry.record.nodes[0].value == Kept::Text(handed.clone()))
    );
    store.close().unwrap();
    assert_eq!(store.verify().unwrap().findings, []);
}

#[test]
fn a_damaged_block_gives_nothing_that_a_caller_put_into_it() {
    let handed = block_as_text(0x0101);
    let value = |n: u8| NodeValue {
        path: format!("fields.{n}"),
        kind: NodeKind::String,
        value: Kept::Text(handed.clone()),
    };
    // Stored as it is, and compressed.
    for (values, url) in [(1, 10), (60, 9_000)] {
        let mut content = Encoder::default();
        let nodes = (0..values).map(value).collect();
        let url = "u".repeat(url);
        content.push(
            &Item::Decision(crate::PackedRecord::from(Record {
                nodes,
                url,
                ..record(1, NOON)
            })),
            7,
        );
        let mut raw = Vec::new();
        content.finish(&mut raw);
        let head = block::Header {
            first_of_period: true,
            events: false,
            count: 1,
            first: 7,
            earliest_ms: NOON,
            latest_ms: NOON,
            written_ms: NOON,
            tokens: 0,
            previous: [3; 32],
        };
        let (mut bytes, _) = block::encode(&head, &raw);
        let block = Block::read(bytes.as_slice()).unwrap();
        assert_eq!(block.content().unwrap(), raw);
        assert!(block.hash_holds(&raw));
        bytes[block::HEADER_SIZE - 1] ^= 1;
        find_blocks(bytes.as_slice(), &mut |_, block| panic!("{:?}", block.header)).unwrap();
    }
}
