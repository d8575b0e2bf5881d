//! A policy that changes while calls are under way.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokenward_tests::{Call, Client, Proxy, Setup, Stopwatch, TestToken, Upstream, eventually};

const ALWAYS: &str = "/rest/api/2/issue/KANBAN-1";
const SOMETIMES: &str = "/rest/api/2/project/KANBAN";
const NEVER: &str = "/rest/api/2/user";

fn narrow() -> TestToken {
    TestToken::new("ci", &["[get]/rest/api/2/issue/.*"])
}

fn wide() -> TestToken {
    narrow().limited_to(&["[get]/rest/api/2/issue/.*", "[get]/rest/api/2/project/.*"])
}

fn status(proxy: &Proxy, target: &str) -> u16 {
    Client::connect(proxy.port())
        .send(&Call::get(target).bearer(&narrow()))
        .status
}

#[test]
fn a_change_takes_effect_within_a_second() {
    let upstream = Upstream::start();
    let proxy = Proxy::start(&Setup::new(upstream.port()).token(&narrow()));
    assert_eq!(status(&proxy, SOMETIMES), 403);
    let watch = Stopwatch::with(&[proxy.id()]);
    proxy.replace_policy(&[&wide()]);
    eventually("the wider policy is live", || {
        (status(&proxy, SOMETIMES) == 200).then_some(())
    });
    let took = watch.took();
    assert!(took < Duration::from_secs(1), "{took:?}");
}

#[test]
fn a_broken_policy_keeps_the_old_one_and_says_so_yet_revokes() {
    let upstream = Upstream::start();
    let proxy = Proxy::start(&Setup::new(upstream.port()).token(&wide()));
    let quiet = proxy.log().len();
    proxy.replace_policy_text(&format!(
        "{}unknown_key = 1\n",
        wide().limited_to(&["[get](unclosed"]).entry()
    ));
    let said = eventually("the log says that the policy is broken", || {
        proxy
            .log()
            .get(quiet..)
            .filter(|new| new.contains("tokens.toml"))
            .map(str::to_owned)
    });
    assert_eq!(status(&proxy, SOMETIMES), 200, "{said}");
    assert_eq!(status(&proxy, NEVER), 403);

    proxy.replace_policy_text(&format!(
        "{}unknown_key = 1\n",
        wide().with("revoked = true").entry()
    ));
    let watch = Stopwatch::with(&[proxy.id()]);
    eventually("the revocation counts", || {
        (status(&proxy, ALWAYS) == 401).then_some(())
    });
    let took = watch.took();
    assert!(took < Duration::from_secs(1), "{took:?}");
}

#[test]
fn a_swapped_symlink_counts_as_a_change() {
    let upstream = Upstream::start();
    let proxy = Proxy::start(&Setup::new(upstream.port()).token(&narrow()));
    // As Kubernetes does it: policies/tokens.toml -> ..data/tokens.toml, ..data -> ..version, swapped by rename.
    let policies = proxy.directory().join("policies");
    let publish = |version: &str, token: &TestToken| {
        std::fs::create_dir(policies.join(version)).unwrap();
        std::fs::write(policies.join(version).join("tokens.toml"), token.entry()).unwrap();
        std::os::unix::fs::symlink(version, policies.join("..data_tmp")).unwrap();
        std::fs::rename(policies.join("..data_tmp"), policies.join("..data")).unwrap();
    };
    publish("..1", &narrow());
    std::os::unix::fs::symlink("..data/tokens.toml", policies.join("link")).unwrap();
    std::fs::rename(policies.join("link"), policies.join("tokens.toml")).unwrap();
    eventually("the first version is live", || {
        (status(&proxy, ALWAYS) == 200).then_some(())
    });
    assert_eq!(status(&proxy, SOMETIMES), 403);
    publish("..2", &wide());
    std::fs::remove_dir_all(policies.join("..1")).unwrap();
    eventually("the second version is live", || {
        (status(&proxy, SOMETIMES) == 200).then_some(())
    });
}

#[test]
fn no_call_is_refused_dropped_or_mistaken_by_reloads_under_load() {
    const CLIENTS: usize = 4;
    const RELOADS: usize = 40;
    let upstream = Upstream::start();
    let proxy = Proxy::start(&Setup::new(upstream.port()).token(&wide()));
    let done = AtomicBool::new(false);
    let calls = AtomicU64::new(0);
    let refused = AtomicU64::new(0);
    std::thread::scope(|scope| {
        let work = || {
            let mut client = Client::connect(proxy.port());
            while !done.load(Ordering::SeqCst) {
                for (target, fine) in [(ALWAYS, &[200][..]), (SOMETIMES, &[200, 403]), (NEVER, &[403])] {
                    let answer = client.send(&Call::get(target).bearer(&narrow()));
                    assert!(
                        fine.contains(&answer.status),
                        "{target}: {} {}",
                        answer.status,
                        answer.text()
                    );
                    if answer.status == 200 {
                        assert_eq!(
                            answer.text(),
                            format!("GET {target}\n"),
                            "the answer to this call"
                        );
                    } else if target == SOMETIMES {
                        refused.fetch_add(1, Ordering::SeqCst);
                    }
                    calls.fetch_add(1, Ordering::SeqCst);
                }
            }
        };
        let clients: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(work)).collect();
        for round in 0..RELOADS {
            proxy.replace_policy(&[&if round % 2 == 0 { narrow() } else { wide() }]);
            // Some calls of every round, so that rounds and calls overlap whatever the machine's speed.
            let after = calls.load(Ordering::SeqCst) + 30;
            eventually("calls go on", || {
                let stuck = clients.iter().any(std::thread::ScopedJoinHandle::is_finished);
                (stuck || calls.load(Ordering::SeqCst) >= after).then_some(())
            });
        }
        proxy.replace_policy(&[&narrow()]);
        eventually("the last policy is live", || {
            (status(&proxy, SOMETIMES) == 403).then_some(())
        });
        done.store(true, Ordering::SeqCst);
    });
    assert!(calls.load(Ordering::SeqCst) > 0);
    assert!(
        refused.load(Ordering::SeqCst) > 0,
        "no reload took effect while the clients called"
    );
}
