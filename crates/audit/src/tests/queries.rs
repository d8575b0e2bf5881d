//! Questions and their answers.

use super::sample::{Clock, DAY, NOON, open, outcome, record, stored};
use crate::{End, Filter, Page, Sequence, Store, Verdict};

/// Numbers of the calls that are found.
fn ask(store: &Store, filter: Filter, page: Page) -> Vec<u8> {
    store
        .query(&filter, page)
        .unwrap()
        .iter()
        .map(|e| e.record.request_id[0])
        .collect()
}

fn oldest() -> Page {
    Page {
        newest_first: false,
        limit: 1000,
        ..Page::default()
    }
}

/// Calls 1 to 40 a minute apart, over three days; those divisible by ten have not ended.
fn filled(dir: &std::path::Path) -> (Store, Vec<Sequence>) {
    let clock = Clock::at(NOON);
    let store = open(dir, &clock);
    let mut places = Vec::new();
    for n in 1..=40_u8 {
        let now = NOON + i64::from(n / 15) * DAY + i64::from(n) * 60_000;
        clock.set(now);
        places.push(stored(&store, record(n, now)));
        if !n.is_multiple_of(10) {
            store.append_outcome(outcome(n)).unwrap();
        }
    }
    let last = *places.last().unwrap();
    let _ = last;
    store.close().unwrap();
    (open(dir, &clock), places)
}

#[test]
fn every_filter_restricts() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = filled(dir.path());
    let all: Vec<u8> = (1..=40).collect();
    let those = |keep: &dyn Fn(u8) -> bool| all.iter().copied().filter(|n| keep(*n)).collect::<Vec<_>>();
    let none = Filter::default;
    let cases: Vec<(Filter, Vec<u8>)> = vec![
        (none(), all.clone()),
        (
            Filter {
                token: Some("token-1".into()),
                ..none()
            },
            those(&|n| n % 3 == 1),
        ),
        (
            Filter {
                token: Some("token-9".into()),
                ..none()
            },
            vec![],
        ),
        (
            Filter {
                user: Some("user-2".into()),
                ..none()
            },
            those(&|n| n % 4 == 2),
        ),
        (
            Filter {
                on_behalf_of: Some("alice".into()),
                ..none()
            },
            those(&|n| n.is_multiple_of(7)),
        ),
        (
            Filter {
                client: Some([10, 0, 0, 8].into()),
                ..none()
            },
            vec![8],
        ),
        (
            Filter {
                method: Some("POST".into()),
                ..none()
            },
            those(&|n| n % 2 == 1),
        ),
        (
            Filter {
                url: Some(crate::UrlPattern::new("KANBAN-3").unwrap()),
                ..none()
            },
            those(&|n| n == 3 || (30..40).contains(&n)),
        ),
        (
            Filter {
                verdict: Some(Verdict::Deny),
                ..none()
            },
            those(&|n| n.is_multiple_of(4)),
        ),
        (
            Filter {
                reason: Some("no-line".into()),
                ..none()
            },
            those(&|n| n.is_multiple_of(4)),
        ),
        (
            Filter {
                line: Some(("ci.toml".into(), None)),
                ..none()
            },
            those(&|n| !n.is_multiple_of(4)),
        ),
        (
            Filter {
                line: Some(("ci.toml".into(), Some(5))),
                ..none()
            },
            vec![5],
        ),
        (
            Filter {
                request_id: Some([17; 16]),
                ..none()
            },
            vec![17],
        ),
        (
            Filter {
                status: Some(403),
                ..none()
            },
            those(&|n| n.is_multiple_of(4) && !n.is_multiple_of(10)),
        ),
        (
            Filter {
                status_class: Some(4),
                ..none()
            },
            those(&|n| n.is_multiple_of(4) && !n.is_multiple_of(10)),
        ),
        (
            Filter {
                status_class: Some(5),
                ..none()
            },
            vec![],
        ),
        (
            Filter {
                status_class: Some(2),
                end: Some(End::Complete),
                ..none()
            },
            those(&|n| !n.is_multiple_of(4) && !n.is_multiple_of(10)),
        ),
        (
            Filter {
                ended: Some(false),
                ..none()
            },
            vec![10, 20, 30, 40],
        ),
        (
            Filter {
                since_ms: Some(NOON + DAY),
                ..none()
            },
            those(&|n| n >= 15),
        ),
        (
            Filter {
                until_ms: Some(NOON + DAY),
                ..none()
            },
            those(&|n| n < 15),
        ),
        (
            Filter {
                since_ms: Some(NOON + 3 * 60_000),
                until_ms: Some(NOON + 6 * 60_000),
                ..none()
            },
            vec![3, 4, 5],
        ),
        (
            Filter {
                token: Some("token-1".into()),
                status: Some(200),
                method: Some("GET".into()),
                ..none()
            },
            those(&|n| n % 3 == 1 && !n.is_multiple_of(4) && !n.is_multiple_of(10) && n.is_multiple_of(2)),
        ),
    ];
    for (filter, expected) in cases {
        assert_eq!(ask(&store, filter.clone(), oldest()), expected, "{filter:?}");
        let mut backward = expected;
        backward.reverse();
        let page = Page {
            limit: 1000,
            ..Page::default()
        };
        assert_eq!(
            ask(&store, filter.clone(), page),
            backward,
            "newest first: {filter:?}"
        );
    }
}

