//! The stored form of a chapter.

use proptest::prelude::*;

use super::chunk::{Chunks, encode};
use super::{GroupKey, Groups};
use crate::model::record::Verdict;

/// Calls of few kinds, at times of few hours, on both sides of 1970.
fn calls() -> impl Strategy<Value = Vec<(u8, u8, i64)>> {
    proptest::collection::vec((0..6_u8, 0..6_u8, -9_000_000..9_000_000_i64), 0..60)
}

fn common<'c>(token: u8, rest: u8, ms: i64, texts: &'c [String]) -> GroupKey<'c> {
    let text = |n: u8| texts[usize::from(n)].as_str();
    GroupKey {
        token: (token > 0).then(|| text(token)),
        line: (rest > 2).then(|| (text(rest), u32::from(rest) * 100_000, text(token))),
        reason: text(rest),
        verdict: [Verdict::Allow, Verdict::Deny, Verdict::Refuse][usize::from(rest % 3)],
        hour: super::groups::hour_of(ms),
    }
}

fn counted(calls: &[(u8, u8, i64)]) -> Groups {
    let texts: Vec<String> = (0..6).map(|n| "ü".repeat(n)).collect();
    let mut groups = Groups::default();
    for (token, rest, ms) in calls {
        groups.count(&common(*token, *rest, *ms, &texts), *ms);
    }
    groups
}

/// What is stored, as a chapter whose checksum holds.
fn framed(compressed: u8, raw_length: u32, stored: &[u8]) -> Vec<u8> {
    let mut framed = [b"TWSU\x01".as_slice(), &[compressed]].concat();
    for length in [raw_length, length(stored)] {
        framed.extend_from_slice(&length.to_le_bytes());
    }
    framed.extend_from_slice(stored);
    framed.extend_from_slice(&crc32fast::hash(&framed).to_le_bytes());
    framed
}

fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap()
}

/// Reads all that there is of what was stored.
fn read(bytes: Vec<u8>) -> usize {
    let chapters = Chunks::in_bytes(bytes);
    chapters
        .filter_map(|chapter| chapter.groups().ok().map(|groups| groups.len()))
        .sum()
}

proptest! {
    #[test]
    fn a_chapter_is_read_back(calls in calls(), first in 1..u64::MAX / 2, length in 0..1_u64 << 40) {
        let groups = counted(&calls);
        let bytes = encode(first, first + length, &groups).unwrap();
        let mut chapters = Chunks::in_bytes(bytes.clone());
        let chapter = chapters.next().unwrap();
        prop_assert_eq!((chapter.first, chapter.last), (first, first + length));
        let mut expected: Vec<_> = groups.iter().collect();
        expected.sort_by_key(|(common, _)| *common);
        prop_assert_eq!(chapter.groups().unwrap(), expected);
        // In whatever order its calls came.
        let mut backward = calls;
        backward.reverse();
        prop_assert!(chapter.tells(&counted(&backward)));
        backward.push((1, 1, 0));
        prop_assert!(!chapter.tells(&counted(&backward)));
        prop_assert!(chapters.next().is_none());
    }

    #[test]
    fn a_changed_chapter_is_as_if_it_were_absent(calls in calls(), at in any::<prop::sample::Index>(), bit in 0..8_u8) {
        let groups = counted(&calls);
        let sound = encode(5, 9, &groups).unwrap();
        let mut bytes = sound.clone();
        bytes[at.index(sound.len())] ^= 1 << bit;
        let bytes = [bytes, encode(10, 11, &groups).unwrap()].concat();
        // What stands behind it is found.
        let found: Vec<u64> = Chunks::in_bytes(bytes).map(|chapter| chapter.first).collect();
        prop_assert_eq!(found, [10]);
        prop_assert_eq!(Chunks::in_bytes(sound[..at.index(sound.len())].to_vec()).count(), 0);
    }

    #[test]
    fn any_bytes_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..300), compressed in 0..2_u8, longer in 0..200_u32) {
        read(bytes.clone());
        read(framed(compressed, length(&bytes) + if compressed == 1 { longer } else { 0 }, &bytes));
    }

    #[test]
    fn a_chapter_changed_on_purpose_is_read(calls in calls(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        // Not compressed: what is changed is what is read.
        let packed = Chunks::in_bytes(encode(5, 9, &counted(&calls)).unwrap()).next().unwrap();
        let mut raw = packed.raw.clone();
        let at = at.index(raw.len());
        raw[at] = byte;
        for chapter in Chunks::in_bytes(framed(0, length(&raw), &raw)) {
            if let Ok(groups) = chapter.groups() {
                let ascending = groups.windows(2).all(|pair| pair[0].0 < pair[1].0);
                prop_assert!(ascending && groups.iter().all(|(_, sum)| sum.count > 0 && sum.first_ms <= sum.last_ms));
            }
        }
    }
}

#[test]
fn one_that_claims_much_takes_no_memory() {
    for raw_length in [u32::MAX, 1 << 20, 20_000] {
        let bytes = framed(1, raw_length, &[0; 5]);
        assert_eq!(Chunks::in_bytes(bytes).count(), 0);
    }
    let mut endless = framed(1, 20, &[0; 5]);
    endless[10..14].copy_from_slice(&u32::MAX.to_le_bytes());
    assert_eq!(Chunks::in_bytes(endless).count(), 0);
    // A number of groups, or of texts, that its bytes cannot hold.
    for many in [[0xff, 0xff, 0x3f, 0], [1, 0xff, 0xff, 0x3f]] {
        let raw = [[5, 4].as_slice(), &many].concat();
        let chapter = Chunks::in_bytes(framed(0, length(&raw), &raw)).next();
        assert!(chapter.unwrap().groups().is_err());
    }
}

#[test]
fn chapters_out_of_order_end_the_file() {
    let chapter = |first, last| encode(first, last, &counted(&[(1, 1, 5)])).unwrap();
    let firsts = |parts: &[Vec<u8>]| -> Vec<u64> {
        Chunks::in_bytes(parts.concat())
            .map(|chapter| chapter.first)
            .collect()
    };
    assert_eq!(
        firsts(&[chapter(1, 5), chapter(6, 9), chapter(20, 30)]),
        [1, 6, 20]
    );
    assert_eq!(firsts(&[chapter(1, 5), chapter(5, 9), chapter(20, 30)]), [1]);
    assert_eq!(firsts(&[chapter(7, 8), chapter(1, 5), chapter(20, 30)]), [7]);
}

#[test]
fn the_stored_form_stays_what_it_is() {
    let bytes = encode(
        3,
        40,
        &counted(&[(1, 1, 1_000), (1, 1, 2_000), (2, 4, 3_600_000)]),
    )
    .unwrap();
    let frame = "5457535501002b0000002b000000";
    let head_and_texts = "0325020302c3bc04c3bcc3bc08c3bcc3bcc3bcc3bc";
    let groups = "05000002d00fe8070d010280b518010201b0aab70300";
    assert_eq!(
        hex::encode(bytes),
        [frame, head_and_texts, groups, "7e1cbe37"].concat()
    );
}
