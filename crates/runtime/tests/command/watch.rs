//! `tokenward compile --check --watch` while somebody edits the policy.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokenward_testbed::{Running, eventually};

use crate::policy::token;
use crate::tokenward::{run, tokenward};

const GOOD: &str = "[get]/rest/api/2/issue/A";
const WRONG: &str = "[gett]/rest/api/2/issue/A";

struct Watch {
    directory: TempDir,
    process: Running,
}

impl Watch {
    fn start(line: &str) -> Self {
        let directory = TempDir::new().unwrap();
        let path = directory.path();
        fs::create_dir(path.join("policies")).unwrap();
        fs::write(path.join("policies/ci.toml"), policy(line)).unwrap();
        fs::write(path.join("tokenward.toml"), configuration("policies")).unwrap();
        let log = File::create(path.join("log")).unwrap();
        let process = tokenward(path, &["compile", "--check", "--watch"]).start_with_log(log);
        Self { directory, process }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// How often findings were shown.
    fn shown(&self) -> usize {
        fs::read_to_string(self.path("log"))
            .unwrap()
            .matches("press Ctrl-C")
            .count()
    }

    /// Waits until the last findings that were shown have this text.
    fn shows(&self, text: &str) {
        eventually(text, || {
            let log = fs::read_to_string(self.path("log")).unwrap();
            let (_, last) = log.rsplit_once("have changed:").unwrap_or(("", &log));
            last.contains("press Ctrl-C").then_some(())?;
            last.contains(text).then_some(())
        });
    }

    /// Sends Ctrl-C, and gives the exit code.
    fn interrupt(&mut self) -> Option<i32> {
        let process = Pid::from_raw(i32::try_from(self.process.id()).unwrap()).unwrap();
        kill_process(process, Signal::INT).unwrap();
        eventually("the end", || self.process.ended()).code()
    }
}

fn policy(line: &str) -> String {
    token("ci", "11", "", line)
}

fn configuration(policies: &str) -> String {
    format!("policies = '{policies}'\n[upstream]\nurl = 'http://127.0.0.1:9'\n")
}

fn replace(path: &Path, text: &str) {
    let beside = path.with_extension("new");
    fs::write(&beside, text).unwrap();
    fs::rename(&beside, path).unwrap();
}

// A file that is written in place is empty for a moment, and a directory that is replaced is not there: their findings may be shown
// too. So the times are counted only where each change is one rename.
#[test]
fn each_change_is_checked_and_only_other_findings_are_shown() {
    let mut watch = Watch::start(GOOD);
    watch.shows("no findings");
    // An edit in place, and a file that is replaced.
    fs::write(watch.path("policies/ci.toml"), policy(WRONG)).unwrap();
    watch.shows("`gett`");
    replace(&watch.path("policies/ci.toml"), &policy(GOOD));
    watch.shows("no findings");
    // A directory that is replaced.
    fs::create_dir(watch.path("other")).unwrap();
    fs::write(watch.path("other/ci.toml"), policy(WRONG)).unwrap();
    fs::rename(watch.path("policies"), watch.path("old")).unwrap();
    fs::rename(watch.path("other"), watch.path("policies")).unwrap();
    watch.shows("`gett`");
    // Another directory by the configuration, and one with errors.
    replace(&watch.path("tokenward.toml"), &configuration("old"));
    watch.shows("no findings");
    replace(&watch.path("tokenward.toml"), "policies = 7\n");
    watch.shows("must be a string");
    replace(&watch.path("tokenward.toml"), &configuration("old"));
    watch.shows("no findings");
    // A change without other findings shows nothing: the next ones are those of another file.
    let shown = watch.shown();
    replace(
        &watch.path("old/ci.toml"),
        &format!("# a comment\n{}", policy(GOOD)),
    );
    fs::create_dir(watch.path("old/below")).unwrap();
    fs::write(watch.path("more.toml"), "[[token]\n").unwrap();
    fs::rename(watch.path("more.toml"), watch.path("old/below/more.toml")).unwrap();
    watch.shows("more.toml");
    assert_eq!(watch.shown(), shown + 1);
    assert_eq!(
        watch.interrupt(),
        Some(1),
        "the exit code is that of the last check"
    );
}

#[test]
fn ctrl_c_ends_a_good_check_with_success() {
    let mut watch = Watch::start(GOOD);
    watch.shows("no findings");
    assert_eq!(watch.interrupt(), Some(0));
}

#[test]
fn options_that_make_no_sense_with_watch_are_refused() {
    let directory = TempDir::new().unwrap();
    for arguments in [
        &["compile", "--watch"][..],
        &["compile", "--check", "--watch", "--json"],
        &["compile", "--check", "--watch", "--format", "sarif"],
        &[
            "compile",
            "--check",
            "--watch",
            "--baseline",
            "b",
            "--write-baseline",
        ],
    ] {
        assert_eq!(run(directory.path(), arguments).code, 2, "{arguments:?}");
    }
}
