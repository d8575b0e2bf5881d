//! A fleet's proxy whose clock is wrong: the clock of the system is shifted for one process.

use std::fs;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::process::Command;

use tokenward_audit::{Config, Event, Store};
use tokenward_testbed::{Invocation, Running, eventually};

use super::Fleet;
use crate::tokenward::{run, succeed, tokenward};

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

/// Shifts `CLOCK_REALTIME` by the seconds in a mapped file, and no other clock.
const SHIFT: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

static volatile long long *shift;
static int (*real)(clockid_t, struct timespec *);

__attribute__((constructor)) static void begin(void) {
    real = dlsym(RTLD_NEXT, "clock_gettime");
    int file = open(getenv("CLOCK_SHIFT"), O_RDONLY);
    void *mapped = mmap(0, 8, PROT_READ, MAP_SHARED, file, 0);
    if (mapped != MAP_FAILED) shift = mapped;
}

int clock_gettime(clockid_t clock, struct timespec *time) {
    if (!real) begin();
    int result = real(clock, time);
    if (!result && clock == CLOCK_REALTIME && shift) time->tv_sec += *shift;
    return result;
}
"#;

impl Fleet {
    /// Makes the library that shifts the clock.
    fn with_shifted_clock() -> Self {
        let fleet = Self::new();
        fs::write(fleet.path("shift.c"), SHIFT).unwrap();
        let compiled = Command::new("cc")
            .current_dir(fleet.root())
            .args(["-shared", "-fPIC", "-o", "shift.so", "shift.c", "-ldl"])
            .status()
            .unwrap();
        assert!(compiled.success());
        fs::write(fleet.path("shift"), [0; 8]).unwrap();
        fleet
    }

    /// Sets the clock of the proxy, also while it runs.
    fn shift(&self, seconds: i64) {
        let mut file = fs::OpenOptions::new()
            .write(true)
            .open(self.path("shift"))
            .unwrap();
        file.seek(SeekFrom::Start(0)).unwrap();
        file.write_all(&seconds.to_ne_bytes()).unwrap();
    }

    fn shifted(&self) -> Invocation {
        let (library, shift) = (self.path("shift.so"), self.path("shift"));
        tokenward(self.root(), &["serve"]).environment(&[
            ("LD_PRELOAD", library.to_str().unwrap()),
            ("CLOCK_SHIFT", shift.to_str().unwrap()),
        ])
    }

    fn start_shifted(&self) -> Running {
        let process = self.shifted().start();
        self.call("x");
        process
    }

    /// Number of marks in the audit.
    fn marks(&self) -> usize {
        let events = succeed(self.root(), &["audit", "events", "--json"]);
        events.lines().filter(|line| line.contains("fleet-mark")).count()
    }

    fn is_stale(&self) {
        eventually("calls are refused", || {
            (self.call("a") == "fleet-stale").then_some(())
        });
    }
}

#[test]
fn an_expired_manifest_refuses_calls_unless_a_setting_says_otherwise() {
    let fleet = Fleet::with_shifted_clock();
    fleet.publish("out", &["--expires", "2h"]);
    let mut proxy = fleet.start_shifted();
    assert!(fleet.allows("a"));
    fleet.shift(3 * HOUR);
    fleet.is_stale();
    let health = run(fleet.root(), &["fleet", "status"]);
    health.ends(1, &[]);
    assert!(
        health.out.contains("expired, all calls are refused"),
        "{}",
        health.out
    );
    // The same policy again, as the next version.
    fleet.publish("out", &[]);
    fleet.takes(2);
    assert!(fleet.allows("a"));
    proxy.stop();
    // A restart with an expired manifest answers, and refuses.
    let fleet = Fleet::with_shifted_clock();
    fleet.publish("out", &["--expires", "2h"]);
    let mut proxy = fleet.start_shifted();
    fleet.takes(1);
    fleet.shift(3 * HOUR);
    fleet.is_stale();
    proxy.stop();
    let mut proxy = fleet.start_shifted();
    assert_eq!(fleet.call("a"), "fleet-stale");
    proxy.stop();
    fleet.configure(&["one"], "on_expired = 'serve'\n");
    let mut proxy = fleet.start_shifted();
    assert!(fleet.allows("a"));
    proxy.stop();
}

