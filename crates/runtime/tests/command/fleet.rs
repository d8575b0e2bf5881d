//! `tokenward publish`, `[fleet]` and `tokenward fleet`, with real proxies.

mod attacks;
mod clocks;
mod https;

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde_json::Value;
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use tokenward_testbed::{Ran, Running, eventually};

use crate::policy::EXPIRES;
use crate::proxy::{call_with, listening, serve};
use crate::tokenward::{run, succeed};

const SECRET: &str = "twd_abcdefghijklmnopqrstuvwxyz012345z592xh";

/// A fleet of one proxy, and its publisher, in one directory.
struct Fleet {
    directory: TempDir,
    address: SocketAddr,
    tables: String,
}

impl Fleet {
    /// Makes the keys `one` and `two`, and a configuration that accepts both.
    fn new() -> Self {
        let directory = TempDir::new().unwrap();
        let (address, tables) = listening();
        let fleet = Self {
            directory,
            address,
            tables,
        };
        fs::create_dir(fleet.path("policies")).unwrap();
        for name in ["one", "two", "stranger"] {
            let made = succeed(fleet.root(), &["keys", "new", "fleet", &format!("{name}.key")]);
            assert!(made.starts_with("[fleet]\npublic_keys = [\"ed25519:"), "{made}");
        }
        fleet.configure(&["one", "two"], "");
        fleet.allow("a");
        fleet
    }

    fn root(&self) -> &Path {
        self.directory.path()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root().join(name)
    }

    fn configure(&self, keys: &[&str], more: &str) {
        let public = |name: &&str| {
            let text = fs::read_to_string(self.path(&format!("{name}.key.pub"))).unwrap();
            format!("\"{}\"", text.trim())
        };
        let keys: Vec<String> = keys.iter().map(public).collect();
        let text = format!(
            "{}[fleet]\nname = 'main'\nsource = 'out'\npublic_keys = [{}]\npoll = '50ms'\n{more}",
            self.tables,
            keys.join(", ")
        );
        fs::write(self.path("tokenward.toml"), text).unwrap();
    }

    /// Writes a policy whose token may call `/rest/NAME`.
    fn allow(&self, name: &str) {
        let hash = hex::encode(Sha256::digest(SECRET));
        let text = format!(
            "[[token]]\nname = \"ci\"\nuser = \"svc\"\nsecret_hash = \"sha256:{hash}\"\n{EXPIRES}\nlimit_to = '''\n[get]/rest/{name}\n'''\n"
        );
        fs::write(self.path("policies/ci.toml"), text).unwrap();
    }

    /// Publishes to a directory, with the key `one` unless the arguments name another.
    fn try_publish(&self, to: &str, more: &[&str]) -> Ran {
        let mut arguments = vec!["publish", "--to", to];
        for (option, value) in [("--key", "one.key"), ("--expires", "7d")] {
            if !more.contains(&option) {
                arguments.extend([option, value]);
            }
        }
        arguments.extend(more);
        run(self.root(), &arguments)
    }

    #[track_caller]
    fn publish(&self, to: &str, more: &[&str]) -> String {
        let ran = self.try_publish(to, more);
        assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
        ran.out
    }

    /// Copies what was published elsewhere to the fleet's source; the manifest last.
    fn offer(&self, from: &str) {
        let mut names: Vec<_> = fs::read_dir(self.path(from))
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        names.sort_by_key(|name| name == "manifest");
        for name in names {
            fs::copy(self.path(from).join(&name), self.path("out").join(&name)).unwrap();
        }
    }

    fn start(&self) -> Running {
        let process = serve(self.root());
        self.call("x");
        process
    }

    /// The reason of the answer to a call of `/rest/NAME`; without one it was allowed, but there is no upstream.
    fn call(&self, name: &str) -> String {
        let answer = call_with(self.address, &format!("/rest/{name}"), &format!("svc:{SECRET}"));
        let body = answer.split("\r\n\r\n").nth(1).unwrap_or_default();
        let problem: Value = serde_json::from_str(body).expect(&answer);
        problem["reason"].as_str().expect(&answer).to_owned()
    }

