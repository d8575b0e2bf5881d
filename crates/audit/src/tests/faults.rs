//! A disk that fails: a clear answer, no panic, a new period, and nothing lost that was acknowledged.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tokenward_testbed::eventually;

use super::sample::{Clock, Gate, NOON, append, config, copy, open, open_with, record, stored};
use crate::disk::faults::{Act, Injected};
use crate::{
    AppendError, Appended, Config, DiskError, Durability, Event, Filter, OpenError, Page, QueryError, Reader,
    Sequence, SigningKey, Store,
};

const EIO: i32 = 5;
const EACCES: i32 = 13;
const ENOSPC: i32 = 28;
const EROFS: i32 = 30;

fn period(root: &Path) -> PathBuf {
    root.join("audit/2026-11-24")
}

/// The calls that a question finds, by number, oldest first.
fn calls(reader: &Reader) -> Vec<u8> {
    let page = Page {
        limit: 1_000,
        newest_first: false,
        ..Page::default()
    };
    let found = reader.query(&Filter::default(), page).unwrap();
    found.iter().map(|entry| entry.record.request_id[0]).collect()
}

/// Appends until it works again: a failure holds for half a second.
fn recovers(store: &Store, n: u8) -> Sequence {
    let until = Instant::now() + Duration::from_secs(20);
    loop {
        match append(store, record(n, NOON)) {
            Ok(Appended::Stored(place)) => return place,
            Err(AppendError::Failed { .. }) if Instant::now() < until => std::thread::yield_now(),
            other => panic!("{other:?}"),
        }
    }
}

/// What `act` failing with `code` in the period of today answers; the store must recover, loudly, in a period of its own.
fn survived(act: Act, code: i32) -> DiskError {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), &Clock::at(NOON));
    stored(&store, record(1, NOON));
    let fault = Injected::new(&period(dir.path()), act, code);
    let error = append(&store, record(2, NOON)).unwrap_err();
    assert!(store.stats().failing.is_some() && store.stats().failures == 1);
    assert!(
        error.to_string().starts_with("cannot write to the audit: "),
        "{error}"
    );
    drop(fault);
    recovers(&store, 3);
    assert_eq!(store.stats().failing, None);
    assert!(dir.path().join("audit/2026-11-24.2").exists(), "a new period");
    let told = store.events(0, i64::MAX).unwrap();
    let told = told.iter().find_map(|(_, event)| match event {
        Event::Trouble { text, .. } => Some(text.clone()),
        _ => None,
    });
    assert!(
        told.unwrap()
            .starts_with("writing to the audit period 2026-11-24 failed, a new one begins"),
        "the chain tells of it"
    );
    // What failed may be there all the same; nothing that was acknowledged is missing.
    let found = calls(&store.reader());
    assert!(found == [1, 3] || found == [1, 2, 3], "{found:?}");
    store.close().unwrap();
    drop(store);
    let store = open(dir.path(), &Clock::at(NOON));
    stored(&store, record(4, NOON));
    let found = calls(&store.reader());
    assert!([1, 3, 4].iter().all(|n| found.contains(n)), "{found:?}");
    assert!(
        store.verify().unwrap().is_sound(),
        "{:?}",
        store.verify().unwrap().findings
    );
    match error {
        AppendError::Failed { source } => source,
        other => panic!("{other}"),
    }
}

#[test]
fn an_error_of_a_write_or_a_sync_begins_a_new_period() {
    for act in [Act::Write, Act::Sync] {
        let error = survived(act, EIO);
        assert!(
            matches!(&error, DiskError::Io(e) if e.raw_os_error() == Some(EIO)),
            "{error}"
        );
    }
    assert!(matches!(survived(Act::Write, ENOSPC), DiskError::Full));
    assert!(matches!(survived(Act::Sync, ENOSPC), DiskError::Full));
}

