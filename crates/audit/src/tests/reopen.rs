//! What was acknowledged is there after reopening; the chain and its numbers go on.

use super::sample::{Clock, DAY, NOON, append, config, copy, open, open_with, outcome, record, stored};
use crate::query::source::Source;
use crate::query::walk::{Range, Walk};
use crate::store::periods::Periods;
use crate::{AppendError, Appended, Durability, Event, Filter, OpenError, Page, Sequence, Store};

fn all(store: &Store) -> Vec<crate::Entry> {
    store
        .query(
            &Filter::default(),
            Page {
                limit: 10_000,
                newest_first: false,
                ..Page::default()
            },
        )
        .unwrap()
}

#[test]
fn an_acknowledged_record_is_on_disk() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Clock::at(NOON);
    let store = open(dir.path(), &clock);
    for n in 1..=5 {
        stored(&store, record(n, NOON));
        // As a crash right now would leave it: nothing was closed.
        let crashed = dir.path().join(format!("crashed-{n}"));
        copy(&dir.path().join("audit"), &crashed.join("audit"));
        let after = open(&crashed, &clock);
        assert_eq!(all(&after).len(), usize::from(n));
        assert!(after.verify().unwrap().is_sound());
    }
    store.close().unwrap();
}

#[test]
fn numbers_and_chain_go_on_after_reopening() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Clock::at(NOON);
    let mut last = Sequence(0);
    for n in 1..=4 {
        clock.set(NOON + i64::from(n / 2) * DAY);
        let store = open(dir.path(), &clock);
        assert!(store.opened().warnings.is_empty());
        let sequence = stored(&store, record(n, NOON));
        assert!(sequence > last);
        last = sequence;
        store.append_outcome(outcome(n)).unwrap();
        store.close().unwrap();
    }
    let store = open(dir.path(), &clock);
    let verified = store.verify().unwrap();
    assert_eq!(verified.findings, []);
    assert_eq!(
        verified.entries,
        4 * 3 + 1,
        "opened, decision, outcome each; and opened"
    );
    let entries = all(&store);
    assert_eq!(
        entries.iter().map(|e| e.record.clone()).collect::<Vec<_>>(),
        [1, 2, 3, 4].map(|n| record(n, NOON))
    );
    assert_eq!(
        entries.iter().map(|e| e.outcome).collect::<Vec<_>>(),
        [1, 2, 3, 4].map(|n| Some(outcome(n)))
    );
    store.close().unwrap();
}

#[test]
fn a_day_changes_while_it_runs() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Clock::at(NOON);
    let store = open(dir.path(), &clock);
    let before = stored(&store, record(1, NOON));
    clock.set(NOON + DAY);
    let after = stored(&store, record(2, NOON + DAY));
    assert!(after > before);
    store.append_outcome(outcome(1)).unwrap();
    store.close().unwrap();
    let names: Vec<_> = crate::period::name::Period::list(&dir.path().join("audit")).unwrap();
    assert_eq!(
        names.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["2026-11-24", "2026-11-25"]
    );
    let store = open(dir.path(), &clock);
    assert_eq!(
        all(&store).first().and_then(|e| e.outcome),
        Some(outcome(1)),
        "it is found in the next day"
    );
    assert!(store.verify().unwrap().is_sound());
}

#[test]
fn a_clock_set_back_begins_no_older_period() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Clock::at(NOON + DAY);
    let store = open(dir.path(), &clock);
    stored(&store, record(1, NOON + DAY));
    store.close().unwrap();
    clock.set(NOON);
    let store = open(dir.path(), &clock);
    stored(&store, record(2, NOON));
    assert!(store.verify().unwrap().is_sound());
    let names: Vec<_> = crate::period::name::Period::list(&dir.path().join("audit")).unwrap();
    assert_eq!(
        names.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["2026-11-25", "2026-11-25.2"]
    );
}

#[test]
fn a_second_process_is_told_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Clock::at(NOON);
    let store = open(dir.path(), &clock);
    let error = Store::open_at(config(dir.path()), clock.now()).unwrap_err();
    assert!(matches!(error, OpenError::Locked { .. }));
    assert!(error.to_string().ends_with(
        "is in use by another process; query it through the admin listener, or stop that process"
    ));
    store.close().unwrap();
    assert!(matches!(
        append(&store, record(1, NOON)),
        Err(AppendError::Closed)
    ));
    assert!(matches!(
        store.append_outcome(outcome(1)),
        Err(AppendError::Closed)
    ));
    open(dir.path(), &clock).close().unwrap();
}

#[test]
fn a_path_that_is_a_file_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("audit"), "x").unwrap();
    let error = Store::open(config(dir.path())).unwrap_err();
    assert!(error.to_string().starts_with("cannot make "), "{error}");
}

