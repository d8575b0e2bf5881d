//! Tampering shows; a damaged day is left as it is, and a period of its own begins.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;

use super::codec::mend_checksum;
use super::sample::{Clock, DAY, NOON, open, record, stored, tamper};
use crate::period::find_blocks::find_blocks;
use crate::period::name::{Day, Period};
use crate::period::open::OpenPeriod;
use crate::store::periods::Periods;
use crate::{Fault, Sequence, Store};

/// A store of two days, three blocks on the first; closed.
fn made(root: &Path) {
    let clock = Clock::at(NOON);
    let store = open(root, &clock);
    for n in 1..=3 {
        stored(&store, record(n, NOON));
    }
    clock.set(NOON + DAY);
    stored(&store, record(4, NOON + DAY));
    store.close().unwrap();
}

/// Lets `change` work on the first day's blocks, then tells what verifying finds.
fn tampered(change: impl FnOnce(&mut BTreeMap<u64, Vec<u8>>)) -> Vec<(String, Option<Sequence>, Fault)> {
    let dir = tempfile::tempdir().unwrap();
    made(dir.path());
    tamper(&dir.path().join("audit/2026-11-24"), change);
    let store = open(dir.path(), &Clock::at(NOON + DAY));
    let found = store.verify().unwrap().findings;
    for finding in &found {
        assert!(!finding.to_string().is_empty());
    }
    found
        .into_iter()
        .map(|f| (f.period, f.sequence, f.what))
        .collect()
}

fn first_day(place: Option<u64>, what: Fault) -> (String, Option<Sequence>, Fault) {
    ("2026-11-24".into(), place.map(Sequence), what)
}

// Places: 1 opened, 2 to 4 the records, in a block each; then the second day.

#[test]
fn an_untouched_chain_is_sound() {
    assert_eq!(tampered(|_| {}), []);
}

#[test]
fn a_changed_block_is_found() {
    let found = tampered(|opened| {
        let bytes = opened.get_mut(&3).unwrap();
        // Within the content, of which the last bytes are literals.
        let at = bytes.len() - 8;
        bytes[at] ^= 1;
        mend_checksum(bytes);
    });
    assert!(
        matches!(
            found[0],
            (_, Some(Sequence(3)), Fault::Changed | Fault::Unreadable(_))
        ),
        "{found:?}"
    );
}

#[test]
fn a_flipped_byte_is_found() {
    let found = tampered(|opened| {
        opened.get_mut(&3).unwrap()[60] ^= 1;
    });
    // It is not taken for a block any more.
    assert_eq!(found, [first_day(Some(4), Fault::Broken)]);
}

#[test]
fn a_removed_block_is_found() {
    let without = |first| move |blocks: &mut BTreeMap<u64, Vec<u8>>| drop(blocks.remove(&first).unwrap());
    assert_eq!(tampered(without(3)), [first_day(Some(4), Fault::Broken)]);
    assert_eq!(tampered(without(1)), [first_day(Some(2), Fault::MissingStart)]);
}

#[test]
fn a_removed_end_of_a_day_is_found() {
    let found = tampered(|blocks| drop(blocks.remove(&4).unwrap()));
    assert_eq!(found, [("2026-11-25".into(), Some(Sequence(5)), Fault::Broken)]);
}

#[test]
fn reordered_blocks_are_found() {
    let reordered = |mend: bool| {
        tampered(move |blocks| {
            // Each with the other's place, or where the other stood.
            let (mut second, mut third) = (blocks[&2].clone(), blocks[&3].clone());
            if mend {
                (second[10], third[10]) = (3, 2);
                mend_checksum(&mut second);
                mend_checksum(&mut third);
            }
            blocks.insert(2, third);
            blocks.insert(3, second);
        })
    };
    assert_eq!(reordered(false), [], "a block tells its place");
    assert_eq!(reordered(true)[0], first_day(Some(2), Fault::Changed));
}

