//! What a question could not see is told.

use std::fs;
use std::path::Path;

use super::sample::{Clock, DAY, NOON, copy, open, record, stored, tamper};
use crate::{Filter, LeftOut, Page, Reader};

/// Three days, each of eight calls in blocks of their own: places 1 to 9, 10 to 18, 19 to 27.
fn made(root: &Path) {
    let clock = Clock::at(NOON);
    for day in 0..3_u8 {
        let now = NOON + i64::from(day) * DAY;
        clock.set(now);
        let store = open(root, &clock);
        for n in 1..=8 {
            stored(&store, record(day * 10 + n, now));
        }
        store.close().unwrap();
    }
}

/// How many calls a question finds, and what it says that it lacks.
fn asked(root: &Path) -> (usize, Vec<LeftOut>) {
    let reader = Reader::open(&root.join("audit")).unwrap();
    let found = reader.query(&Filter::default(), Page::default()).unwrap();
    let counting = Reader::open(&root.join("audit")).unwrap();
    counting.usage(&Filter::default()).unwrap();
    assert_eq!(counting.left_out(), reader.left_out());
    (found.len(), reader.left_out())
}

fn lacks(period: &str, first: Option<u64>, last: u64) -> LeftOut {
    LeftOut {
        period: period.to_owned(),
        first,
        last,
    }
}

#[test]
fn damage_of_every_kind_is_told_with_the_places_that_it_costs() {
    let dir = tempfile::tempdir().unwrap();
    made(dir.path());
    assert_eq!(asked(dir.path()), (24, Vec::new()));
    let damaged = |period: &str, change: &dyn Fn(&Path)| {
        let copied = tempfile::tempdir().unwrap();
        copy(&dir.path().join("audit"), &copied.path().join("audit"));
        let period = copied.path().join("audit").join(period);
        // Sums and summaries are no calls: what they say must not hide a hole.
        change(&period);
        asked(copied.path())
    };
    let second = "2026-11-25";
    let without = |places: &'static [u64]| {
        move |period: &Path| {
            tamper(period, |blocks| {
                blocks.retain(|first, _| !places.contains(first));
            });
        }
    };
    // In the middle, at the beginning and at the end of a day; all of it; the end of the last.
    let (found, told) = damaged(second, &without(&[13, 14]));
    assert_eq!((found, told), (22, vec![lacks(second, Some(13), 14)]));
    let (_, told) = damaged(second, &without(&[10]));
    assert_eq!(told, [lacks(second, None, 10)]);
    let (_, told) = damaged(second, &without(&[17, 18]));
    assert_eq!(told, [lacks(second, Some(17), 18)]);
    let garbage = |period: &Path| fs::write(period.join("db"), [7; 5_000]).unwrap();
    let (found, told) = damaged(second, &garbage);
    assert_eq!((found, told), (16, vec![lacks(second, None, 18)]));
    let (_, told) = damaged("2026-11-26", &without(&[27]));
    assert_eq!(told, [lacks("2026-11-26", Some(27), 27)]);
}

#[test]
fn periods_to_which_nothing_could_be_written_lack_nothing() {
    let dir = tempfile::tempdir().unwrap();
    made(dir.path());
    let audit = dir.path().join("audit");
    // As a disk leaves them that took a directory and nothing in it, several times.
    for name in ["2026-11-25.2", "2026-11-25.3", "2026-11-25.4"] {
        fs::create_dir(audit.join(name)).unwrap();
        assert_eq!(asked(dir.path()), (24, Vec::new()), "{name}");
    }
    // They bridge nothing else: what is missing before them is still told.
    fs::remove_dir_all(audit.join("2026-11-25")).unwrap();
    let (found, lacking) = asked(dir.path());
    assert_eq!(found, 16);
    assert!(!lacking.is_empty());
}