#[test]
fn buffered_records_are_written_by_close() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Clock::at(NOON);
    let buffered = crate::Config {
        durability: Durability::Buffered,
        ..config(dir.path())
    };
    let store = open_with(buffered.clone(), &clock);
    for n in 1..=200 {
        assert_eq!(append(&store, record(n, NOON)).unwrap(), Appended::Queued);
        store.append_outcome(outcome(n)).unwrap();
    }
    store.close().unwrap();
    let stats = store.stats();
    assert_eq!(
        (stats.durable, stats.lost_records, stats.lost_outcomes),
        (401, 0, 0)
    );
    let store = open_with(buffered, &clock);
    let entries = all(&store);
    assert_eq!(entries.len(), 200);
    assert!(
        entries
            .iter()
            .all(|e| e.outcome == Some(outcome(e.record.request_id[0])))
    );
}

#[test]
fn old_periods_go_and_the_cut_is_on_record() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Clock::at(NOON);
    let keeping = crate::Config {
        retention_days: Some(2),
        ..config(dir.path())
    };
    let store = open_with(keeping.clone(), &clock);
    for day in 0_u8..5 {
        clock.set(NOON + i64::from(day) * DAY);
        stored(&store, record(day + 1, NOON + i64::from(day) * DAY));
    }
    let entries = all(&store);
    assert_eq!(
        entries.iter().map(|e| e.record.request_id[0]).collect::<Vec<_>>(),
        [3, 4, 5]
    );
    let verified = store.verify().unwrap();
    assert_eq!(verified.findings, [], "the cut explains the beginning");
    assert!(verified.first > Some(Sequence(1)));
    let cuts: Vec<_> = store.events(0, i64::MAX).unwrap();
    let cuts = cuts.iter().filter_map(|(_, e)| match e {
        Event::Cut { period, .. } => Some(period.as_str()),
        _ => None,
    });
    assert_eq!(cuts.collect::<Vec<_>>(), ["2026-11-24", "2026-11-25"]);
    store.close().unwrap();
    // Deleted by hand, it is another matter.
    std::fs::remove_dir_all(dir.path().join("audit/2026-11-26")).unwrap();
    let store = open_with(keeping, &clock);
    assert_eq!(
        store.verify().unwrap().findings[0].what,
        crate::Fault::MissingStart
    );
}

#[test]
fn a_cut_is_told_by_the_next_period_also_where_the_old_one_cannot_be_read() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Clock::at(NOON);
    let keeping = crate::Config {
        retention_days: Some(2),
        ..config(dir.path())
    };
    let store = open_with(keeping, &clock);
    for day in 0_u8..3 {
        clock.set(NOON + i64::from(day) * DAY);
        stored(&store, record(day + 1, NOON + i64::from(day) * DAY));
    }
    let next = dir.path().join("audit/2026-11-25");
    let begins = crate::period::edges::begin(&next).unwrap().unwrap();
    let old = dir.path().join("audit/2026-11-24");
    assert_eq!(crate::period::edges::end(&old, None).unwrap(), Some(begins));
    for name in ["db", "journal-0", "journal-1"] {
        if old.join(name).exists() {
            std::fs::write(old.join(name), [0; 100]).unwrap();
        }
    }
    assert_eq!(crate::period::edges::end(&old, None).unwrap(), None);
    clock.set(NOON + 3 * DAY);
    stored(&store, record(4, NOON + 3 * DAY));
    assert!(!old.exists());
    let verified = store.verify().unwrap();
    assert_eq!(verified.findings, [], "the cut explains the beginning");
    let events = store.events(0, i64::MAX).unwrap();
    let cut = events.iter().find_map(|(_, event)| match event {
        Event::Cut { last, hash, .. } => Some((*last, *hash)),
        _ => None,
    });
    assert_eq!(cut, Some((begins.next - 1, begins.hash)));
    store.close().unwrap();
}

#[test]
fn a_day_that_retention_deletes_meanwhile_is_left_out() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Clock::at(NOON);
    let store = open(dir.path(), &clock);
    for day in 0_u8..3 {
        clock.set(NOON + i64::from(day) * DAY);
        stored(&store, record(day + 1, NOON + i64::from(day) * DAY));
    }
    store.close().unwrap();
    for (newest_first, after) in [(true, None), (false, None), (false, Some(1))] {
        let copied = tempfile::tempdir().unwrap();
        copy(dir.path(), copied.path());
        let periods = std::sync::Arc::new(Periods::new(&copied.path().join("audit"), 1 << 20));
        let source = Source::of_store(std::sync::Arc::clone(&periods));
        let range = Range {
            after,
            ..Range::default()
        };
        // The question has listed the periods, and comes to the oldest when it is gone.
        let mut walk = Walk::new(&source, range, newest_first).unwrap();
        periods.clear();
        std::fs::remove_dir_all(copied.path().join("audit/2026-11-24")).unwrap();
        let mut found = Vec::new();
        while let Some(block) = walk.next().unwrap() {
            found.push(block.header.first);
        }
        found.sort_unstable();
        assert_eq!(found, [3, 4], "{newest_first} {after:?}");
    }
}
