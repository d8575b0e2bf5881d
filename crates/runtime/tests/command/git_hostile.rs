//! A repository as an attacker would prepare it.

mod commands;
mod files;
mod objects;
mod places;
mod planted;
mod revisions;

use std::path::Path;

use crate::policy::token;
use crate::repository::Repository;
use crate::tokenward::tokenward;

/// The gate, and what it must say of a token that is new.
const GATE: [&str; 5] = ["compile", "--check", "--no-new-access", "HEAD", "policies"];

fn gate_fails(answer: &(i32, String)) {
    assert!(answer.0 == 1 && answer.1.contains("TW0301"), "{answer:?}");
}

/// Runs `tokenward` in the work tree: its exit code and all that it wrote.
fn answer(it: &Repository, arguments: &[&str]) -> (i32, String) {
    it.run(arguments).together()
}

/// As [`answer`], in any directory and with more environment.
fn answer_in(directory: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> (i32, String) {
    tokenward(directory, arguments)
        .environment(environment)
        .run()
        .together()
}

/// One commit on `main`: the token `t` may read `/rest/a`.
fn committed() -> Repository {
    let it = Repository::new();
    it.write("policies/t.toml", &token("t", "11", "", "[get]/rest/a"));
    it.commit("One");
    it
}
