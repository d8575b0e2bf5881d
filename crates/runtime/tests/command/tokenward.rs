//! Runs the `tokenward` command.

use std::path::Path;

use serde_json::Value;
use tokenward_testbed::{Invocation, Ran};

/// The binary that cargo built for these tests.
pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_tokenward");

/// `tokenward` in a directory with these arguments, to run with more environment or beside the test.
pub(crate) fn tokenward(directory: impl AsRef<Path>, arguments: &[&str]) -> Invocation {
    Invocation::new(BINARY, directory).arguments(arguments)
}

/// Runs `tokenward` to its end.
pub(crate) fn run(directory: impl AsRef<Path>, arguments: &[&str]) -> Ran {
    tokenward(directory, arguments).run()
}

/// Runs `tokenward`, which must succeed, and returns its standard output.
#[track_caller]
pub(crate) fn succeed(directory: impl AsRef<Path>, arguments: &[&str]) -> String {
    let ran = run(directory, arguments);
    assert_eq!(ran.code, 0, "{arguments:?}: {}{}", ran.out, ran.err);
    ran.out
}

/// Runs `tokenward`, which must succeed, and returns its standard output as one JSON value.
#[track_caller]
pub(crate) fn json(directory: impl AsRef<Path>, arguments: &[&str]) -> Value {
    serde_json::from_str(&succeed(directory, arguments)).expect("one JSON value")
}