    fn allows(&self, name: &str) -> bool {
        let reason = self.call(name);
        let is_allowed = reason == "upstream-unreachable";
        assert!(is_allowed || reason == "no-line", "{reason}");
        is_allowed
    }

    fn status(&self) -> (i32, Value) {
        let ran = run(self.root(), &["fleet", "status", "--json"]);
        let shown = format!("{}{}", ran.out, ran.err);
        let value = serde_json::from_str(&ran.out).expect(&shown);
        (ran.code, value)
    }

    fn takes(&self, version: u64) {
        eventually(&format!("version {version}"), || {
            let (code, status) = self.status();
            (status["version"] == version && code == 0).then_some(())
        });
    }

    /// Waits until the proxy refuses what is offered, for this reason, and checks that the version stays.
    fn refuses(&self, why: &str, stays: u64) {
        let mut last = Value::Null;
        let end = std::time::Instant::now() + tokenward_testbed::PATIENCE;
        loop {
            let (code, status) = self.status();
            if code == 1
                && status["not_taken"]
                    .as_str()
                    .is_some_and(|told| told.contains(why))
            {
                assert_eq!(status["version"], stays, "{status}");
                return;
            }
            last = if status == last { last } else { status };
            assert!(std::time::Instant::now() < end, "not refused for `{why}`: {last}");
        }
    }
}

