//! Signals to a running proxy.

use std::fs::{self, File};
use std::path::Path;

use rustix::process::{Pid, Signal, kill_process};
use tokenward_testbed::{Running, eventually};

use crate::policy::token;
use crate::proxy::listening;
use crate::tokenward::tokenward;

/// A proxy, and its log.
struct Proxy {
    directory: tempfile::TempDir,
    process: Running,
}

impl Proxy {
    fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        fs::create_dir(path.join("policies")).unwrap();
        write_policy(path, "one");
        let (_, tables) = listening();
        fs::write(path.join("tokenward.toml"), &tables).unwrap();
        let log = File::create(path.join("log")).unwrap();
        let process = tokenward(path, &["serve"]).start_with_log(log);
        let proxy = Self { directory, process };
        proxy.logs_after(0, "serving");
        proxy
    }

    fn log(&self) -> String {
        fs::read_to_string(self.directory.path().join("log")).unwrap()
    }

    fn logs_after(&self, from: usize, text: &str) -> String {
        eventually(text, || {
            let log = self.log();
            let line = log.get(from..)?.lines().find(|line| line.contains(text));
            line.map(str::to_owned)
        })
    }

    /// Sends SIGHUP, and waits until the log has a new line with this text.
    fn reloads(&self, text: &str) -> String {
        let from = self.log().len();
        let process = Pid::from_raw(i32::try_from(self.process.id()).unwrap()).unwrap();
        kill_process(process, Signal::HUP).unwrap();
        self.logs_after(from, text)
    }
}

fn write_policy(directory: &Path, name: &str) {
    let text = token(name, "01", "", "[get]/rest/x");
    fs::write(directory.join("policies/tokens.toml"), text).unwrap();
}

#[test]
fn sighup_reloads_the_policy_and_never_ends_the_process() {
    let mut proxy = Proxy::start();
    let line = proxy.reloads("policy unchanged");
    assert!(line.contains("tokens=1"), "{line}");
    let broken = proxy.directory.path().join("policies/broken.toml");
    fs::write(&broken, "[[token]]\nname = \"x\"\n").unwrap();
    // The failure is reported at each request, also if the files have not changed since.
    for _ in 0..2 {
        proxy.reloads("policy not replaced");
    }
    fs::remove_file(broken).unwrap();
    proxy.reloads("policy unchanged");
    let configuration = proxy.directory.path().join("tokenward.toml");
    let text = fs::read_to_string(&configuration).unwrap();
    fs::write(&configuration, format!("{text}[log]\nlevel = 'warn'\n")).unwrap();
    proxy.reloads("the configuration file has changed; restart the proxy");
    assert!(proxy.process.ended().is_none());
    proxy.process.stop();
}