#[test]
fn a_disk_that_goes_on_failing_leaves_no_periods_behind() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), &Clock::at(NOON));
    stored(&store, record(1, NOON));
    let fault = Injected::new(&dir.path().join("audit"), Act::Write, EIO);
    let until = Instant::now() + Duration::from_secs(20);
    // Each is an attempt in a period of its own.
    while store.stats().failures < 4 {
        assert!(append(&store, record(2, NOON)).is_err() && Instant::now() < until);
        std::thread::yield_now();
    }
    drop(fault);
    recovers(&store, 3);
    let periods = crate::period::name::Period::list(&dir.path().join("audit")).unwrap();
    let periods: Vec<_> = periods.iter().map(ToString::to_string).collect();
    assert_eq!(periods, ["2026-11-24", "2026-11-24.2"]);
    let told = store.events(0, i64::MAX).unwrap();
    let told = told.iter().filter(|(_, e)| matches!(e, Event::Trouble { .. }));
    assert_eq!(told.count(), 1, "it is told once");
    assert!(store.verify().unwrap().is_sound());
}

#[test]
fn an_error_of_the_databases_own_file_loses_nothing_that_was_acknowledged() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), &Clock::at(NOON));
    let fault = Injected::new(&period(dir.path()).join("db"), Act::Sync, EIO);
    let mut acknowledged = Vec::new();
    // The journal takes the first of them; the database is flushed when that is full.
    let failed = (1..200).find(|n| match append(&store, record(*n, NOON)) {
        Ok(_) => {
            acknowledged.push(*n);
            false
        }
        Err(error) => {
            assert!(matches!(error, AppendError::Failed { .. }), "{error}");
            true
        }
    });
    assert!(failed.is_some() && acknowledged.len() > 4, "{acknowledged:?}");
    drop(fault);
    recovers(&store, 250);
    acknowledged.push(250);
    assert_eq!(calls(&store.reader()), acknowledged);
    store.close().unwrap();
    assert_eq!(
        calls(&Reader::open(&dir.path().join("audit")).unwrap()),
        acknowledged
    );
}

#[test]
fn an_error_of_reading_is_told_with_its_period() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), &Clock::at(NOON));
    stored(&store, record(1, NOON));
    store.close().unwrap();
    let reader = Reader::open(&dir.path().join("audit")).unwrap();
    let fault = Injected::new(&period(dir.path()), Act::Read, EIO);
    let error = reader.query(&Filter::default(), Page::default()).unwrap_err();
    assert!(
        matches!(&error, QueryError::Unreadable { period, .. } if period == "2026-11-24"),
        "{error}"
    );
    assert!(
        crate::salvage(&period(dir.path()))
            .unwrap_err()
            .to_string()
            .contains("2026-11-24")
    );
    // Writing goes on where the note says that the chain ended.
    drop(store);
    let store = open(dir.path(), &Clock::at(NOON));
    let warnings = &store.opened().warnings;
    assert!(
        warnings.len() == 1 && warnings[0].starts_with("cannot read the audit period 2026-11-24"),
        "{warnings:?}"
    );
    stored(&store, record(2, NOON));
    assert!(store.reader().query(&Filter::default(), Page::default()).is_err());
    drop(fault);
    assert_eq!(calls(&store.reader()), [1, 2]);
    assert_eq!(store.verify().unwrap().findings, [], "it was only not read");
}

#[test]
fn without_a_note_nothing_is_written_after_what_cannot_be_read() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), &Clock::at(NOON));
    stored(&store, record(1, NOON));
    store.close().unwrap();
    drop(store);
    fs::remove_file(dir.path().join("audit/HEAD")).unwrap();
    let fault = Injected::new(&period(dir.path()), Act::Read, EIO);
    let store = open(dir.path(), &Clock::at(NOON));
    assert!(store.opened().warnings[0].starts_with("cannot write to the audit: "));
    drop(fault);
    recovers(&store, 2);
    assert_eq!(calls(&store.reader()), [1, 2]);
}

