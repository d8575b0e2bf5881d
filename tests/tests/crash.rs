//! The proxy killed in the middle of its work: every call that reached the upstream has its record.
#![expect(
    clippy::expect_used,
    clippy::string_slice,
    reason = "a failed expectation is a test's way to fail"
)]

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokenward_audit::{Config, Filter, Page, Store};
use tokenward_tests::{Call, Client, Proxy, Setup, TestToken, Upstream, eventually};

const CLIENTS: usize = 6;

/// Rounds of kill and reopen; `TOKENWARD_CRASH_ROUNDS` asks for more.
fn rounds() -> u64 {
    std::env::var("TOKENWARD_CRASH_ROUNDS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(3)
}

fn recorded(directory: &std::path::Path) -> BTreeSet<String> {
    let store =
        Store::open(Config::at(directory.join(".tokenward/audit"))).expect("the store opens after a kill");
    let mut paths = BTreeSet::new();
    let mut after = None;
    loop {
        let page = Page {
            after,
            limit: 1000,
            newest_first: false,
            ..Page::default()
        };
        let entries = store.query(&Filter::default(), page).expect("the store answers");
        let Some(last) = entries.last() else { break };
        after = Some(last.sequence);
        paths.extend(entries.iter().filter_map(|entry| {
            entry
                .record
                .url
                .find("/rest/")
                .map(|at| entry.record.url[at..].to_owned())
        }));
    }
    store.close().expect("the store closes");
    paths
}

#[test]
fn a_kill_under_load_loses_no_record_of_a_forwarded_call() {
    let upstream = Upstream::start();
    let token = TestToken::new("all", &["/rest/api/2/issue/.*"]);
    let setup = Setup::new(upstream.port()).token(&token);
    let number = AtomicU64::new(0);
    let mut proxy = Proxy::start(&setup);
    for round in 1..=rounds() {
        let before = upstream.count();
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
            let enough = before + usize::try_from(40 * round).unwrap();
            eventually("calls arrive", || (upstream.count() >= enough).then_some(()));
            directory = Some(proxy.kill());
            done.store(true, Ordering::SeqCst);
        });
        let directory = directory.unwrap();
        let reached: BTreeSet<_> = upstream
            .seen()
            .into_iter()
            .map(|request| request.target)
            .collect();
        let missing: Vec<_> = reached.difference(&recorded(directory.path())).cloned().collect();
        assert!(
            missing.is_empty(),
            "round {round}: of {} calls these have no record: {missing:?}",
            reached.len()
        );
        proxy = Proxy::start_in(&setup, directory);
    }
    let answer = Client::connect(proxy.port()).send(&Call::get("/rest/api/2/issue/after").bearer(&token));
    assert_eq!(answer.status, 200, "it serves after the kills");
}
