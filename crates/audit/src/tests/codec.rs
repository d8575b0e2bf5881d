//! What is stored is read back; hostile bytes do no harm.

use std::net::IpAddr;

use proptest::prelude::*;

use crate::format::block::{self, Block, Header};
use crate::format::decode::{ItemView, Items};
use crate::format::encode::Encoder;
use crate::model::item::{Counted, Ended, Event, Item};
use crate::{
    Constraint, End, Held, Kept, Lacking, LineRef, NodeKind, NodeValue, Outcome, Record, Tried, Verdict,
};

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z-]{0,12}", "\\PC{0,20}", Just("token".to_owned())]
}

fn maybe<T: std::fmt::Debug + Clone + 'static>(
    of: impl Strategy<Value = T> + 'static,
) -> BoxedStrategy<Option<T>> {
    proptest::option::of(of).boxed()
}

fn held() -> impl Strategy<Value = Held> {
    prop_oneof![Just(Held::No), Just(Held::Yes), Just(Held::Unknown)]
}

fn a_node() -> impl Strategy<Value = NodeValue> {
    let kinds = [
        NodeKind::String,
        NodeKind::Number,
        NodeKind::Boolean,
        NodeKind::Null,
    ];
    let value = prop_oneof![
        text().prop_map(Kept::Text),
        text().prop_map(Kept::Hash),
        Just(Kept::Dropped)
    ];
    (text(), prop::sample::select(kinds.to_vec()), value).prop_map(|(path, kind, value)| NodeValue {
        path,
        kind,
        value,
    })
}

fn a_tried() -> impl Strategy<Value = Tried> {
    let constraint = (text(), held()).prop_map(|(text, held)| Constraint { text, held });
    let constraints = proptest::collection::vec(constraint, 0..4);
    (text(), any::<u32>(), text(), any::<bool>(), held(), constraints).prop_map(
        |(file, number, digest, forbids, held, constraints)| Tried {
            line: LineRef { file, number, digest },
            forbids,
            held,
            constraints,
        },
    )
}

fn a_record() -> impl Strategy<Value = Record> {
    let who = (
        maybe(text()),
        maybe(text()),
        maybe(text()),
        maybe(text()),
        any::<IpAddr>(),
        any::<bool>(),
    );
    let line = maybe((text(), any::<u32>(), text()));
    let verdict = prop_oneof![Just(Verdict::Allow), Just(Verdict::Deny), Just(Verdict::Refuse)];
    let lacking = maybe((text(), any::<u32>(), text(), text(), text()));
    let judged = (
        proptest::collection::vec(a_node(), 0..3),
        proptest::collection::vec(a_tried(), 0..3),
        lacking,
        maybe(text()),
    );
    let what = (text(), text(), line, verdict, text(), text(), judged);
    (
        any::<i64>(),
        any::<[u8; 16]>(),
        who,
        what,
        maybe(any::<u64>()),
        any::<u64>(),
    )
        .prop_map(|(time_ms, request_id, who, what, request_bytes, decision_ns)| {
            let (client_request_id, token, user, on_behalf_of, client, authenticated) = who;
            let (method, url, line, verdict, reason, policy, (nodes, tried, lacking, unread)) = what;
            let lacking = lacking.map(|(file, number, digest, condition, found)| Lacking {
                line: LineRef { file, number, digest },
                condition,
                found,
            });
            let line = line.map(|(file, number, digest)| LineRef { file, number, digest });
            Record {
                time_ms,
                request_id,
                client_request_id,
                token,
                user,
                on_behalf_of,
                client,
                method,
                url,
                line,
                verdict,
                reason,
                policy,
                request_bytes,
                decision_ns,
                authenticated,
                nodes,
                tried,
                lacking,
                unread,
            }
        })
}