#[test]
fn a_clock_a_day_ahead_and_back_serves_nothing_that_expired() {
    let fleet = Fleet::with_shifted_clock();
    fleet.publish("out", &["--expires", "2h"]);
    let mut proxy = fleet.start_shifted();
    assert!(fleet.allows("a"));
    let before = fleet.marks();
    fleet.shift(DAY);
    fleet.is_stale();
    eventually("the end is noted", || (fleet.marks() > before).then_some(()));
    fleet.shift(0);
    assert_eq!(fleet.call("a"), "fleet-stale");
    // A version that ends before the time that was reached is not taken, and a later one is.
    fleet.publish("out", &["--expires", "3h"]);
    fleet.refuses("version 2 expired", 1);
    assert_eq!(fleet.call("a"), "fleet-stale");
    proxy.stop();
    // Nor after a restart, even with a clock that is a day behind.
    for shift in [0, -DAY] {
        fleet.shift(shift);
        let mut proxy = fleet.start_shifted();
        assert_eq!(fleet.call("a"), "fleet-stale");
        fleet.refuses("version 2 expired", 1);
        proxy.stop();
        let ran = proxy.wait();
        assert!(
            ran.err.contains("the clock is behind the last fleet mark"),
            "{}",
            ran.err
        );
    }
    fleet.publish("out", &["--expires", "3d"]);
    let mut proxy = fleet.start_shifted();
    fleet.takes(3);
    assert!(fleet.allows("a"));
    fleet.shift(0);
    assert!(fleet.allows("a"));
    proxy.stop();
    succeed(fleet.root(), &["audit", "verify"]);
}

#[test]
fn the_end_of_a_version_is_noted_in_the_chain() {
    let fleet = Fleet::with_shifted_clock();
    fleet.publish("out", &["--expires", "2h"]);
    let mut proxy = fleet.start_shifted();
    let expires = fleet.status().1["expires_s"].as_i64().unwrap();
    let before = fleet.marks();
    fleet.shift(3 * HOUR);
    eventually("another mark", || (fleet.marks() > before).then_some(()));
    proxy.stop();
    let store = Store::open(Config::at(fleet.store())).unwrap();
    let Some(Event::FleetMark { time_ms, .. }) = store.last_fleet_mark().unwrap() else {
        panic!("no mark")
    };
    assert!(time_ms >= expires * 1_000, "{time_ms} {expires}");
    store.close().unwrap();
}

#[test]
fn a_proxy_whose_clock_is_behind_takes_no_manifest_of_the_future_until_its_clock_is_right() {
    let fleet = Fleet::with_shifted_clock();
    fleet.publish("out", &["--expires", "2h"]);
    fleet.shift(-2 * HOUR);
    let ran = fleet.shifted().run();
    ran.ends(
        3,
        &["version 1 was issued more than an hour after the present time"],
    );
    fleet.shift(0);
    let mut proxy = fleet.start_shifted();
    fleet.takes(1);
    proxy.stop();
    // With a version, its issue bounds the clock. The next one is taken although the clock is behind by more.
    fleet.shift(-DAY);
    let mut proxy = fleet.start_shifted();
    assert!(fleet.allows("a"));
    fleet.allow("b");
    fleet.publish("out", &["--expires", "2h"]);
    fleet.takes(2);
    eventually("policy in force", || fleet.allows("b").then_some(()));
    proxy.stop();
    // A publisher whose clock is ahead moves the clock of nobody, and is heard when its time has come.
    fleet.shift(0);
    let mut proxy = fleet.start_shifted();
    let ahead = (jiff::Timestamp::now() + jiff::SignedDuration::from_mins(90)).to_string();
    let early = fleet.ahead(&ahead);
    assert_eq!(early.code, 0, "{}", early.err);
    run(fleet.root(), &["fleet", "verify"]).ends(1, &["more than an hour in the future"]);
    fleet.refuses("version 3 was issued more than an hour after", 2);
    assert!(fleet.allows("b"));
    fleet.shift(HOUR);
    fleet.takes(3);
    proxy.stop();
}

impl Fleet {
    /// Publishes a version as a publisher whose clock is ahead, at this time.
    fn ahead(&self, at: &str) -> tokenward_testbed::Ran {
        let (library, shift) = (self.path("shift.so"), self.path("publisher"));
        fs::write(&shift, (2 * HOUR).to_ne_bytes()).unwrap();
        tokenward(
            self.root(),
            &[
                "publish",
                "--to",
                "out",
                "--key",
                "one.key",
                "--expires",
                "7d",
                "--at",
                at,
            ],
        )
        .environment(&[
            ("LD_PRELOAD", library.to_str().unwrap()),
            ("CLOCK_SHIFT", shift.to_str().unwrap()),
        ])
        .run()
    }
}
