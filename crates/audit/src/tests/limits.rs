//! Bounds: the queue, the outsiders' quota, a disk that hangs or fails.

use std::fs;
use std::time::{Duration, Instant};

use tokenward_testbed::eventually;

use super::sample::{Clock, DAY, Gate, NOON, append, config, open, open_with, outcome, record, run, stored};
use crate::{
    AppendError, Appended, Config, Counted, DiskError, Durability, Event, Filter, Page, Record, Store,
};

fn outsider(n: u8) -> Record {
    Record {
        authenticated: false,
        token: None,
        ..record(n, NOON)
    }
}

#[test]
fn a_hanging_disk_makes_callers_wait_and_then_busy() {
    let dir = tempfile::tempdir().unwrap();
    let gate = Gate::default();
    let wait = Duration::from_millis(200);
    let store = Store::open_at(
        Config {
            wait,
            ..config(dir.path())
        },
        gate.clock(),
    )
    .unwrap();
    gate.set(true);
    let begun = Instant::now();
    let error = append(&store, record(1, NOON)).unwrap_err();
    assert!(
        matches!(error, AppendError::Busy { waited } if waited == wait),
        "{error}"
    );
    assert!(begun.elapsed() >= wait);
    assert!(run(store.next_after(store.last(), Duration::from_millis(10))).is_none());
    gate.set(false);
    // A slow machine may need more than the short wait, and several attempts.
    eventually("it stores again", || append(&store, record(2, NOON)).ok());
    store.close().unwrap();
}

#[test]
fn a_full_queue_is_busy_and_loses_nothing_it_took() {
    let dir = tempfile::tempdir().unwrap();
    let gate = Gate::default();
    let wait = Duration::from_millis(150);
    let small = Config {
        wait,
        queue_bytes: 8 << 10,
        durability: Durability::Buffered,
        ..config(dir.path())
    };
    let store = Store::open_at(small, gate.clock()).unwrap();
    gate.set(true);
    let mut taken = Vec::new();
    let busy = loop {
        let n = u8::try_from(taken.len()).unwrap();
        match append(&store, record(n, NOON)) {
            Ok(Appended::Queued) => taken.push(n),
            Ok(other) => panic!("{other:?}"),
            Err(error) => break error,
        }
    };
    assert!(matches!(busy, AppendError::Busy { .. }), "{busy}");
    assert!(taken.len() > 4);
    // Outcomes have room of their own, and then are counted; the caller never waits.
    let begun = Instant::now();
    let refused = (0..=255)
        .filter(|n| store.append_outcome(outcome(*n)).is_err())
        .count();
    let refused = u32::try_from(refused).unwrap();
    // If each refused outcome had waited as a record does, this would have taken many times as long.
    let (took, waits) = (begun.elapsed(), wait * refused);
    assert!(refused > 100 && took < waits / 2, "{refused} refused in {took:?}");
    assert_eq!(store.stats().lost_outcomes, u64::from(refused));
    assert!(
        store.stats().queue_bytes <= 17 << 10,
        "{}",
        store.stats().queue_bytes
    );
    gate.set(false);
    store.close().unwrap();
    drop(store);
    let store = open(dir.path(), &Clock::at(NOON));
    let found = store
        .query(
            &Filter::default(),
            Page {
                limit: 999,
                newest_first: false,
                ..Page::default()
            },
        )
        .unwrap();
    assert_eq!(
        found.iter().map(|e| e.record.request_id[0]).collect::<Vec<_>>(),
        taken
    );
    let lost: u64 = store
        .events(0, i64::MAX)
        .unwrap()
        .iter()
        .filter_map(|(_, e)| match e {
            Event::Counted {
                what: Counted::LostOutcomes,
                count,
                ..
            } => Some(*count),
            _ => None,
        })
        .sum();
    assert_eq!(lost, u64::from(refused), "the chain tells how many");
}

#[test]
fn outsiders_beyond_the_quota_are_counted() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Clock::at(NOON);
    let store = open_with(
        Config {
            outsider_quota_per_minute: 3,
            ..config(dir.path())
        },
        &clock,
    );
    for n in 1..=10 {
        let expected = n <= 3;
        let appended = append(&store, outsider(n)).unwrap();
        assert_eq!(
            matches!(appended, Appended::Stored(_)),
            expected,
            "{n}: {appended:?}"
        );
        assert_eq!(appended == Appended::Counted, !expected);
    }
    stored(&store, record(11, NOON));
    clock.set(NOON + 61_000);
    assert!(
        matches!(append(&store, outsider(12)), Ok(Appended::Stored(_))),
        "a new minute, a new quota"
    );
    let told: Vec<_> = store
        .events(0, i64::MAX)
        .unwrap()
        .into_iter()
        .map(|(_, e)| e)
        .collect();
    let counted = Event::Counted {
        what: Counted::Outsiders,
        count: 7,
        from_ms: NOON,
        to_ms: NOON,
    };
    assert!(told.contains(&counted), "{told:?}");
    assert_eq!(store.stats().counted_outsiders, 7);
    assert_eq!(store.query(&Filter::default(), Page::default()).unwrap().len(), 5);
}