fn an_end() -> impl Strategy<Value = Ended> {
    let end = prop_oneof![
        Just(End::Complete),
        Just(End::ClientGone),
        Just(End::UpstreamFailed),
        Just(End::Timeout),
        Just(End::Internal),
        Just(End::Revoked)
    ];
    let status = (maybe(any::<u16>()), maybe(any::<u16>()), any::<bool>());
    (
        any::<i64>(),
        any::<[u8; 16]>(),
        status,
        any::<[u64; 3]>(),
        maybe(any::<u64>()),
        end,
        maybe(0_u64..100),
    )
        .prop_map(
            |(
                at_ms,
                id,
                (status, upstream, same),
                [sent_bytes, received_bytes, total_us],
                upstream_us,
                end,
                decision,
            )| {
                let upstream_status = if same { status } else { upstream };
                // With its decision's place the id is not stored.
                let request_id = if decision.is_some() { [0; 16] } else { id };
                let outcome = Outcome {
                    request_id,
                    status,
                    upstream_status,
                    sent_bytes,
                    received_bytes,
                    total_us,
                    upstream_us,
                    end,
                };
                Ended {
                    at_ms,
                    outcome,
                    decision,
                }
            },
        )
}

fn an_event() -> impl Strategy<Value = Event> {
    let what = prop_oneof![
        Just(Counted::Outsiders),
        Just(Counted::RefusedTokens),
        Just(Counted::Unrecorded),
        Just(Counted::LostOutcomes),
        Just(Counted::LostRecords)
    ];
    prop_oneof![
        any::<i64>().prop_map(|time_ms| Event::Opened { time_ms }),
        (what, any::<u64>(), any::<[i64; 2]>()).prop_map(|(what, count, [from_ms, to_ms])| Event::Counted {
            what,
            count,
            from_ms,
            to_ms
        }),
        (any::<i64>(), text(), any::<u64>(), any::<[u8; 32]>()).prop_map(|(time_ms, period, last, hash)| {
            Event::Cut {
                time_ms,
                period,
                last,
                hash,
            }
        }),
        (any::<i64>(), text(), any::<u64>(), any::<[u8; 32]>(), text()).prop_map(
            |(time_ms, fleet, version, manifest, why)| Event::FleetMark {
                time_ms,
                fleet,
                version,
                manifest,
                why,
            }
        ),
        (any::<i64>(), text()).prop_map(|(time_ms, text)| Event::Trouble { time_ms, text }),
        (any::<i64>(), any::<std::net::IpAddr>(), [text(), text(), text()]).prop_map(
            |(time_ms, client, [who, action, text])| Event::Admin {
                time_ms,
                who,
                client,
                action,
                text,
            }
        ),
        (text(), any::<u64>(), any::<[i64; 2]>()).prop_map(|(token, count, [from_ms, to_ms])| {
            Event::OverLimit {
                token,
                count,
                from_ms,
                to_ms,
            }
        }),
    ]
}

fn items() -> impl Strategy<Value = Vec<Item>> {
    let item = prop_oneof![
        4 => a_record().prop_map(|r| Item::Decision(r.into())),
        4 => an_end().prop_map(Item::Ended),
        1 => an_event().prop_map(Item::Event),
    ];
    proptest::collection::vec(item, 1..20)
}

const FIRST: u64 = 100;

fn encoded(items: &[Item]) -> (Header, Vec<u8>) {
    let mut content = Encoder::default();
    for (place, item) in (FIRST..).zip(items) {
        content.push(item, place);
    }
    let mut raw = Vec::new();
    content.finish(&mut raw);
    let header = Header {
        first_of_period: items.len().is_multiple_of(2),
        events: items.len().is_multiple_of(3),
        count: u32::try_from(items.len()).unwrap(),
        first: FIRST,
        earliest_ms: -5,
        latest_ms: 7,
        written_ms: 9,
        tokens: 0xff00,
        previous: [3; 32],
    };
    (header, block::encode(&header, &raw).0)
}

fn decoded(bytes: &[u8]) -> Vec<Item> {
    let block = Block::read(bytes).unwrap();
    let content = block.content().unwrap();
    assert!(block.hash_holds(&content));
    let mut from = block.items(&content).unwrap();
    let mut items = Vec::new();
    while let Some((place, seen)) = from.next().unwrap() {
        assert_eq!(place, FIRST + u64::try_from(items.len()).unwrap());
        items.push(seen.to_item());
    }
    items
}

