//! Killed under load: every acknowledged record is there afterwards, and the chain holds.

#![expect(clippy::expect_used, reason = "a failed expectation is a test's way to fail")]

use std::collections::BTreeMap;
use std::io::BufRead as _;
use std::path::PathBuf;
use std::time::Duration;

use tokenward_audit::{Config, Filter, Page, Store};
use tokenward_testbed::{Invocation, Stopwatch};

/// The example `appender`, which Cargo builds with the tests, beside them.
fn appender() -> PathBuf {
    let mut path = std::env::current_exe().expect("a path");
    path.pop();
    path.pop();
    path.join("examples/appender")
}

#[test]
fn every_acknowledged_record_survives_a_kill() {
    let rounds: u64 = std::env::var("TOKENWARD_KILLS").map_or(10, |n| n.parse().expect("a number"));
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("audit");
    let config = Config {
        reserve_bytes: 0,
        ..Config::at(&path)
    };
    let mut acknowledged = BTreeMap::new();
    for round in 0..rounds {
        let mut appending = Invocation::new(appender(), dir.path())
            .arguments(&[path.as_os_str(), (round * 100_000_000).to_string().as_ref()])
            .start();
        let mut lines = appending.out().lines();
        // Killed in the midst of its work, each time elsewhere in it.
        let enough = 150 + round * 37 % 400;
        let mut count = 0;
        let mut keep = |line: String| {
            let (n, sequence) = line.split_once(' ').expect("two numbers");
            acknowledged.insert(
                sequence.parse::<u64>().expect("a place"),
                n.parse::<u64>().expect("a number"),
            );
        };
        while count < enough {
            keep(lines.next().expect("it goes on").expect("a line"));
            count += 1;
        }
        appending.kill();
        // What it had still said before.
        lines
            .map_while(Result::ok)
            .filter(|line| line.contains(' '))
            .for_each(&mut keep);

        let watch = Stopwatch::start();
        let store = Store::open(config.clone()).expect("it opens");
        let took = watch.took();
        assert!(took < Duration::from_secs(1), "{took:?}");
        assert!(store.opened().warnings.is_empty(), "{:?}", store.opened());
        let verified = store.verify().expect("it can be read");
        assert!(verified.is_sound(), "round {round}: {:?}", verified.findings);
        let page = Page {
            limit: usize::MAX,
            newest_first: false,
            ..Page::default()
        };
        let entries = store.query(&Filter::default(), page).expect("it answers");
        let found: BTreeMap<u64, u64> = entries
            .iter()
            .map(|e| {
                let (n, _) = e.record.request_id.split_first_chunk::<8>().expect("eight bytes");
                (e.sequence.0, u64::from_le_bytes(*n))
            })
            .collect();
        for (sequence, n) in &acknowledged {
            assert_eq!(found.get(sequence), Some(n), "round {round}");
        }
        store.close().expect("it closes");
    }
}