#[test]
fn use_of_a_dead_token_is_recorded_whatever_outsiders_do() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Clock::at(NOON);
    let store = open_with(
        Config {
            outsider_quota_per_minute: 3,
            ..config(dir.path())
        },
        &clock,
    );
    for n in 1..=5 {
        append(&store, outsider(n)).unwrap();
    }
    let dead = |n| Record {
        token: Some("old".into()),
        reason: "revoked".into(),
        ..outsider(n)
    };
    // The quota of outsiders is used up; that of recognised tokens is as large, and has an end, too.
    for n in 11..=15 {
        let appended = append(&store, dead(n)).unwrap();
        assert_eq!(
            matches!(appended, Appended::Stored(_)),
            n <= 13,
            "{n}: {appended:?}"
        );
    }
    let stats = store.stats();
    assert_eq!((stats.counted_outsiders, stats.counted_refused_tokens), (2, 2));
    clock.set(NOON + 61_000);
    assert!(matches!(append(&store, dead(16)), Ok(Appended::Stored(_))));
    store.close().unwrap();
    let store = open_with(config(dir.path()), &clock);
    let told: Vec<_> = store
        .events(0, i64::MAX)
        .unwrap()
        .into_iter()
        .map(|(_, e)| e)
        .collect();
    for what in [Counted::Outsiders, Counted::RefusedTokens] {
        let counted = Event::Counted {
            what,
            count: 2,
            from_ms: NOON,
            to_ms: NOON,
        };
        assert!(told.contains(&counted), "{told:?}");
    }
}

#[test]
fn calls_that_a_limit_refused_have_a_quota_for_each_token() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Clock::at(NOON);
    let quota = Config {
        outsider_quota_per_minute: 3,
        ..config(dir.path())
    };
    let store = open_with(quota, &clock);
    let limited = |token: &str, n| Record {
        token: Some(token.into()),
        reason: "rate-limit".into(),
        ..record(n, NOON)
    };
    let refuse = |record| {
        let appended = run(store.append_over_limit(record)).unwrap();
        matches!(appended, Appended::Stored(_))
    };
    for n in 1..=10 {
        assert_eq!(refuse(limited("loud", n)), n <= 3, "{n}");
    }
    assert!(refuse(limited("quiet", 11)), "a quota of its own");
    // A call within the limits has none.
    for n in 12..=20 {
        stored(&store, record(n, NOON));
    }
    assert_eq!(store.stats().counted_over_limit, 7);
    clock.set(NOON + 61_000);
    assert!(refuse(limited("loud", 21)), "a new minute, a new quota");
    store.close().unwrap();
    let store = open_with(config(dir.path()), &clock);
    let events = store.events(0, i64::MAX).unwrap();
    let counted: Vec<_> = events
        .iter()
        .filter(|(_, event)| matches!(event, Event::OverLimit { .. }))
        .collect();
    let expected = Event::OverLimit {
        token: "loud".into(),
        count: 7,
        from_ms: NOON,
        to_ms: NOON,
    };
    assert!(counted.len() == 1 && counted[0].1 == expected, "{events:?}");
}

#[test]
fn a_flood_of_outsiders_takes_no_more_than_the_quota_and_holds_nobody_up() {
    let dir = tempfile::tempdir().unwrap();
    let store = open_with(
        Config {
            outsider_quota_per_minute: 50,
            ..config(dir.path())
        },
        &Clock::at(NOON),
    );
    const FLOOD: usize = 4 * 2_000;
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for n in 0..2_000 {
                    append(&store, outsider(u8::try_from(n % 256).unwrap())).unwrap();
                }
            });
        }
        // Meanwhile a caller with a token is recorded as ever.
        for n in 0..20 {
            stored(&store, record(n, NOON));
        }
    });
    let bytes = store.stats().bytes;
    let whole = Page {
        limit: FLOOD,
        ..Page::default()
    };
    let found = store.query(&Filter::default(), whole).unwrap();
    let outside = found.iter().filter(|entry| !entry.record.authenticated).count();
    assert_eq!((outside, found.len()), (50, 70));
    assert_eq!(
        store.stats().counted_outsiders,
        u64::try_from(FLOOD - 50).unwrap()
    );
    assert!(bytes < 100_000, "{bytes} bytes for 70 records");
}