#[test]
fn outcomes_are_joined() {
    let dir = tempfile::tempdir().unwrap();
    let (store, places) = filled(dir.path());
    for page in [
        oldest(),
        Page::default(),
        Page {
            before: Some(places[20]),
            ..Page::default()
        },
    ] {
        let found = store.query(&Filter::default(), page).unwrap();
        assert!(found.len() >= 20);
        for entry in found {
            let n = entry.record.request_id[0];
            assert_eq!(entry.outcome, (!n.is_multiple_of(10)).then(|| outcome(n)), "{n}");
            assert_eq!(entry.sequence, places[usize::from(n) - 1]);
        }
    }
}

#[test]
fn pages_follow_each_other() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = filled(dir.path());
    for filter in [
        Filter::default(),
        Filter {
            status: Some(200),
            ..Filter::default()
        },
    ] {
        let whole = ask(&store, filter.clone(), oldest());
        let mut forward = Vec::new();
        let mut page = Page {
            limit: 7,
            newest_first: false,
            ..Page::default()
        };
        loop {
            let found = store.query(&filter, page).unwrap();
            assert!(found.len() <= 7);
            let Some(last) = found.last() else { break };
            page.after = Some(last.sequence);
            forward.extend(found.iter().map(|e| e.record.request_id[0]));
        }
        assert_eq!(forward, whole);
        let mut backward = Vec::new();
        let mut page = Page {
            limit: 7,
            ..Page::default()
        };
        loop {
            let found = store.query(&filter, page).unwrap();
            let Some(last) = found.last() else { break };
            page.before = Some(last.sequence);
            backward.extend(found.iter().map(|e| e.record.request_id[0]));
        }
        backward.reverse();
        assert_eq!(backward, whole);
    }
    assert_eq!(
        ask(
            &store,
            Filter::default(),
            Page {
                limit: 0,
                ..Page::default()
            }
        ),
        Vec::<u8>::new()
    );
}

#[test]
fn days_outside_the_time_are_not_opened() {
    let dir = tempfile::tempdir().unwrap();
    let (store, places) = filled(dir.path());
    // Whoever opened it would fail.
    std::fs::write(dir.path().join("audit/2026-11-24/db"), [1; 5_000]).unwrap();
    let since = Filter {
        since_ms: Some(NOON + DAY),
        ..Filter::default()
    };
    assert_eq!(ask(&store, since, oldest()).len(), 26);
    let tail = Page {
        after: Some(places[37]),
        ..oldest()
    };
    assert_eq!(ask(&store, Filter::default(), tail), [39, 40]);
    assert_eq!(
        ask(
            &store,
            Filter::default(),
            Page {
                limit: 3,
                ..Page::default()
            }
        ),
        [40, 39, 38]
    );
}

#[test]
fn it_answers_while_it_writes() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), &Clock::at(NOON));
    let writer = store.clone();
    let write = std::thread::spawn(move || {
        for n in 1..=100 {
            stored(&writer, record(n, NOON));
            writer.append_outcome(outcome(n)).unwrap();
        }
    });
    let mut seen = 0;
    while seen < 100 {
        let found = ask(&store, Filter::default(), oldest());
        assert!(found.len() >= seen, "what was there stays");
        assert!(found.iter().copied().eq(1..=u8::try_from(found.len()).unwrap()));
        seen = found.len();
    }
    write.join().unwrap();
}