#[test]
fn only_higher_versions_with_the_right_signature_and_content_are_taken() {
    let fleet = Fleet::new();
    let out = fleet.publish("out", &[]);
    assert!(out.contains("the first version of the fleet"), "{out}");
    assert!(
        out.contains("published to out as version 1 of the fleet main"),
        "{out}"
    );
    fleet.publish("old", &[]);
    let mut proxy = fleet.start();
    assert!(fleet.allows("a") && !fleet.allows("b"));
    fleet.takes(1);
    // The next version, and what it changes.
    fleet.allow("b");
    let out = fleet.publish("out", &[]);
    assert!(out.contains("as version 2 of"), "{out}");
    assert!(out.contains("newly allow") || out.contains("/rest/b"), "{out}");
    fleet.takes(2);
    eventually("policy in force", || fleet.allows("b").then_some(()));
    assert!(!fleet.allows("a"));
    // Rolled back.
    fleet.offer("old");
    fleet.refuses("version 1 is lower than version 2", 2);
    // The same version with another content.
    fleet.allow("c");
    fleet.publish("same", &["--version", "2"]);
    fleet.offer("same");
    fleet.refuses("version 2 has another content", 2);
    // Unsigned, and signed by a stranger.
    fleet.publish("next", &["--version", "3"]);
    let manifest = fs::read_to_string(fleet.path("next/manifest")).unwrap();
    let (unsigned, _) = manifest.split_once("signature ").unwrap();
    fs::write(fleet.path("out/manifest"), unsigned).unwrap();
    fleet.refuses("line 10 is not `signature ...`", 2);
    fs::write(
        fleet.path("out/manifest"),
        manifest.replace("version 3", "version 4"),
    )
    .unwrap();
    fleet.refuses("is wrong; the text was changed", 2);
    fs::write(fleet.path("none.toml"), "").unwrap();
    let stranger = [
        "--config",
        "none.toml",
        "--fleet",
        "main",
        "--key",
        "stranger.key",
    ];
    fleet.publish(
        "strange",
        &[&stranger[..], &["--version", "3", "policies"]].concat(),
    );
    fleet.offer("strange");
    fleet.refuses("which is not accepted here", 2);
    let other = [
        "--config",
        "none.toml",
        "--fleet",
        "other",
        "--version",
        "3",
        "policies",
    ];
    fleet.publish("other", &other);
    fleet.offer("other");
    fleet.refuses("is for the fleet `other`", 2);
    // Expired, and far ahead.
    let expired = ["--version", "3", "--at", "2020-01-01", "--expires", "2020-01-02"];
    fleet.publish("expired", &expired);
    fleet.offer("expired");
    fleet.refuses("version 3 expired", 2);
    fleet.publish("far", &["--version", "5000"]);
    fleet.offer("far");
    fleet.refuses("more than 1000 ahead", 2);
    // A truncated artifact, another one, none, and a pipe's worth of bytes in place of the manifest.
    let policies = || {
        fs::read_dir(fleet.path("next"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
    };
    let policy = policies()
        .find(|name| name.to_string_lossy().ends_with(".twp"))
        .unwrap();
    let bytes = fs::read(fleet.path("next").join(&policy)).unwrap();
    let at = fleet.path("out").join(&policy);
    fs::write(&at, &bytes[..bytes.len() - 1]).unwrap();
    fs::copy(fleet.path("next/manifest"), fleet.path("out/manifest")).unwrap();
    fleet.refuses("bytes, and not", 2);
    let mut other = bytes.clone();
    *other.last_mut().unwrap() ^= 1;
    fs::write(&at, &other).unwrap();
    fleet.refuses("its SHA-256 is", 2);
    fs::remove_file(&at).unwrap();
    fleet.refuses("cannot read the compiled policy", 2);
    fs::write(fleet.path("out/manifest"), vec![b'x'; 1 << 20]).unwrap();
    fleet.refuses("more than 1024 bytes", 2);
    assert!(fleet.allows("b") && !fleet.allows("c"), "what is in force stays");
    // The right one at last.
    fleet.offer("next");
    fleet.takes(3);
    eventually("policy in force", || fleet.allows("c").then_some(()));
    // A source that is gone and comes back.
    fs::rename(fleet.path("out"), fleet.path("gone")).unwrap();
    fleet.refuses("cannot read the fleet's manifest", 3);
    fs::rename(fleet.path("gone"), fleet.path("out")).unwrap();
    fleet.takes(3);
    proxy.stop();
    let verified = succeed(fleet.root(), &["audit", "verify"]);
    assert!(!verified.is_empty());
    let events = succeed(fleet.root(), &["audit", "events"]);
    assert!(
        events.contains("The mark of the fleet main is version 3"),
        "{events}"
    );
}

#[test]
fn a_deleted_or_older_mark_file_keeps_the_proxy_from_starting_until_it_is_rewound() {
    let fleet = Fleet::new();
    fleet.publish("out", &["--version", "7"]);
    let mut proxy = fleet.start();
    let first = fs::read(fleet.mark()).unwrap();
    fleet.allow("b");
    fleet.publish("out", &[]);
    fleet.takes(8);
    let running = run(fleet.root(), &["fleet", "rewind", "1", "--why", "x"]);
    running.ends(2, &["the proxy is running; stop it first"]);
    proxy.stop();
    let mark = fleet.mark();
    fs::remove_file(&mark).unwrap();
    let ran = run(fleet.root(), &["serve"]);
    ran.ends(
        3,
        &["the mark file is missing, but the audit's chain shows version 8"],
    );
    write_private(&mark, &first);
    let ran = run(fleet.root(), &["serve"]);
    ran.ends(
        3,
        &["the mark file has version 7, but the audit's chain shows version 8"],
    );
    fs::write(&mark, "torn").unwrap();
    let ran = run(fleet.root(), &["serve"]);
    ran.ends(3, &["is not a fleet mark"]);
    // By hand, and chained.
    let wrong = run(fleet.root(), &["fleet", "rewind", "9", "--why", "x"]);
    wrong.ends(2, &["a rewind only lowers it"]);
    let wrong = run(fleet.root(), &["fleet", "rewind", "7", "--why", " "]);
    wrong.ends(2, &["--why needs a text"]);
    succeed(
        fleet.root(),
        &["fleet", "rewind", "7", "--why", "the disk was lost"],
    );
    let mut proxy = fleet.start();
    fleet.takes(8);
    proxy.stop();
    let events = succeed(fleet.root(), &["audit", "events"]);
    assert!(
        events.contains("set back to version 7 by hand: the disk was lost"),
        "{events}"
    );
    succeed(fleet.root(), &["audit", "verify"]);
}

#[test]
fn a_crash_between_mark_and_effect_never_brings_an_old_version_back() {
    let fleet = Fleet::new();
    fleet.publish("out", &[]);
    let mut proxy = fleet.start();
    fleet.takes(1);
    let state = fleet.mark().parent().unwrap().to_owned();
    let old: Vec<Vec<u8>> = ["manifest", "policy.twp"]
        .map(|name| fs::read(state.join(name)).unwrap())
        .into();
    fleet.allow("b");
    fleet.publish("out", &[]);
    fleet.takes(2);
    proxy.kill();
    // As a crash leaves it: the mark of version 2, its files staged, and version 1 in place. The source is gone.
    for (name, old) in ["manifest", "policy.twp"].iter().zip(&old) {
        let next = if *name == "manifest" {
            "manifest.next"
        } else {
            "policy.next.twp"
        };
        fs::rename(state.join(name), state.join(next)).unwrap();
        fs::write(state.join(name), old).unwrap();
    }
    fs::rename(fleet.path("out"), fleet.path("gone")).unwrap();
    let mut proxy = fleet.start();
    eventually("version 2", || (fleet.status().1["version"] == 2).then_some(()));
    assert!(fleet.allows("b") && !fleet.allows("a"));
    proxy.kill();
    // Without the files of version 2 there is nothing that may be served.
    for (name, old) in ["manifest", "policy.twp"].iter().zip(&old) {
        fs::write(state.join(name), old).unwrap();
    }
    let ran = run(fleet.root(), &["serve"]);
    ran.ends(3, &["cannot read the fleet's manifest"]);
    // Killed at any moment while versions come, it never goes back.
    fs::rename(fleet.path("gone"), fleet.path("out")).unwrap();
    let mut served = 2;
    for round in 0..4 {
        let mut proxy = fleet.start();
        let version = eventually("a status", || fleet.status().1["version"].as_u64());
        assert!(version >= served, "round {round}: {version} after {served}");
        served = version;
        fleet.allow(&format!("round{round}"));
        fleet.publish("out", &[]);
        proxy.kill();
    }
    succeed(fleet.root(), &["audit", "verify"]);
}

#[test]
fn keys_change_while_both_are_accepted() {
    let fleet = Fleet::new();
    fleet.publish("out", &[]);
    let mut proxy = fleet.start();
    fleet.allow("b");
    fleet.publish("out", &["--key", "two.key"]);
    fleet.takes(2);
    proxy.stop();
    fleet.configure(&["two"], "");
    let mut proxy = fleet.start();
    fleet.takes(2);
    proxy.stop();
    let refused = fleet.try_publish("out", &[]);
    refused.ends(
        2,
        &["[fleet] public_keys does not list the public key of `one.key`"],
    );
}

#[test]
fn a_policy_that_this_proxy_does_not_admit_is_refused_before_the_mark() {
    let fleet = Fleet::new();
    fleet.publish("out", &[]);
    fleet.configure(&["one"], "[tokens]\nmax_body = '1KiB'\n");
    let mut proxy = fleet.start();
    let text = fs::read_to_string(fleet.path("policies/ci.toml")).unwrap();
    fs::write(
        fleet.path("policies/ci.toml"),
        text.replace("user = \"svc\"", "user = \"svc\"\nmax_body = \"2KiB\""),
    )
    .unwrap();
    fs::write(fleet.path("none.toml"), "").unwrap();
    fleet.publish(
        "next",
        &[
            "--config",
            "none.toml",
            "--fleet",
            "main",
            "--version",
            "2",
            "policies",
        ],
    );
    fleet.offer("next");
    fleet.refuses("version 2 cannot be used here", 1);
    let mark = fs::read_to_string(fleet.mark()).unwrap();
    assert!(mark.contains("version 1\n"), "{mark}");
    proxy.stop();
}

#[test]
fn a_changed_configuration_takes_a_later_version_or_does_not_start() {
    let fleet = Fleet::new();
    fleet.publish("out", &[]);
    let mut proxy = fleet.start();
    fleet.takes(1);
    proxy.stop();
    // Tokens need an end within a day now.
    fleet.configure(&["one"], "[tokens]\nmax_lifetime = '1d'\n");
    run(fleet.root(), &["serve"]).ends(1, &["since `ci`"]);
    let text = fs::read_to_string(fleet.path("policies/ci.toml")).unwrap();
    fs::write(
        fleet.path("policies/ci.toml"),
        text.replace(EXPIRES, "revoked = true"),
    )
    .unwrap();
    fleet.publish("out", &[]);
    let mut proxy = serve(fleet.root());
    crate::proxy::call(fleet.address, "/rest/a");
    fleet.takes(2);
    proxy.stop();
    // A proxy changes its fleet only by hand.
    let text = fs::read_to_string(fleet.path("tokenward.toml")).unwrap();
    fs::write(fleet.path("tokenward.toml"), text.replace("'main'", "'other'")).unwrap();
    run(fleet.root(), &["serve"]).ends(3, &["took manifests of the fleet `main` before"]);
    succeed(fleet.root(), &["fleet", "rewind", "0", "--why", "it moves"]);
    fleet.publish("elsewhere", &["--fleet", "other", "--version", "2000"]);
    fleet.offer("elsewhere");
    let mut proxy = serve(fleet.root());
    crate::proxy::call(fleet.address, "/rest/a");
    fleet.takes(2000);
    proxy.stop();
    succeed(fleet.root(), &["audit", "verify"]);
}

#[test]
fn equal_inputs_are_published_as_equal_bytes_and_once() {
    let fleet = Fleet::new();
    let times = ["--at", "2026-12-01", "--expires", "2090-01-01"];
    let wrong = fleet.try_publish("out", &times);
    wrong.ends(2, &["more than 366 days"]);
    let times = ["--at", "2026-12-01", "--expires", "2027-01-01", "--version", "1"];
    fleet.publish("out", &times);
    fleet.publish("again", &times);
    let read = |directory: &str| {
        let entries = fs::read_dir(fleet.path(directory)).unwrap();
        let mut files: Vec<_> = entries
            .map(|entry| entry.unwrap())
            .map(|entry| (entry.file_name(), fs::read(entry.path()).unwrap()))
            .collect();
        files.sort();
        files
    };
    assert_eq!(read("out"), read("again"));
    let out = fleet.publish("out", &times);
    assert!(out.contains("version 1 is published already"), "{out}");
    assert_eq!(read("out"), read("again"));
    // Another content under the same version, a lower one, a leap, and another fleet.
    fleet.allow("b");
    fleet
        .try_publish("out", &times)
        .ends(2, &["version 1 is published already"]);
    fleet.publish("out", &["--version", "5"]);
    fleet
        .try_publish("out", &["--version", "4"])
        .ends(2, &["so proxies refuse version 4"]);
    fleet
        .try_publish("out", &["--version", "1006"])
        .ends(2, &["more than 1000 ahead"]);
    fleet
        .try_publish("out", &["--version", "0"])
        .ends(2, &["so proxies refuse version 0"]);
    fleet
        .try_publish("out", &["--version", "x"])
        .ends(2, &["neither a number nor `next`"]);
    fleet
        .try_publish("out", &["--fleet", "other"])
        .ends(2, &["belongs to the fleet `main`"]);
    fleet
        .try_publish("out", &["--fleet", "Other"])
        .ends(2, &["cannot be the name of a fleet"]);
    fleet
        .try_publish("out", &["--expires", "2020-01-01"])
        .ends(2, &["is in the past"]);
    fleet
        .try_publish("https://fleet.example.com/out", &[])
        .ends(2, &["it must be a directory"]);
    // A key of another kind, and a policy with an error.
    succeed(fleet.root(), &["keys", "new", "artifact", "artifact.key"]);
    fleet
        .try_publish("out", &["--key", "artifact.key"])
        .ends(2, &["is not a fleet key"]);
    fs::write(fleet.path("policies/wrong.toml"), "[[token]]\nname = 'x'\n").unwrap();
    assert_eq!(fleet.try_publish("out", &[]).code, 1);
    assert!(
        fs::read_to_string(fleet.path("out/manifest"))
            .unwrap()
            .contains("\nversion 5\n")
    );
}

#[test]
fn two_publishers_never_write_one_version() {
    let fleet = Fleet::new();
    let published: Vec<Ran> = std::thread::scope(|scope| {
        let publishers: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| fleet.try_publish("out", &[])))
            .collect();
        publishers
            .into_iter()
            .map(|publisher| publisher.join().unwrap())
            .collect()
    });
    let mut versions = Vec::new();
    for ran in &published {
        if ran.code == 0 {
            let version = ran.out.split(" as version ").nth(1).unwrap();
            versions.push(version.split(' ').next().unwrap().to_owned());
        } else {
            ran.ends(3, &["another publisher is at work"]);
        }
    }
    versions.sort();
    let expected: Vec<String> = (1..=versions.len()).map(|version| version.to_string()).collect();
    assert!(!versions.is_empty());
    assert_eq!(versions, expected);
}

