//! Reading without the database: a store's files, a proof, a backup.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::codec::mend_checksum;
use super::sample::{Clock, DAY, NOON, open, outcome, record, stored};
use crate::{CopyError, Entry, Fault, Filter, LineKey, Page, Reader, Sequence, Store, Tally, Usage, Verdict};

/// Two days of calls, ended but for each tenth; open.
fn made(root: &Path) -> Store {
    let clock = Clock::at(NOON);
    let store = open(root, &clock);
    for n in 1..=40 {
        let now = NOON + i64::from(n) * 60_000 + if n > 30 { DAY } else { 0 };
        clock.set(now);
        stored(&store, record(n, now));
        if !n.is_multiple_of(10) {
            store.append_outcome(outcome(n)).unwrap();
        }
    }
    stored(&store, record(41, NOON + DAY));
    store
}

fn all(reader: &Reader, filter: &Filter) -> Vec<Entry> {
    let page = Page {
        limit: 1000,
        newest_first: false,
        ..Page::default()
    };
    reader.query(filter, page).unwrap()
}

/// Every file below `path`: its bytes, and when it was last written.
fn files(path: &Path) -> BTreeMap<PathBuf, (Vec<u8>, SystemTime)> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(path).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            let written = path.metadata().unwrap().modified().unwrap();
            found.insert(path.clone(), (fs::read(&path).unwrap(), written));
        }
    }
    found
}

fn proof(of: &Reader) -> Vec<u8> {
    let mut bytes = of.proof_head(&[]).unwrap().into_bytes();
    let mut after = Sequence(0);
    while let blocks = of.blocks(after, None, 1000).unwrap()
        && let Some(last) = blocks.last
    {
        assert!(last > after);
        bytes.extend_from_slice(&blocks.bytes);
        after = last;
    }
    bytes
}

#[test]
fn files_answer_as_the_open_store_does_and_stay_as_they_are() {
    let dir = tempfile::tempdir().unwrap();
    let store = made(dir.path());
    let filters = [
        Filter::default(),
        Filter {
            token: Some("token-1".into()),
            since_ms: Some(NOON + 5 * 60_000),
            until_ms: Some(NOON + DAY + 40 * 60_000),
            ..Filter::default()
        },
        Filter {
            status: Some(403),
            ..Filter::default()
        },
    ];
    let proof_file = dir.path().join("proof");
    fs::write(&proof_file, proof(&store.reader())).unwrap();
    store.wait_settled();
    let before = files(&dir.path().join("audit"));
    assert!(crate::in_use(&dir.path().join("audit")) && !crate::in_use(dir.path()));
    // While the store is open, and from a proof.
    for place in [dir.path().join("audit"), proof_file] {
        let reader = Reader::open(&place).unwrap();
        for filter in &filters {
            let expected = all(&store.reader(), filter);
            assert!(!expected.is_empty());
            assert_eq!(all(&reader, filter), expected);
            assert_eq!(
                reader.query(filter, Page::default()).unwrap(),
                store.query(filter, Page::default()).unwrap()
            );
            assert_eq!(
                reader.usage(filter).unwrap(),
                store.reader().usage(filter).unwrap()
            );
        }
        assert_eq!(
            reader.events(0, i64::MAX).unwrap(),
            store.events(0, i64::MAX).unwrap()
        );
        let (read, open) = (reader.verify(&[]).unwrap(), store.verify().unwrap());
        assert!(read.is_sound(), "{:?}", read.findings);
        assert_eq!((read.entries, read.head), (open.entries, open.head));
        assert_eq!(reader.last().unwrap(), store.last());
        assert_eq!(proof(&reader), proof(&store.reader()));
    }
    assert_eq!(files(&dir.path().join("audit")), before, "nothing was written");
    store.close().unwrap();
    assert!(!crate::in_use(&dir.path().join("audit")));
}

