//! Questions with times, where the clock was set back, or a record was written long after its time.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use super::sample::{Clock, DAY, NOON, append, config, open, open_with, record, stored};
use crate::disk::faults::{Act, Injected};
use crate::{Config, Durability, Event, Fault, Filter, Page, Reader, Sequence};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

/// Asks for the calls of a time, in either direction, and counts them; gives their numbers, oldest first.
fn between(reader: &Reader, since_ms: Option<i64>, until_ms: Option<i64>) -> Vec<u8> {
    let filter = Filter {
        since_ms,
        until_ms,
        ..Filter::default()
    };
    let [oldest, mut newest] = [false, true].map(|newest_first| {
        let page = Page {
            newest_first,
            ..Page::default()
        };
        let found = reader.query(&filter, page).unwrap();
        found
            .iter()
            .map(|entry| entry.record.request_id[0])
            .collect::<Vec<_>>()
    });
    newest.reverse();
    assert_eq!(oldest, newest);
    let counted = reader.usage(&filter).unwrap().calls.all();
    assert_eq!(counted, u64::try_from(oldest.len()).unwrap());
    oldest
}

/// What the open store answers, its files do, and a copy.
fn everywhere(root: &Path, store: &crate::Store, since_ms: Option<i64>, until_ms: Option<i64>) -> Vec<u8> {
    let found = between(&store.reader(), since_ms, until_ms);
    let files = Reader::open(&root.join("audit")).unwrap();
    assert_eq!(between(&files, since_ms, until_ms), found);
    let copied = tempfile::tempdir().unwrap();
    let copy = copied.path().join("copy");
    files.copy(&copy).unwrap();
    assert_eq!(between(&Reader::open(&copy).unwrap(), since_ms, until_ms), found);
    found
}

#[test]
fn calls_from_before_the_day_of_their_period_are_found() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Clock::at(NOON + DAY);
    let store = open(dir.path(), &clock);
    stored(&store, record(1, NOON + DAY));
    clock.set(NOON);
    stored(&store, record(2, NOON));
    let around = |at| (Some(at - HOUR), Some(at + HOUR));
    let ask = |(since, until)| everywhere(dir.path(), &store, since, until);
    assert_eq!(ask(around(NOON)), [2]);
    assert_eq!(ask(around(NOON + DAY)), [1]);
    store.close().unwrap();
    let store = open(dir.path(), &clock);
    stored(&store, record(3, NOON + 1));
    let ask = |(since, until)| everywhere(dir.path(), &store, since, until);
    assert_eq!(ask(around(NOON)), [2, 3]);
    assert_eq!(ask(around(NOON + DAY)), [1]);
}

#[test]
fn a_clock_set_back_within_a_day_hides_no_calls() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Clock::at(NOON + HOUR);
    let store = open(dir.path(), &clock);
    stored(&store, record(1, NOON + HOUR));
    clock.set(NOON);
    stored(&store, record(2, NOON));
    let half = NOON + HOUR / 2;
    assert_eq!(everywhere(dir.path(), &store, Some(half), None), [1]);
    assert_eq!(everywhere(dir.path(), &store, None, Some(half)), [2]);
    store.close().unwrap();
    // Nobody hides calls by taking away what tells of that.
    let reader = Reader::open(&dir.path().join("audit")).unwrap();
    assert_eq!(reader.verify(&[]).unwrap().findings, []);
    fs::remove_file(dir.path().join("audit/2026-11-24/untimely")).unwrap();
    let [found] = reader.verify(&[]).unwrap().findings.try_into().unwrap();
    assert_eq!((found.sequence, found.what), (Some(Sequence(3)), Fault::Misdated));
}