#[test]
fn blocks_renumbered_to_hide_a_gap_are_found() {
    let found = tampered(|opened| {
        // Its first place made 3, and the checksum mended; the hash covers the place.
        let mut bytes = opened.remove(&4).unwrap();
        bytes[10] = 3;
        mend_checksum(&mut bytes);
        opened.insert(3, bytes);
    });
    assert_eq!(found[0], first_day(Some(3), Fault::Changed));
}

/// Opens a store whose file was damaged; it must take records whatever was done to it.
fn survives(dir: &Path) -> Store {
    let damaged = fs::read(dir.join("audit/2026-11-25/db")).unwrap();
    let store = open(dir, &Clock::at(NOON + DAY));
    assert!(stored(&store, record(9, NOON + DAY)) > Sequence(6));
    assert!(dir.join("audit/2026-11-25.2").exists(), "a period of its own");
    assert!(
        fs::read(dir.join("audit/2026-11-25/db")).unwrap() == damaged,
        "what is left is left as it is"
    );
    store
}

#[test]
fn a_file_of_garbage_is_left_behind() {
    let dir = tempfile::tempdir().unwrap();
    made(dir.path());
    for entry in fs::read_dir(dir.path().join("audit/2026-11-25")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            fs::write(path, [0xa5; 9_000]).unwrap();
        }
    }
    let store = survives(dir.path());
    assert_eq!(store.opened().warnings.len(), 1);
    let verified = store.verify().unwrap();
    assert!(!verified.is_sound());
    assert!(
        matches!(&verified.findings[0].what, Fault::Broken),
        "{:?}",
        verified.findings
    );
    let told = store.events(0, i64::MAX).unwrap();
    assert!(
        told.iter()
            .any(|(_, e)| matches!(e, crate::Event::Trouble { .. })),
        "the chain tells of it"
    );
}

/// Blocks and sheaves by their offset in a file: the length of each, and the places that it holds.
type Stands = BTreeMap<u64, (usize, Vec<u64>)>;

/// What stands in a file, and the file's bytes.
fn stands(path: &Path) -> (Stands, Vec<u8>) {
    let mut found = Stands::new();
    find_blocks(File::open(path).unwrap(), &mut |stand, block| {
        let (_, places) = found.entry(stand.offset).or_insert((stand.length, Vec::new()));
        places.extend(block.header.first..=block.header.last());
    })
    .unwrap();
    (found, fs::read(path).unwrap())
}

#[test]
fn salvage_finds_every_undamaged_block() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), &Clock::at(NOON));
    for n in 1..=20 {
        stored(&store, record(n, NOON));
    }
    store.close().unwrap();
    let period = dir.path().join("audit/2026-11-24");
    let whole = crate::salvage(&period).unwrap();
    assert_eq!(
        (whole.blocks, whole.entries.len(), whole.missing.len()),
        (21, 20, 0)
    );
    let (stands, mut bytes) = stands(&period.join("db"));
    assert!(
        stands.values().any(|(_, places)| places.len() > 1),
        "there are sheaves"
    );
    // What holds the tenth record, and copies of it, each damaged in the middle.
    let mut lost = Vec::new();
    for (offset, (length, places)) in &stands {
        if places.contains(&11) {
            bytes[usize::try_from(*offset).unwrap() + length / 2] ^= 1;
            lost.clone_from(places);
        }
    }
    fs::write(period.join("db"), &bytes).unwrap();
    let rest = crate::salvage(&period).unwrap();
    let expected: Vec<u64> = (2..=21).filter(|place| !lost.contains(place)).collect();
    let found: Vec<u64> = rest.entries.iter().map(|entry| entry.sequence.0).collect();
    assert_eq!(found, expected);
    assert_eq!(
        rest.missing,
        [(Sequence(lost[0]), Sequence(lost[lost.len() - 1]))]
    );
    // Cut short within what stands last.
    let (last, (length, places)) = stands.last_key_value().unwrap();
    bytes.truncate(usize::try_from(*last).unwrap() + length - 1);
    fs::write(period.join("db"), &bytes).unwrap();
    let rest = crate::salvage(&period).unwrap();
    assert!(
        rest.entries
            .iter()
            .all(|entry| !places.contains(&entry.sequence.0))
    );
    assert_eq!(rest.entries.len(), expected.len() - places.len());
    // `HEAD` tells of the end; of the beginning its own first block.
    let end = Some((Sequence(*places.first().unwrap()), Sequence(21)));
    assert_eq!((rest.missing_after, rest.begins_late), (end, None));
    assert_eq!((whole.missing_after, whole.begins_late), (None, None));
    for (offset, (length, places)) in &stands {
        if places.contains(&1) {
            bytes[usize::try_from(*offset).unwrap() + length / 2] ^= 1;
        }
    }
    fs::write(period.join("db"), &bytes).unwrap();
    let late = crate::salvage(&period).unwrap();
    let first = late.entries.first().unwrap().sequence;
    assert_eq!(late.begins_late, Some(first));
}