#[test]
fn verify_checks_what_was_published() {
    let fleet = Fleet::new();
    run(fleet.root(), &["fleet", "verify"]).ends(3, &["cannot read the fleet's manifest"]);
    fleet.publish("out", &[]);
    let out = succeed(fleet.root(), &["fleet", "verify"]);
    assert!(out.starts_with("version 1 of the fleet main: 1 tokens"), "{out}");
    let with = |key: &str| run(fleet.root(), &["fleet", "verify", "out", "--public-key", key]);
    assert_eq!(with("one.key.pub").code, 0);
    with("stranger.key.pub").ends(1, &["which is not accepted here"]);
    with("none.pub").ends(3, &["cannot read the public key"]);
    with("ed25519:12").ends(2, &["--public-key"]);
    fs::write(fleet.path("none.toml"), "").unwrap();
    run(fleet.root(), &["fleet", "verify", "--config", "none.toml", "out"]).ends(2, &["--public-key"]);
    let policy = fs::read_dir(fleet.path("out"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().is_some_and(|extension| extension == "twp"))
        .unwrap();
    fs::write(&policy, "x").unwrap();
    run(fleet.root(), &["fleet", "verify"]).ends(1, &["is not the compiled policy"]);
}

#[test]
fn the_section_is_checked() {
    let fleet = Fleet::new();
    let original = fs::read_to_string(fleet.path("tokenward.toml")).unwrap();
    for (from, to, why) in [
        (
            "name = 'main'",
            "name = 'Main'",
            "`name` must have 1 to 64 lower-case letters",
        ),
        ("name = 'main'\n", "", "`name` is required in [fleet]"),
        ("source = 'out'\n", "", "`source` is required in [fleet]"),
        (
            "source = 'out'",
            "source = 'http://fleet.example.com'",
            "must be a directory or an https:// URL",
        ),
        ("poll = '50ms'", "pol = '50ms'", "did you mean `poll`?"),
        ("poll = '50ms'", "on_expired = 'allow'", "`on_expired`"),
    ] {
        fs::write(fleet.path("tokenward.toml"), original.replace(from, to)).unwrap();
        run(fleet.root(), &["config", "check"]).ends(2, &[why]);
    }
    fs::write(fleet.path("tokenward.toml"), &original).unwrap();
    let checked = run(fleet.root(), &["config", "check"]);
    assert!(
        checked.out.contains("cannot read the fleet's manifest"),
        "{}",
        checked.out
    );
    fleet.publish("out", &[]);
    let checked = run(fleet.root(), &["config", "check"]);
    assert!(
        checked.out.contains("main: version 1, expires"),
        "{}",
        checked.out
    );
}

impl Fleet {
    /// The file with the mark.
    fn mark(&self) -> PathBuf {
        fn find(directory: &Path) -> Option<PathBuf> {
            fs::read_dir(directory).ok()?.flatten().find_map(|entry| {
                let path = entry.path();
                if path.is_dir() && path.extension().is_some_and(|extension| extension == "fleet") {
                    return Some(path.join("mark"));
                }
                path.is_dir().then(|| find(&path)).flatten()
            })
        }
        find(self.root()).unwrap()
    }
}

fn write_private(path: &Path, bytes: &[u8]) {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .unwrap();
    file.write_all(bytes).unwrap();
}