/// Reads whatever it is, as far as it goes.
fn read_all(bytes: &[u8]) -> usize {
    let Ok(block) = Block::read(bytes) else { return 0 };
    let Ok(content) = block.content() else { return 0 };
    let Ok(mut items) = block.items(&content) else {
        return 0;
    };
    let mut count = 0;
    while let Ok(Some((_, seen))) = items.next() {
        if let ItemView::Decision(view) = &seen {
            let _ = view.to_record();
        }
        count += 1;
    }
    count
}

/// Makes the checksum hold again after a change.
pub(super) fn mend_checksum(bytes: &mut [u8]) {
    let (body, crc) = bytes.split_last_chunk_mut::<4>().unwrap();
    *crc = crc32fast::hash(body).to_le_bytes();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn blocks_are_read_back(items in items()) {
        let (header, bytes) = encoded(&items);
        prop_assert_eq!(Block::read(bytes.as_slice()).unwrap().header, header);
        prop_assert_eq!(decoded(&bytes), items);
    }

    #[test]
    fn any_bytes_are_read_without_harm(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        prop_assert_eq!(read_all(&bytes), 0);
        if let Ok(mut items) = Items::read(&bytes, u64::MAX) {
            while let Ok(Some(_)) = items.next() {}
        }
        // The same behind a version and a table that are right.
        let mut content = vec![2, 1, 3, b'a', b'b', b'c'];
        content.extend_from_slice(&bytes);
        let mut items = Items::read(&content, u64::MAX - 3).unwrap();
        while let Ok(Some(_)) = items.next() {}
    }

    #[test]
    fn changed_blocks_are_not_taken_for_sound(items in items(), at in any::<prop::sample::Index>(), bit in 0..8_u8) {
        let (_, mut bytes) = encoded(&items);
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        prop_assert!(Block::read(bytes.as_slice()).is_err());
        // Whoever mends the checksum is found by the hash.
        mend_checksum(&mut bytes);
        read_all(&bytes);
        if let Ok(block) = Block::read(bytes.as_slice())
            && let Ok(content) = block.content()
            // The last four bytes are the checksum, and the compressor's choices are not covered: only
            // what they unpack to is.
            && block.hash_holds(&content)
        {
            prop_assert_eq!(decoded(&bytes), items);
        }
    }

    #[test]
    fn truncated_blocks_are_refused(items in items(), at in any::<prop::sample::Index>()) {
        let (_, bytes) = encoded(&items);
        prop_assert!(Block::read(&bytes[..at.index(bytes.len())]).is_err());
    }
}

#[test]
fn a_huge_claim_allocates_nothing() {
    // A table of 2^60 texts in a content of a dozen bytes.
    let content = [1, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10, 0, 0];
    assert!(Items::read(&content, 1).is_err());
    // A block that says it unpacks to 4 GiB.
    let (_, mut bytes) = encoded(&[Item::Event(Event::Opened { time_ms: 1 })]);
    let length = bytes.len() - 4 - 4 - 5;
    for at in length..length + 4 {
        if let Some(b) = bytes.get_mut(at) {
            *b = 0xff;
        }
    }
    mend_checksum(&mut bytes);
    assert!(Block::read(bytes.as_slice()).is_err());
}

#[test]
fn a_text_that_is_named_a_thousand_times_is_not_copied_as_often() {
    let node = |n: usize| NodeValue {
        path: format!("{n}{}", "p".repeat(25_000)),
        kind: NodeKind::Null,
        value: Kept::Dropped,
    };
    let with = |nodes| {
        Item::Decision(crate::PackedRecord::from(Record {
            nodes,
            ..super::sample::record(1, 0)
        }))
    };
    // As much as is taken is read …
    let (_, bytes) = encoded(&[with(vec![node(1)])]);
    assert_eq!(decoded(&bytes).len(), 1);
    // … and a hundred megabytes are not made of thirty thousand bytes.
    let (_, bytes) = encoded(&[with(vec![node(1); 5_000])]);
    let block = Block::read(bytes.as_slice()).unwrap();
    let content = block.content().unwrap();
    assert!(block.items(&content).unwrap().next().is_err());
}
