//! Attacks on the files and clocks of a fleet, and accidents that look like them.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::PathBuf;
use std::process::Command;

use tokenward_audit::{Config, Event, Store};

use super::{Fleet, write_private};
use crate::tokenward::{run, succeed};

impl Fleet {
    /// The files of the proxy, by name, with their content.
    fn files(&self) -> Vec<(String, Vec<u8>)> {
        let mut files: Vec<_> = fs::read_dir(self.state())
            .unwrap()
            .map(|entry| entry.unwrap())
            .map(|entry| {
                let name = entry.file_name().to_string_lossy().into_owned();
                (name, fs::read(entry.path()).unwrap())
            })
            .collect();
        files.sort();
        files
    }

    fn state(&self) -> PathBuf {
        self.mark().parent().unwrap().to_owned()
    }

    /// The audit store of the proxy.
    pub(super) fn store(&self) -> PathBuf {
        self.state().with_extension("")
    }
}

#[test]
fn a_start_that_is_refused_leaves_the_stored_version_alone() {
    let fleet = Fleet::new();
    fleet.publish("out", &[]);
    fleet.publish("old", &[]);
    let mut proxy = fleet.start();
    fleet.allow("b");
    fleet.publish("out", &[]);
    fleet.takes(2);
    proxy.stop();
    // The mark is deleted, and the source rolled back.
    let (mark, before) = (fs::read(fleet.mark()).unwrap(), fleet.files());
    let place = fleet.mark();
    fs::remove_file(&place).unwrap();
    fs::rename(fleet.path("out"), fleet.path("new")).unwrap();
    fs::rename(fleet.path("old"), fleet.path("out")).unwrap();
    for _ in 0..2 {
        run(fleet.root(), &["serve"]).ends(3, &["the mark file is missing"]);
    }
    write_private(&place, &mark);
    assert_eq!(fleet.files(), before);
    // With the mark back, the stored version serves, although the source has only the old one.
    let mut proxy = fleet.start();
    assert!(fleet.allows("b") && !fleet.allows("a"));
    fleet.refuses("version 1 is lower than version 2", 2);
    proxy.stop();
}

#[test]
fn a_second_proxy_with_the_same_store_changes_no_file_of_the_first() {
    let fleet = Fleet::new();
    fleet.publish("out", &[]);
    let mut proxy = fleet.start();
    fleet.takes(1);
    let before = fleet.files();
    // Another source with a higher version, other ports, a key that forgets the stored version, and the same store.
    fleet.allow("b");
    fleet.publish("elsewhere", &["--key", "two.key", "--version", "2"]);
    let original = fs::read_to_string(fleet.path("tokenward.toml")).unwrap();
    fleet.configure(&["two"], "");
    let changed = fs::read_to_string(fleet.path("tokenward.toml")).unwrap();
    let (_, tables) = crate::proxy::listening();
    let changed = changed
        .replace(&fleet.tables, &tables)
        .replace("'out'", "'elsewhere'");
    fs::write(fleet.path("second.toml"), changed).unwrap();
    fs::write(fleet.path("tokenward.toml"), original).unwrap();
    let second = run(fleet.root(), &["serve", "--config", "second.toml"]);
    assert_eq!(second.code, 3, "{}{}", second.out, second.err);
    assert_eq!(fleet.files(), before);
    assert!(fleet.allows("a") && !fleet.allows("b"));
    fleet.publish("out", &[]);
    fleet.takes(2);
    proxy.stop();
}

#[test]
fn a_clock_that_was_set_back_while_the_proxy_was_down_makes_nothing_valid_again() {
    let fleet = Fleet::new();
    fleet.publish("out", &[]);
    let mut proxy = fleet.start();
    assert!(fleet.allows("a"));
    proxy.stop();
    // The chain has a time after the end of the version, so this start's clock is behind.
    let late = jiff::Timestamp::now().as_millisecond() + 30 * 86_400_000;
    let store = Store::open(Config::at(fleet.store())).unwrap();
    let Some(Event::FleetMark {
        fleet: name,
        version,
        manifest,
        ..
    }) = store.last_fleet_mark().unwrap()
    else {
        panic!("no mark")
    };
    let event = Event::FleetMark {
        time_ms: late,
        fleet: name,
        version,
        manifest,
        why: String::new(),
    };
    store.append_event(event).unwrap();
    store.close().unwrap();
    // Not once, and not again: the start before does not forget it.
    for _ in 0..2 {
        let mut proxy = fleet.start();
        assert_eq!(fleet.call("a"), "fleet-stale");
        proxy.stop();
    }
    succeed(fleet.root(), &["audit", "verify"]);
    // By hand, and chained.
    succeed(
        fleet.root(),
        &["fleet", "rewind", "0", "--why", "the clock was wrong"],
    );
    let mut proxy = fleet.start();
    assert!(fleet.allows("a"));
    proxy.stop();
}