#[test]
fn salvage_tells_of_a_directory_that_is_no_period() {
    let dir = tempfile::tempdir().unwrap();
    made(dir.path());
    let store = crate::salvage(&dir.path().join("audit")).unwrap_err().to_string();
    assert!(
        store.contains("is a store") && store.ends_with("2026-11-24, 2026-11-25"),
        "{store}"
    );
    let other = crate::salvage(dir.path()).unwrap_err();
    assert!(matches!(other, crate::SalvageError::NoPeriod { .. }), "{other}");
    // The following day tells that the first one's end is missing.
    let first = dir.path().join("audit/2026-11-24");
    assert_eq!(crate::salvage(&first).unwrap().missing_after, None);
    tamper(&first, |blocks| {
        blocks.remove(&4);
    });
    let cut = crate::salvage(&first).unwrap();
    assert_eq!(cut.missing_after, Some((Sequence(4), Sequence(4))));
}

#[test]
fn a_damaged_snapshot_is_not_needed() {
    let dir = tempfile::tempdir().unwrap();
    made(dir.path());
    let snapshots = fs::read_dir(dir.path().join("audit/2026-11-25"))
        .unwrap()
        .map(|e| e.unwrap().path());
    for path in snapshots.filter(|p| p.to_string_lossy().contains("snap.")) {
        fs::write(path, [0xff; 40]).unwrap();
    }
    let store = survives(dir.path());
    assert_eq!(store.opened().warnings, [""; 0]);
    assert_eq!(store.verify().unwrap().findings, []);
}

#[test]
fn truncated_and_flipped_files_are_survived() {
    let made_dir = tempfile::tempdir().unwrap();
    made(made_dir.path());
    let length = fs::metadata(made_dir.path().join("audit/2026-11-25/db"))
        .unwrap()
        .len();
    let mut lost = 0;
    for step in 0..24_u64 {
        let dir = tempfile::tempdir().unwrap();
        super::sample::copy(made_dir.path(), dir.path());
        let path = dir.path().join("audit/2026-11-25/db");
        if step % 2 == 0 {
            let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
            file.set_len(
                [
                    0,
                    1,
                    19,
                    20,
                    300,
                    1_000,
                    2_000,
                    length / 2,
                    length - 1,
                    4_096,
                    64,
                    700,
                ][usize::try_from(step / 2).unwrap()],
            )
            .unwrap();
        } else {
            let mut bytes = fs::read(&path).unwrap();
            // Most of the file is empty: the beginning is where it hurts.
            let at = usize::try_from(step * step * 7).unwrap() % bytes.len();
            bytes[at] ^= 0x55;
            fs::write(&path, bytes).unwrap();
        }
        let left = crate::salvage(&dir.path().join("audit/2026-11-25")).unwrap();
        let store = survives(dir.path());
        let found = store.query(&crate::Filter::default(), crate::Page::default());
        assert_eq!(found.unwrap().len(), 3 + left.entries.len() + 1, "step {step}");
        if left.entries.is_empty() {
            lost += 1;
            assert!(!store.opened().warnings.is_empty() && !store.verify().unwrap().is_sound());
        }
        store.close().unwrap();
    }
    // The others hit what is no block's.
    assert!(lost > 10, "{lost}");
}