#[test]
fn a_period_of_another_days_name_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), &Clock::at(NOON));
    stored(&store, record(1, NOON));
    store.close().unwrap();
    let audit = dir.path().join("audit");
    fs::rename(audit.join("2026-11-24"), audit.join("2026-12-24")).unwrap();
    let [found] = Reader::open(&audit)
        .unwrap()
        .verify(&[])
        .unwrap()
        .findings
        .try_into()
        .unwrap();
    assert_eq!((found.sequence, found.what), (Some(Sequence(1)), Fault::Misdated));
}

#[test]
fn a_clock_set_back_between_two_periods_of_a_day_hides_no_calls() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Clock::at(NOON);
    for (n, ms) in [(1, NOON), (2, NOON + HOUR), (3, NOON + MINUTE)] {
        clock.set(ms);
        let store = open(dir.path(), &clock);
        stored(&store, record(n, ms));
        store.close().unwrap();
    }
    let store = open(dir.path(), &clock);
    let half = NOON + HOUR / 2;
    assert_eq!(everywhere(dir.path(), &store, Some(half), None), [2]);
    assert_eq!(everywhere(dir.path(), &store, None, Some(half)), [1, 3]);
    assert!(!crate::index::time_order::is_broken(
        &dir.path().join("audit/2026-11-24.3")
    ));
    assert_eq!(store.verify().unwrap().findings, []);
}

#[test]
fn what_was_written_late_is_found_at_its_time() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Clock::at(NOON);
    let buffered = Config {
        durability: Durability::Buffered,
        ..config(dir.path())
    };
    let store = open_with(buffered, &clock);
    let fault = Injected::new(&dir.path().join("audit"), Act::Write, 5);
    append(&store, record(1, NOON)).unwrap();
    let until = Instant::now() + Duration::from_secs(20);
    while store.stats().failures == 0 {
        assert!(Instant::now() < until);
        std::thread::yield_now();
    }
    // The disk takes nothing until the next day.
    clock.set(NOON + DAY);
    drop(fault);
    append(&store, record(2, NOON + DAY)).unwrap();
    while store.stats().durable < 3 {
        assert!(Instant::now() < until);
        std::thread::yield_now();
    }
    assert_eq!(everywhere(dir.path(), &store, None, Some(NOON + MINUTE)), [1]);
    assert_eq!(everywhere(dir.path(), &store, Some(NOON + MINUTE), None), [2]);
}

#[test]
fn a_small_step_back_costs_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Clock::at(NOON);
    let store = open(dir.path(), &clock);
    stored(&store, record(1, NOON));
    clock.set(NOON - 1_000);
    // Its call came before the step.
    stored(&store, record(2, NOON + 500));
    stored(&store, record(3, NOON - 1_000));
    assert_eq!(everywhere(dir.path(), &store, Some(NOON), None), [1, 2]);
    assert_eq!(everywhere(dir.path(), &store, None, Some(NOON)), [3]);
    let period = dir.path().join("audit/2026-11-24");
    assert!(
        !crate::index::time_order::is_broken(&period),
        "its blocks stand in the order of their writing"
    );
}

#[test]
fn the_last_mark_of_a_fleet_is_the_one_stored_last_whatever_its_time_says() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Clock::at(NOON + 90 * DAY);
    let store = open(dir.path(), &clock);
    assert_eq!(store.last_fleet_mark().unwrap(), None);
    let mark = |version, time_ms| Event::FleetMark {
        time_ms,
        fleet: "main".to_owned(),
        version,
        manifest: [7; 32],
        why: String::new(),
    };
    // The clock was right, is set back by more than any window, and is right again.
    for (version, time) in [(1, 90), (2, 0), (3, 50)] {
        clock.set(NOON + time * DAY);
        store.append_event(mark(version, NOON + time * DAY)).unwrap();
    }
    stored(&store, record(1, NOON + 50 * DAY));
    for now in [90, 50, 0, 400] {
        clock.set(NOON + now * DAY);
        assert_eq!(
            store.last_fleet_mark().unwrap(),
            Some(mark(3, NOON + 50 * DAY)),
            "{now}"
        );
    }
}