#[test]
fn a_directory_that_may_not_be_written_is_told() {
    let dir = tempfile::tempdir().unwrap();
    // Nobody, root included, makes a directory there.
    let error = Store::open(crate::Config::at("/proc/tokenward-audit")).unwrap_err();
    assert!(
        matches!(error, OpenError::Io { .. }) && error.to_string().contains("/proc/tokenward-audit"),
        "{error}"
    );
    let store = open(dir.path(), &Clock::at(NOON));
    stored(&store, record(1, NOON));
    store.close().unwrap();
    drop(store);
    let fault = Injected::new(&dir.path().join("audit"), Act::Write, EACCES);
    let store = open(dir.path(), &Clock::at(NOON));
    let warning = store.opened().warnings[0].clone();
    assert!(
        warning.starts_with("cannot write to the audit: ") && warning.contains("on_failure"),
        "{warning}"
    );
    assert!(matches!(
        append(&store, record(2, NOON)),
        Err(AppendError::Failed { .. })
    ));
    assert_eq!(calls(&store.reader()), [1], "it still answers");
    drop(fault);
    recovers(&store, 3);
}

/// A store of three calls as a crash leaves it: what its journal has, the database's file has not.
fn crashed(dir: &Path) -> PathBuf {
    let store = open(&dir.join("running"), &Clock::at(NOON));
    for n in 1..=3 {
        stored(&store, record(n, NOON));
    }
    let at = dir.join("crashed");
    copy(&dir.join("running"), &at);
    let length = fs::metadata(period(&at).join("db")).unwrap().len();
    fs::write(period(&at).join("db"), vec![0; usize::try_from(length).unwrap()]).unwrap();
    store.close().unwrap();
    at
}

#[test]
fn what_a_crash_left_in_the_journal_is_read_where_it_lies() {
    let dir = tempfile::tempdir().unwrap();
    let at = crashed(dir.path());
    assert_eq!(calls(&Reader::open(&at.join("audit")).unwrap()), [1, 2, 3]);
    let salvaged = crate::salvage(&period(&at)).unwrap();
    assert_eq!((salvaged.entries.len(), salvaged.missing.len()), (3, 0));
    let store = open(&at, &Clock::at(NOON));
    assert_eq!(store.opened().warnings, [""; 0]);
    assert_eq!(stored(&store, record(4, NOON)), Sequence(6));
    assert!(store.verify().unwrap().is_sound());
    assert_eq!(calls(&store.reader()), [1, 2, 3, 4]);
    store.close().unwrap();
    assert!(period(&at).join("journal-0").exists(), "it is all that has them");
    assert!(
        !at.join("audit/2026-11-24.2/journal-0").exists(),
        "closing leaves none"
    );
    assert_eq!(calls(&Reader::open(&at.join("audit")).unwrap()), [1, 2, 3, 4]);
}

#[test]
fn a_damaged_journal_gives_what_is_sound_and_the_rest_shows() {
    let dir = tempfile::tempdir().unwrap();
    let at = crashed(dir.path());
    let journal = period(&at).join("journal-0");
    let mut bytes = fs::read(&journal).unwrap();
    let needle = b"KANBAN-3";
    let hit = bytes.windows(needle.len()).position(|w| w == needle).unwrap();
    bytes[hit] ^= 1;
    fs::write(&journal, bytes).unwrap();
    let store = open(&at, &Clock::at(NOON));
    assert!(
        store.opened().warnings[0].contains("audit"),
        "it is told: {:?}",
        store.opened().warnings
    );
    assert_eq!(calls(&store.reader()), [1, 2]);
    stored(&store, record(4, NOON));
    assert!(!store.verify().unwrap().is_sound(), "what was lost shows");
}

