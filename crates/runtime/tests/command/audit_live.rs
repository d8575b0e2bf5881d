//! `tokenward audit` beside a running proxy, as a user sees it.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "what fails here fails the test"
)]

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::running::{Running, call, listening};

#[test]
fn a_tail_of_a_status_shows_new_calls_until_the_proxy_stops() {
    let directory = TempDir::new().unwrap();
    let root = directory.path();
    let (address, tables) = listening();
    fs::create_dir(root.join("policies")).unwrap();
    fs::write(root.join("policies/none.toml"), "").unwrap();
    fs::write(root.join("tokenward.toml"), tables).unwrap();
    let mut serving = Running::start(root, &["serve"]);
    call(address, "/rest/earlier");
    let mut tail = Command::new(env!("CARGO_BIN_EXE_tokenward"))
        .args(["audit", "tail", "--status", "401", "--json"])
        .current_dir(root)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(tail.stdout.take().unwrap()).lines();
    let mut next = || lines.next().unwrap().unwrap();
    assert!(next().contains("/rest/earlier"));
    call(address, "/rest/later");
    let later = next();
    assert!(
        later.contains("/rest/later") && later.contains("\"status\":401"),
        "{later}"
    );
    let stopped = Command::new("kill").arg(serving.0.id().to_string()).status();
    assert!(stopped.unwrap().success());
    assert!(serving.0.wait().unwrap().success());
    let mut said = String::new();
    tail.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(tail.wait().unwrap().code(), Some(0), "{said}");
    assert_eq!(said, "The proxy stopped.\n");
}