#[test]
fn what_was_written_since_an_earlier_question_is_verified_too() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), &Clock::at(NOON));
    let first = stored(&store, record(1, NOON));
    let reader = Reader::open(&dir.path().join("audit")).unwrap();
    assert_eq!(reader.last().unwrap(), first);
    let second = stored(&store, record(2, NOON));
    let verified = reader.verify(&[]).unwrap();
    assert_eq!((verified.findings, verified.last), (vec![], Some(second)));
    store.close().unwrap();
}

#[test]
fn a_later_part_proves_itself_and_a_gap_in_it_shows() {
    let dir = tempfile::tempdir().unwrap();
    let store = made(dir.path());
    let part = store.reader().blocks(Sequence(30), None, 2_000).unwrap();
    let path = dir.path().join("part");
    fs::write(&path, &part.bytes).unwrap();
    let verified = Reader::open(&path).unwrap().verify(&[]).unwrap();
    assert!(verified.is_sound(), "{:?}", verified.findings);
    assert!(verified.blocks > 3 && verified.first > Some(Sequence(29)));
    // A block is taken out of the midst.
    let first = crate::format::block::at_start(&part.bytes).unwrap().size();
    let second = crate::format::block::at_start(&part.bytes[first..])
        .unwrap()
        .size();
    let rest = [&part.bytes[..first], &part.bytes[first + second..]].concat();
    fs::write(&path, rest).unwrap();
    let verified = Reader::open(&path).unwrap().verify(&[]).unwrap();
    assert_eq!(verified.findings[0].what, Fault::Broken);
    // One is changed, and its checksum mended, beside the true one.
    let mut changed = part.bytes[..first].to_vec();
    changed[40] ^= 1;
    mend_checksum(&mut changed);
    fs::write(&path, [part.bytes.as_slice(), &changed].concat()).unwrap();
    let verified = Reader::open(&path).unwrap().verify(&[]).unwrap();
    assert!(
        matches!(&verified.findings[0].what, Fault::Unreadable(why) if why.contains("two different")),
        "{:?}",
        verified.findings
    );
    store.close().unwrap();
}

#[test]
fn a_backup_is_a_store() {
    let dir = tempfile::tempdir().unwrap();
    let store = made(dir.path());
    let backup = dir.path().join("backup/audit");
    let error = Reader::open(&dir.path().join("audit"))
        .unwrap()
        .copy(&backup)
        .unwrap_err();
    assert!(
        matches!(error, CopyError::Write { .. }),
        "its parent is not made: {error}"
    );
    fs::create_dir(dir.path().join("backup")).unwrap();
    let copied = Reader::open(&dir.path().join("audit"))
        .unwrap()
        .copy(&backup)
        .unwrap();
    assert_eq!(copied.last, store.last());
    let mut expected = all(&store.reader(), &Filter::default());
    for entry in &mut expected {
        // Whoever opens the copy does not know how the calls end that were under way.
        entry.is_lost |= entry.outcome.is_none();
    }
    // Whatever happens to the original meanwhile.
    stored(&store, record(42, NOON + DAY));
    store.close().unwrap();
    let again = open(&dir.path().join("backup"), &Clock::at(NOON + DAY));
    assert_eq!(all(&again.reader(), &Filter::default()), expected);
    assert!(stored(&again, record(50, NOON + DAY)) > copied.last);
    assert!(again.verify().unwrap().is_sound());
    assert_eq!(again.verify().unwrap().entries, copied.entries + 2);
    assert!(matches!(
        again.reader().copy(&backup),
        Err(CopyError::Exists { .. })
    ));
}