#[test]
fn a_failing_disk_is_told_and_recovered_from() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Clock::at(NOON);
    let store = open(dir.path(), &clock);
    stored(&store, record(1, NOON));
    // The next day cannot be begun: the directory is gone, and something is in its way.
    let (root, aside) = (dir.path().join("audit"), dir.path().join("aside"));
    fs::rename(&root, &aside).unwrap();
    fs::write(&root, "in the way").unwrap();
    clock.set(NOON + DAY);
    let error = append(&store, record(2, NOON + DAY)).unwrap_err();
    assert!(
        matches!(
            error,
            AppendError::Failed {
                source: DiskError::Io(_)
            }
        ),
        "{error}"
    );
    assert!(store.stats().failing.is_some());
    store.append_outcome(outcome(1)).unwrap();
    store.count_unrecorded();
    store.count_unrecorded();
    fs::remove_file(&root).unwrap();
    fs::rename(&aside, &root).unwrap();
    let until = Instant::now() + Duration::from_secs(20);
    let after = loop {
        match append(&store, record(3, NOON + DAY)) {
            Ok(Appended::Stored(sequence)) => break sequence,
            Err(AppendError::Failed { .. }) if Instant::now() < until => std::thread::yield_now(),
            other => panic!("{other:?}"),
        }
    };
    let stats = store.stats();
    assert_eq!((stats.failing, stats.unrecorded), (None, 2));
    assert!(stats.failures > 0 && stats.last_error.is_some());
    let entries = store
        .query(
            &Filter::default(),
            Page {
                newest_first: false,
                ..Page::default()
            },
        )
        .unwrap();
    assert_eq!(
        entries.iter().map(|e| e.record.request_id[0]).collect::<Vec<_>>(),
        [1, 3]
    );
    assert_eq!(
        entries[0].outcome,
        Some(outcome(1)),
        "what nobody waited for was kept"
    );
    assert_eq!(entries[1].sequence, after);
    let told = store.events(0, i64::MAX).unwrap();
    assert!(
        told.iter().any(|(_, e)| matches!(
            e,
            Event::Counted {
                what: Counted::Unrecorded,
                count: 2,
                ..
            }
        )),
        "{told:?}"
    );
    assert!(store.verify().unwrap().is_sound());
}

#[test]
fn a_record_too_large_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), &Clock::at(NOON));
    let error = append(
        &store,
        Record {
            url: "x".repeat(40_000),
            ..record(1, NOON)
        },
    )
    .unwrap_err();
    assert!(
        matches!(error, AppendError::TooLarge { limit: 32_768, .. }),
        "{error}"
    );
    // The largest, of texts that do not compress, still fits a block; several share none.
    let mut noise = 1_u64;
    let mut url = String::new();
    while url.len() < 32_000 {
        noise = noise
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        url.push(char::from(b'!' + u8::try_from(noise >> 57).unwrap() % 90));
    }
    run(async {
        let appends = (1..=4).map(|n| {
            store.append(Record {
                url: url.clone(),
                ..record(n, NOON)
            })
        });
        for append in appends {
            assert!(matches!(append.await, Ok(Appended::Stored(_))));
        }
    });
    assert!(store.verify().unwrap().is_sound());
}

#[test]
fn the_tail_hears_of_each_commit() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), &Clock::at(NOON));
    let before = store.last();
    let follower = store.clone();
    let follow = std::thread::spawn(move || run(follower.next_after(before, Duration::from_secs(20))));
    let place = stored(&store, record(1, NOON));
    assert_eq!(follow.join().unwrap(), Some(place));
    // An outcome alone is written soon as well.
    store.append_outcome(outcome(1)).unwrap();
    assert!(run(store.next_after(place, Duration::from_secs(20))) > Some(place));
    // Closing ends the wait.
    let follower = store.clone();
    let last = store.last();
    let follow = std::thread::spawn(move || run(follower.next_after(last, Duration::from_secs(600))));
    store.close().unwrap();
    assert_eq!(follow.join().unwrap(), None);
}

#[test]
fn dropping_does_not_hang_and_writes_what_was_queued() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Clock::at(NOON);
    let store = open_with(
        Config {
            durability: Durability::Buffered,
            ..config(dir.path())
        },
        &clock,
    );
    append(&store, record(1, NOON)).unwrap();
    drop(store);
    let until = Instant::now() + Duration::from_secs(20);
    let store = loop {
        match Store::open_at(config(dir.path()), clock.now()) {
            Ok(store) => break store,
            Err(error) => assert!(Instant::now() < until, "{error}"),
        }
        std::thread::yield_now();
    };
    assert_eq!(store.query(&Filter::default(), Page::default()).unwrap().len(), 1);
}
