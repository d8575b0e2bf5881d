//! Counting from sums: the same as by reading, whatever happened to them, and nobody counts otherwise unseen.

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::sample::{Clock, DAY, NOON, append, copy, open, outcome, record, stored, tamper};
use super::{counts_verified::ten, sample};
use crate::disk::faults::{Act, Injected};
use crate::index::counts::Read;
use crate::store::periods::Periods;
use crate::{AppendError, Filter, LineRef, Reader, Record, Sequence, Store, Verdict};

/// A call of one of few kinds.
pub(super) fn call(id: u8, kind: u8, time_ms: i64) -> Record {
    let line = |number: u8| LineRef {
        file: format!("team-{}.toml", number % 2),
        number: number.into(),
        digest: format!("{:04x}", u16::from(number) * 7),
    };
    Record {
        token: (kind % 4 != 3).then(|| format!("token-{}", kind % 4)),
        line: kind.is_multiple_of(2).then(|| line(kind % 3)),
        verdict: [Verdict::Allow, Verdict::Deny, Verdict::Refuse][usize::from(kind % 3)],
        reason: ["line", "no-line"][usize::from(kind % 2)].to_owned(),
        ..record(id, time_ms)
    }
}

pub(super) fn period(root: &Path) -> PathBuf {
    root.join("audit/2026-11-24")
}

/// The chapters of the first day.
pub(super) fn chapters(root: &Path) -> Vec<(u64, u64)> {
    let chapters = Read::of(&period(root));
    chapters.map(|chapter| (chapter.first, chapter.last)).collect()
}

/// A store of so many calls of a kind that `kind` gives, each with its end; closed.
fn filled(root: &Path, calls: u8, kind: impl Fn(u8) -> u8) {
    let store = open(root, &Clock::at(NOON));
    for n in 1..=calls {
        stored(&store, call(n, kind(n), NOON + i64::from(n)));
        store.append_outcome(outcome(n)).unwrap();
    }
    store.close().unwrap();
}

#[derive(Debug, Clone)]
enum Step {
    Calls(u8, u8),
    Pass(i64),
    Reopen,
    Crash,
    Damage(prop::sample::Index, Damage),
    Ask(Asked),
}

#[derive(Debug, Clone, Copy)]
enum Damage {
    Remove,
    Cut,
    Flip,
}

#[derive(Debug, Clone)]
struct Asked {
    kind: u8,
    by: [bool; 5],
    since: Option<i64>,
    length: Option<i64>,
}

impl Asked {
    fn filter(&self, now: i64) -> Filter {
        let like = call(1, self.kind, now);
        let [token, verdict, reason, line, number] = self.by;
        let since = self.since.map(|before| now - before);
        Filter {
            since_ms: since,
            until_ms: self
                .length
                .map(|length| since.unwrap_or(now - 7_200_000) + length),
            token: token.then_some(like.token).flatten(),
            verdict: verdict.then_some(like.verdict),
            reason: reason.then_some(like.reason),
            line: like
                .line
                .filter(|_| line)
                .map(|l| (l.file, number.then_some(l.number))),
            ..Filter::default()
        }
    }
}

fn asked() -> impl Strategy<Value = Asked> {
    let time = || proptest::option::of(0..20_000_000_i64);
    let by = proptest::array::uniform5(proptest::bool::weighted(0.3));
    (any::<u8>(), by, time(), time()).prop_map(|(kind, by, since, length)| Asked {
        kind,
        by,
        since,
        length,
    })
}

fn step() -> impl Strategy<Value = Step> {
    let damage = prop_oneof![Just(Damage::Remove), Just(Damage::Cut), Just(Damage::Flip)];
    prop_oneof![
        8 => (1..24_u8, 0..6_u8).prop_map(|(calls, kinds)| Step::Calls(calls, kinds)),
        3 => (0..3_000_000_i64).prop_map(Step::Pass),
        1 => Just(Step::Pass(DAY)),
        1 => Just(Step::Reopen),
        1 => Just(Step::Crash),
        1 => (any::<prop::sample::Index>(), damage).prop_map(|(at, damage)| Step::Damage(at, damage)),
        6 => asked().prop_map(Step::Ask),
    ]
}