#[test]
fn a_backup_that_lost_its_end_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let store = made(dir.path());
    store.close().unwrap();
    let reader = Reader::open(&dir.path().join("audit")).unwrap();
    type Damage = fn(&std::path::Path);
    let damages: [(&str, Damage); 3] = [
        ("cut short", |db| {
            let file = fs::File::options().write(true).open(db).unwrap();
            let length = file.metadata().unwrap().len();
            file.set_len(length - 1).unwrap();
        }),
        ("emptied", |db| fs::write(db, "").unwrap()),
        ("removed", |db| fs::remove_file(db).unwrap()),
    ];
    for (what, damage) in damages {
        let backup = dir.path().join(what);
        reader.copy(&backup).unwrap();
        assert!(Reader::open(&backup).unwrap().verify(&[]).unwrap().is_sound());
        let mut periods: Vec<_> = fs::read_dir(&backup)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        periods.retain(|path| path.is_dir());
        periods.sort();
        damage(&periods.last().unwrap().join("db"));
        let verified = Reader::open(&backup).unwrap().verify(&[]).unwrap();
        assert!(!verified.is_sound(), "{what}: {verified:?}");
    }
}

#[test]
fn calls_are_counted() {
    let dir = tempfile::tempdir().unwrap();
    let store = made(dir.path());
    let usage = store.reader().usage(&Filter::default()).unwrap();
    assert_eq!(usage.calls.all(), 41);
    // Every fourth is denied.
    assert_eq!((usage.calls.allowed, usage.calls.denied), (31, 10));
    assert_eq!(
        (usage.calls.first_ms, usage.calls.last_ms),
        (NOON + 60_000, NOON + DAY + 40 * 60_000)
    );
    let of_token = |n: u8| (1..=41).filter(|m| m % 3 == n).count();
    for n in 0..3_u8 {
        let tally = usage.tokens[&Some(format!("token-{n}"))];
        assert_eq!(usize::try_from(tally.all()).unwrap(), of_token(n));
    }
    let line = LineKey {
        file: "ci.toml".into(),
        number: 7,
        digest: "00ff".into(),
    };
    let once = Tally {
        allowed: 1,
        denied: 0,
        refused: 0,
        first_ms: NOON + 7 * 60_000,
        last_ms: NOON + 7 * 60_000,
    };
    assert_eq!(usage.lines[&line], once);
    assert_eq!(usage.reasons["no-line"].all(), 10);
    assert_eq!(usage.hours[&NOON].all(), 30);
    assert_eq!(usage.hours.len(), 2);
    let denied = Filter {
        verdict: Some(Verdict::Deny),
        ended: Some(true),
        ..Filter::default()
    };
    // The twentieth and the fortieth have not ended.
    assert_eq!(store.reader().usage(&denied).unwrap().calls.all(), 8);
    let none = Filter {
        user: Some("nobody".into()),
        ..Filter::default()
    };
    assert_eq!(store.reader().usage(&none).unwrap(), Usage::default());
}

#[test]
fn what_is_not_there_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let error = Reader::open(&dir.path().join("nowhere")).unwrap_err();
    assert!(error.to_string().contains("nowhere"), "{error}");
    let error = Reader::open(dir.path()).unwrap_err();
    assert!(error.to_string().contains("no audit at"), "{error}");
    fs::write(dir.path().join("LOCK"), "").unwrap();
    let empty = Reader::open(dir.path()).unwrap();
    assert_eq!(empty.last().unwrap(), Sequence(0));
    assert!(empty.verify(&[]).unwrap().is_sound());
}

#[test]
fn a_block_at_the_last_place_there_can_be_ends_a_walk() {
    let dir = tempfile::tempdir().unwrap();
    let head = crate::format::block::Header {
        first_of_period: true,
        events: false,
        count: 1,
        first: u64::MAX,
        earliest_ms: NOON,
        latest_ms: NOON,
        written_ms: NOON,
        tokens: 0,
        previous: [0; 32],
    };
    let file = dir.path().join("hostile");
    std::fs::write(&file, crate::format::block::encode(&head, b"").0).unwrap();
    let (send, receive) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let reader = Reader::open(&file).unwrap();
        // No event is said to be in it, so that it is only passed.
        send.send(reader.events(0, i64::MAX).unwrap().len()).unwrap();
    });
    assert_eq!(receive.recv_timeout(std::time::Duration::from_secs(20)), Ok(0));
}