#[test]
fn a_flipped_bit_costs_no_more_than_what_it_hit() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), &Clock::at(NOON));
    let mut noise = 1_u64;
    // Two segments of the database, of blocks that do not compress.
    let calls = 1..=250_u8;
    for n in calls.clone() {
        let mut url = String::new();
        while url.len() < 24_000 {
            noise = noise
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            url.push(char::from(b'!' + u8::try_from(noise >> 57).unwrap() % 90));
        }
        stored(
            &store,
            crate::Record {
                url,
                ..record(n, NOON)
            },
        );
    }
    // As a crash leaves it; the database takes the first segment's header for torn, and zeroed all behind it.
    super::sample::copy(&dir.path().join("audit"), &dir.path().join("crashed/audit"));
    store.close().unwrap();
    let data = dir.path().join("crashed/audit/2026-11-24/db");
    let mut bytes = fs::read(&data).unwrap();
    assert!(bytes.len() > 4 << 20, "{}", bytes.len());
    bytes[7] ^= 1;
    fs::write(&data, &bytes).unwrap();
    let store = open(&dir.path().join("crashed"), &Clock::at(NOON));
    let page = crate::Page {
        limit: 1_000,
        newest_first: false,
        ..crate::Page::default()
    };
    let found = store.query(&crate::Filter::default(), page).unwrap();
    let found: Vec<u8> = found.iter().map(|entry| entry.record.request_id[0]).collect();
    assert_eq!(found, calls.collect::<Vec<_>>());
    assert_eq!(store.verify().unwrap().findings, []);
}

#[test]
fn an_older_damaged_day_stops_no_writing() {
    let dir = tempfile::tempdir().unwrap();
    made(dir.path());
    fs::write(dir.path().join("audit/2026-11-24/db"), [1; 5_000]).unwrap();
    let store = open(dir.path(), &Clock::at(NOON + DAY));
    stored(&store, record(9, NOON + DAY));
    // Nothing is found in it; verifying tells.
    let found = store.query(&crate::Filter::default(), crate::Page::default());
    assert_eq!(found.unwrap().len(), 2);
    assert!(!store.verify().unwrap().is_sound());
    let since = crate::Filter {
        since_ms: Some(NOON + DAY),
        ..crate::Filter::default()
    };
    assert_eq!(
        store.query(&since, crate::Page::default()).unwrap().len(),
        2,
        "other days still answer"
    );
}

#[test]
fn a_period_that_was_asked_for_before_it_was_begun_is_the_one_that_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let periods = Periods::new(dir.path(), 1 << 20);
    let period = Period::first(Day::of(NOON));
    // Its directory is made first, and a question comes in between.
    fs::create_dir(periods.path(period)).unwrap();
    let before = periods.get(period).unwrap();
    let begun = periods.begin(period).unwrap();
    assert!(matches!(before, OpenPeriod::Files(_)));
    assert!(
        matches!(periods.get(period).unwrap(), OpenPeriod::Database(found) if Arc::ptr_eq(&found, &begun))
    );
}

#[test]
fn a_shelf_opens_a_period_once() {
    let dir = tempfile::tempdir().unwrap();
    made(dir.path());
    let periods = Periods::new(&dir.path().join("audit"), 1 << 20);
    let one = periods.get(Period::first(Day::of(NOON))).unwrap();
    let two = periods.get(Period::first(Day::of(NOON))).unwrap();
    assert!(
        matches!((&one, &two), (OpenPeriod::Files(one), OpenPeriod::Files(two)) if Arc::ptr_eq(one, two))
    );
}