/// Spoils the sums of some period.
fn spoil(root: &Path, at: prop::sample::Index, damage: Damage) {
    let mut files: Vec<PathBuf> = fs::read_dir(root.join("audit"))
        .unwrap()
        .map(|entry| entry.unwrap().path().join("sums"))
        .filter(|path| path.exists())
        .collect();
    files.sort();
    let path = &files[at.index(files.len())];
    let mut bytes = fs::read(path).unwrap();
    match damage {
        Damage::Remove => fs::remove_file(path).unwrap(),
        Damage::Cut => fs::write(path, &bytes[..at.index(bytes.len() + 1)]).unwrap(),
        Damage::Flip if bytes.is_empty() => {}
        Damage::Flip => {
            let at = at.index(bytes.len());
            bytes[at] ^= 4;
            fs::write(path, bytes).unwrap();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn sums_count_as_reading_does(steps in proptest::collection::vec(step(), 1..40)) {
        let dir = tempfile::tempdir().unwrap();
        let mut root = dir.path().join("0");
        fs::create_dir(&root).unwrap();
        let mut now = NOON;
        let clock = Clock::at(now);
        let mut store = open(&root, &clock);
        let mut n = 0_u8;
        for (number, step) in steps.into_iter().enumerate() {
            match step {
                Step::Calls(calls, kinds) => for m in 0..calls {
                    n = n.wrapping_add(1);
                    // A call is written somewhat after its time.
                    stored(&store, call(n, kinds + m % 2, now - i64::from(m)));
                    store.append_outcome(outcome(n)).unwrap();
                },
                Step::Pass(ms) => {
                    now += ms;
                    clock.set(now);
                }
                Step::Reopen => {
                    store.close().unwrap();
                    store = open(&root, &clock);
                }
                Step::Crash => {
                    // With a call all ends before it are written: nothing changes while it is copied.
                    n = n.wrapping_add(1);
                    stored(&store, call(n, 0, now));
                    store.wait_settled();
                    let next = dir.path().join((number + 1).to_string());
                    copy(&root, &next);
                    store.close().unwrap();
                    root = next;
                    store = open(&root, &clock);
                }
                Step::Damage(at, damage) => {
                    store.close().unwrap();
                    spoil(&root, at, damage);
                    store = open(&root, &clock);
                }
                Step::Ask(asked) => {
                    let filter = asked.filter(now);
                    for reader in [store.reader(), Reader::open(&root.join("audit")).unwrap()] {
                        // What is written meanwhile counts in neither or both.
                        let usage = reader.usage(&filter).unwrap();
                        prop_assert_eq!(usage, reader.usage_by_reading(&filter).unwrap(), "{:?}", filter);
                    }
                }
            }
        }
        let verified = store.verify().unwrap();
        prop_assert_eq!(&verified.findings, &[]);
        store.close().unwrap();
    }
}

#[test]
fn what_the_sums_tell_is_not_read() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path(), 200, |n| n % 2);
    assert!(chapters(dir.path()).len() > 4, "{:?}", chapters(dir.path()));
    let expected = Reader::open(&dir.path().join("audit"))
        .unwrap()
        .usage_by_reading(&Filter::default())
        .unwrap();
    assert_eq!(expected.calls.all(), 200);
    // What is in a block of a chapter cannot be read: whoever tried would say so.
    let chapters = chapters(dir.path());
    tamper(&period(dir.path()), |blocks| {
        for (first, last) in chapters {
            blocks
                .range_mut(first..=last)
                .for_each(|(_, bytes)| sample::spoil(bytes));
        }
    });
    let periods = Periods::new(&dir.path().join("audit"), 1 << 20);
    let reader = Reader::of(std::sync::Arc::new(periods));
    assert!(reader.usage_by_reading(&Filter::default()).is_err());
    assert_eq!(reader.usage(&Filter::default()).unwrap(), expected);
    let filter = |token: &str, until_ms| Filter {
        token: Some(token.to_owned()),
        until_ms,
        ..Filter::default()
    };
    let of_one = reader.usage(&filter("token-1", None)).unwrap();
    assert_eq!(of_one.calls, expected.tokens[&Some("token-1".into())]);
    let all = Some(NOON + 1_000);
    assert_eq!(reader.usage(&filter("token-1", all)).unwrap(), of_one);
    // What asks for more, or for a part of a group, is read.
    assert!(reader.usage(&filter("token-1", Some(NOON + 100))).is_err());
    let by_user = Filter {
        method: Some("GET".into()),
        ..Filter::default()
    };
    assert!(reader.usage(&by_user).is_err());
}

