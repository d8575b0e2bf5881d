//! The proxy killed in the middle of its work: every call that reached the upstream has its record.
#![expect(
    clippy::expect_used,
    clippy::string_slice,
    reason = "a failed expectation is a test's way to fail"
)]

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokenward_audit::{Config, Filter, Page, Sequence, Store};
use tokenward_tests::{Call, Client, Proxy, Setup, Stopwatch, TestToken, Upstream, eventually};

const CLIENTS: usize = 6;

/// Rounds of kill and reopen; `TOKENWARD_CRASH_ROUNDS` asks for another number.
fn rounds() -> usize {
    let asked = std::env::var("TOKENWARD_CRASH_ROUNDS").ok();
    asked.and_then(|text| text.parse().ok()).unwrap_or(50)
}

/// What the store of a killed proxy has after the place `after`, in the form of the upstream's targets; with its last place,
/// and how long it took to open.
fn recorded(directory: &std::path::Path, mut after: Sequence) -> (BTreeSet<String>, Sequence, Duration) {
    let watch = Stopwatch::start();
    let store =
        Store::open(Config::at(directory.join(".tokenward/audit"))).expect("the store opens after a kill");
    let took = watch.took();
    assert!(store.opened().warnings.is_empty(), "{:?}", store.opened());
    let verified = store.verify().expect("the store can be read");
    assert!(verified.is_sound(), "{:?}", verified.findings);
    let mut targets = BTreeSet::new();
    loop {
        let page = Page {
            after: Some(after),
            limit: 1000,
            newest_first: false,
            ..Page::default()
        };
        let entries = store.query(&Filter::default(), page).expect("the store answers");
        let Some(last) = entries.last() else { break };
        after = last.sequence;
        targets.extend(entries.iter().filter_map(|entry| {
            let url = &entry.record.url;
            url.find("/rest/").map(|at| url[at..].to_owned())
        }));
    }
    store.close().expect("the store closes");
    (targets, after, took)
}

#[test]
fn a_kill_under_load_loses_no_record_of_a_forwarded_call() {
    let upstream = Upstream::start();
    let token = TestToken::new("all", &["/rest/api/2/issue/.*"]);
    let setup = Setup::new(upstream.port()).token(&token);
    let number = AtomicU64::new(0);
    let mut proxy = Proxy::start(&setup);
    let mut last = Sequence(0);
    let mut opening = Vec::new();
    let mut reached_before = 0;
    let mut found = BTreeSet::new();
    for round in 1..=rounds() {
        let done = AtomicBool::new(false);
        let mut directory = None;
        std::thread::scope(|scope| {
            for _ in 0..CLIENTS {
                let port = proxy.port();
                let (number, done, token) = (&number, &done, &token);
                scope.spawn(move || {
                    let mut client = Client::connect(port);
                    while !done.load(Ordering::SeqCst) {
                        let call = Call::get(&format!(
                            "/rest/api/2/issue/K-{}",
                            number.fetch_add(1, Ordering::SeqCst)
                        ));
                        match client.try_send(&call.bearer(token)) {
                            Ok(answer) => assert_eq!(answer.status, 200, "{}", answer.text()),
                            // The kill ends the connection.
                            Err(_) => return,
                        }
                    }
                });
            }
            // Each time elsewhere in its work.
            let enough = reached_before + 30 + round * 7 % 30;
            eventually("calls arrive", || (upstream.count() >= enough).then_some(()));
            directory = Some(proxy.kill());
            done.store(true, Ordering::SeqCst);
        });
        let directory = directory.unwrap();
        let seen = upstream.seen().into_iter().skip(reached_before);
        let reached: Vec<_> = seen.map(|request| request.target).collect();
        reached_before += reached.len();
        let (more, end, took) = recorded(directory.path(), last);
        // What was on its way when the proxy was killed may arrive in the next round.
        found.extend(more);
        last = end;
        opening.push(took);
        let missing: Vec<_> = reached.iter().filter(|target| !found.contains(*target)).collect();
        assert!(
            missing.is_empty(),
            "round {round}: of {} calls these have no record: {missing:?}",
            reached.len()
        );
        proxy = Proxy::start_in(&setup, directory);
    }
    let answer = Client::connect(proxy.port()).send(&Call::get("/rest/api/2/issue/after").bearer(&token));
    assert_eq!(answer.status, 200, "it serves after the kills");
    opening.sort_unstable();
    let (median, longest) = (opening[opening.len() / 2], opening[opening.len() - 1]);
    println!(
        "{} kills, {reached_before} forwarded calls, all recorded; the store opened in {median:?}, at most {longest:?}",
        opening.len()
    );
    assert!(median < Duration::from_secs(1), "{opening:?}");
}