#[test]
fn files_that_are_pipes_or_links_block_nothing_and_are_not_written_through() {
    let fleet = Fleet::new();
    fleet.publish("out", &[]);
    let mut proxy = fleet.start();
    fleet.takes(1);
    // A pipe in place of the manifest.
    fs::rename(fleet.path("out/manifest"), fleet.path("manifest.kept")).unwrap();
    let made = Command::new("mkfifo")
        .arg(fleet.path("out/manifest"))
        .status()
        .unwrap();
    assert!(made.success());
    fleet.refuses("is not a regular file", 1);
    run(fleet.root(), &["fleet", "verify"]).ends(3, &["is not a regular file"]);
    let checked = run(fleet.root(), &["config", "check"]);
    assert!(checked.out.contains("is not a regular file"), "{}", checked.out);
    fs::remove_file(fleet.path("out/manifest")).unwrap();
    // Links in the source are followed, as mounted volumes have them.
    symlink("../manifest.kept", fleet.path("out/manifest")).unwrap();
    fleet.takes(1);
    fs::remove_file(fleet.path("out/manifest")).unwrap();
    fs::rename(fleet.path("manifest.kept"), fleet.path("out/manifest")).unwrap();
    // What a crash or somebody else left at the place of a temporary file is replaced.
    fs::write(fleet.path("victim"), "kept").unwrap();
    for name in ["mark", "manifest.next", "policy.next.twp"] {
        symlink(fleet.path("victim"), fleet.state().join(format!("{name}.new"))).unwrap();
    }
    fleet.allow("b");
    fleet.publish("out", &[]);
    fleet.takes(2);
    assert_eq!(fs::read_to_string(fleet.path("victim")).unwrap(), "kept");
    // A directory that others can write to is not used.
    fs::set_permissions(fleet.state(), fs::Permissions::from_mode(0o777)).unwrap();
    fleet.allow("c");
    fleet.publish("out", &[]);
    fleet.refuses("other users can write to", 2);
    // The group of the process may, as in Kubernetes' volumes.
    fs::set_permissions(fleet.state(), fs::Permissions::from_mode(0o770)).unwrap();
    fleet.takes(3);
    proxy.stop();
    fs::set_permissions(fleet.state(), fs::Permissions::from_mode(0o757)).unwrap();
    run(fleet.root(), &["serve"]).ends(3, &["other users can write to", "mode 757"]);
    fs::set_permissions(fleet.state(), fs::Permissions::from_mode(0o700)).unwrap();
    // A pipe in place of the mark keeps nobody waiting.
    let mark = fleet.mark();
    fs::remove_file(&mark).unwrap();
    assert!(
        Command::new("mkfifo")
            .args(["-m", "600"])
            .arg(&mark)
            .status()
            .unwrap()
            .success()
    );
    run(fleet.root(), &["serve"]).ends(3, &["cannot read the fleet mark", "not a regular file"]);
}

#[test]
fn a_start_that_was_killed_leaves_nothing_that_the_next_one_cannot_use() {
    let fleet = Fleet::new();
    fleet.publish("out", &[]);
    let mut proxy = fleet.start();
    fleet.takes(1);
    proxy.stop();
    let right = fleet.files();
    let names: Vec<_> = right.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["manifest", "mark", "policy.twp"]);
    fs::rename(fleet.path("out"), fleet.path("gone")).unwrap();
    let state = fleet.state();
    let back = |name: &str, next: &str| fs::rename(state.join(name), state.join(next)).unwrap();
    // Before both files were in their places, and between them; with the policy of another start, and half of a file.
    for both in [true, false] {
        back("manifest", "manifest.next");
        if both {
            back("policy.twp", "policy.next.twp");
        }
        fs::write(state.join("start-1-1.twp"), "another start").unwrap();
        fs::write(state.join("mark.new"), "half").unwrap();
        let mut proxy = fleet.start();
        assert!(fleet.allows("a"));
        proxy.stop();
        let left: Vec<_> = fleet
            .files()
            .into_iter()
            .filter(|(name, _)| name != "mark.new")
            .collect();
        let left: Vec<_> = left
            .into_iter()
            .filter(|(name, _)| name != "manifest.next")
            .collect();
        assert_eq!(left, right, "{both}");
        for name in ["mark.new", "manifest.next"] {
            let _ = fs::remove_file(state.join(name));
        }
    }
}

#[test]
fn versions_that_no_proxy_would_take_replace_none() {
    let fleet = Fleet::new();
    let future = (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(30)).to_string();
    let early = fleet.try_publish("out", &["--at", &future]);
    early.ends(2, &["more than an hour in the future", "nothing was published"]);
    fleet.publish("out", &[]);
    let manifest = fs::read(fleet.path("out/manifest")).unwrap();
    let past = fleet.try_publish("out", &["--at", "2020-01-01", "--expires", "2020-01-02"]);
    past.ends(2, &["would have expired 2020-01-02", "nothing was published"]);
    assert_eq!(fs::read(fleet.path("out/manifest")).unwrap(), manifest);
    // A lost manifest is not a reason to begin with version 1 again.
    fs::remove_file(fleet.path("out/manifest")).unwrap();
    fleet
        .try_publish("out", &[])
        .ends(2, &["has compiled policies but no manifest"]);
    fleet.publish("out", &["--version", "2"]);
}