#[test]
fn calls_that_have_too_little_in_common_are_read() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), &Clock::at(NOON));
    for n in 1..=100 {
        let reason = format!("reason-{n}");
        stored(
            &store,
            Record {
                reason,
                ..call(n, 0, NOON)
            },
        );
    }
    store.close().unwrap();
    assert_eq!(fs::read(period(dir.path()).join("sums")).unwrap(), b"");
    let reader = Reader::open(&dir.path().join("audit")).unwrap();
    assert_eq!(reader.usage(&Filter::default()).unwrap().reasons.len(), 100);
}

#[test]
fn a_commit_that_failed_is_not_counted() {
    for act in [Act::Write, Act::Sync] {
        let dir = tempfile::tempdir().unwrap();
        let store = open(dir.path(), &Clock::at(NOON));
        let places: Vec<Sequence> = (1..=9).map(|n| stored(&store, call(n, 0, NOON))).collect();
        let fault = Injected::new(&period(dir.path()).join("journal-0"), act, 5);
        let failed = append(&store, call(10, 0, NOON)).unwrap_err();
        assert!(matches!(failed, AppendError::Failed { .. }), "{failed}");
        drop(fault);
        assert_eq!(chapters(dir.path()), [(1, places[8].0)], "it ends before");
        while append(&store, call(11, 0, NOON)).is_err() {
            std::thread::yield_now();
        }
        let usage = || store.reader().usage(&Filter::default()).unwrap();
        let read = || store.reader().usage_by_reading(&Filter::default()).unwrap();
        assert_eq!(usage(), read());
        store.close().unwrap();
        let store = open(dir.path(), &Clock::at(NOON));
        let reader = store.reader();
        // What failed may be there all the same.
        let counted = reader.usage(&Filter::default()).unwrap();
        assert!((10..=11).contains(&counted.calls.all()), "{counted:?}");
        assert_eq!(counted, reader.usage_by_reading(&Filter::default()).unwrap());
        assert!(store.verify().unwrap().is_sound());
    }
}

#[test]
fn sums_beyond_what_is_read_are_not_used() {
    let dir = tempfile::tempdir().unwrap();
    let store: Store = open(dir.path(), &Clock::at(NOON));
    stored(&store, call(1, 0, NOON));
    // It sees the day as it was when it was first asked.
    let reader = Reader::open(&dir.path().join("audit")).unwrap();
    assert_eq!(reader.usage(&Filter::default()).unwrap().calls.all(), 1);
    for n in 2..100 {
        stored(&store, call(n, 0, NOON));
    }
    assert!(chapters(dir.path()).len() == 2);
    assert_eq!(reader.usage(&Filter::default()).unwrap().calls.all(), 1);
    assert_eq!(store.reader().usage(&Filter::default()).unwrap().calls.all(), 99);
    store.close().unwrap();
}

#[test]
fn what_a_crash_cut_short_is_passed_over() {
    let dir = tempfile::tempdir().unwrap();
    ten(dir.path());
    let path = period(dir.path()).join("sums");
    let whole = fs::read(&path).unwrap();
    let reader = || Reader::open(&dir.path().join("audit")).unwrap();
    let counted = reader().usage_by_reading(&Filter::default()).unwrap();
    for rest in [&whole[..whole.len() - 1], &whole[..3], &whole[..20]] {
        fs::write(&path, [whole.as_slice(), rest].concat()).unwrap();
        assert_eq!(chapters(dir.path()).len(), 1);
        assert_eq!(reader().usage(&Filter::default()).unwrap(), counted);
        fs::write(&path, rest).unwrap();
        assert_eq!(chapters(dir.path()), []);
        assert_eq!(reader().usage(&Filter::default()).unwrap(), counted);
    }
}

#[test]
fn sums_that_cannot_be_written_cost_nothing_but_time() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), &Clock::at(NOON));
    let fault = Injected::new(&period(dir.path()).join("sums"), Act::Write, 28);
    for n in 1..=100 {
        stored(&store, call(n, 0, NOON));
    }
    assert_eq!(store.stats().failing, None);
    drop(fault);
    assert_eq!(chapters(dir.path()), [], "nor what would follow");
    let counted = store.reader().usage(&Filter::default()).unwrap();
    assert_eq!(counted.calls.all(), 100);
    store.close().unwrap();
}
