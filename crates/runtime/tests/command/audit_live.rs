//! `tokenward audit` beside a running proxy, as a user sees it.
use std::fs;
use std::io::BufRead as _;

use tempfile::TempDir;

use crate::proxy::{call, listening, serve};
use crate::tokenward::tokenward;

#[test]
fn a_tail_of_a_status_shows_new_calls_until_the_proxy_stops() {
    let directory = TempDir::new().unwrap();
    let root = directory.path();
    let (address, tables) = listening();
    fs::create_dir(root.join("policies")).unwrap();
    fs::write(root.join("policies/none.toml"), "").unwrap();
    fs::write(root.join("tokenward.toml"), tables).unwrap();
    let mut serving = serve(root);
    call(address, "/rest/earlier");
    let mut tail = tokenward(root, &["audit", "tail", "--status", "401", "--json"]).start();
    let mut lines = tail.out().lines();
    let mut next = || lines.next().unwrap().unwrap();
    assert!(next().contains("/rest/earlier"));
    call(address, "/rest/later");
    let later = next();
    assert!(
        later.contains("/rest/later") && later.contains("\"status\":401"),
        "{later}"
    );
    serving.stop();
    let ended = tail.wait();
    assert_eq!((ended.code, ended.err.as_str()), (0, "The proxy stopped.\n"));
}