#[test]
fn a_store_that_takes_nothing_is_opened_and_goes_on_when_it_does() {
    let dir = tempfile::tempdir().unwrap();
    let key = dir.path().join("key");
    SigningKey::generate(&key).unwrap();
    let config = || Config {
        signing_key: Some(key.clone()),
        ..config(dir.path())
    };
    let store = open_with(config(), &Clock::at(NOON));
    stored(&store, record(1, NOON));
    store.close().unwrap();
    // As on a disk that the system has made read-only.
    let fault = Injected::new(&dir.path().join("audit"), Act::Write, EROFS);
    let store = open_with(config(), &Clock::at(NOON));
    assert!(
        store.opened().warnings[0].starts_with("cannot write to the audit: "),
        "{:?}",
        store.opened()
    );
    assert!(matches!(
        append(&store, record(2, NOON)),
        Err(AppendError::Failed { .. })
    ));
    assert_eq!(calls(&store.reader()), [1], "it answers");
    assert!(
        matches!(Store::open(config()), Err(OpenError::Locked { .. })),
        "it is held"
    );
    drop(fault);
    recovers(&store, 3);
    store.close().unwrap();
    let reader = Reader::open(&dir.path().join("audit")).unwrap();
    assert_eq!(calls(&reader), [1, 3]);
    let verified = reader
        .verify(&[SigningKey::read(&key).unwrap().public()])
        .unwrap();
    assert!(verified.is_sound() && verified.signed.is_some(), "{verified:?}");
    // One that was never there cannot be made.
    let _fault = Injected::new(&dir.path().join("new"), Act::Write, EROFS);
    let nowhere = Config::at(dir.path().join("new/audit"));
    assert!(matches!(Store::open(nowhere), Err(OpenError::Io { .. })));
}

#[test]
fn closing_ends_though_the_disk_takes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let buffered = Config {
        durability: Durability::Buffered,
        ..config(dir.path())
    };
    let store = open_with(buffered, &Clock::at(NOON));
    let fault = Injected::new(&dir.path().join("audit"), Act::Write, EIO);
    append(&store, record(1, NOON)).unwrap();
    store.count_unrecorded();
    let error = store.close().unwrap_err();
    assert!(matches!(error, AppendError::Failed { .. }), "{error}");
    assert_eq!(store.stats().lost_records, 1);
    drop(fault);
    drop(open(dir.path(), &Clock::at(NOON)));
}

#[test]
fn what_a_failure_left_waiting_is_written_by_close() {
    let dir = tempfile::tempdir().unwrap();
    let buffered = Config {
        durability: Durability::Buffered,
        ..config(dir.path())
    };
    let store = open_with(buffered, &Clock::at(NOON));
    let fault = Injected::new(&period(dir.path()), Act::Write, EIO);
    append(&store, record(1, NOON)).unwrap();
    let until = Instant::now() + Duration::from_secs(20);
    while store.stats().failures == 0 {
        assert!(Instant::now() < until);
        std::thread::yield_now();
    }
    // Within the time in which no other attempt is made.
    drop(fault);
    store.close().unwrap();
    assert_eq!(calls(&Reader::open(&dir.path().join("audit")).unwrap()), [1]);
}

#[test]
fn closing_tells_what_was_lost_though_the_disk_works_again() {
    let dir = tempfile::tempdir().unwrap();
    let buffered = Config {
        durability: Durability::Buffered,
        ..config(dir.path())
    };
    // The record must not be written before the store closes.
    let gate = Gate::default();
    let store = Store::open_at(buffered, gate.clock()).unwrap();
    gate.set(true);
    append(&store, record(1, NOON)).unwrap();
    let _fault = Injected::once(&period(dir.path()), Act::Sync, EIO);
    let closing = store.clone();
    let closed = std::thread::spawn(move || closing.close());
    eventually("the store closes", || store.is_closing().then_some(()));
    gate.set(false);
    let error = closed.join().unwrap().unwrap_err();
    assert!(matches!(error, AppendError::Failed { .. }), "{error}");
    let stats = store.stats();
    assert_eq!((stats.lost_records, stats.failing), (1, None));
    let told = store.events(0, i64::MAX).unwrap();
    assert!(
        told.iter()
            .any(|(_, event)| matches!(event, Event::Counted { count: 1, .. })),
        "the chain tells how many: {told:?}"
    );
}
