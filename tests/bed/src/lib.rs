//! Runs programs in tests: once to their end ([`Invocation::run`]), or beside the test ([`Invocation::start`]).
//!
//! It depends on no other crate of the workspace. So the tests of the `tokenward` command and the tests that cross crates can
//! both use it.
//!
//! ```
//! use tokenward_testbed::Invocation;
//!
//! let ran = Invocation::new("echo", std::env::temp_dir()).arguments(&["{\"n\": 1}"]).run();
//! assert_eq!(ran.json()[0]["n"], 1);
//! ```
//!
//! A helper that fails panics, and so fails the test that called it.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test bed: a helper that fails, fails its test"
)]

mod invocation;
mod ports;
mod ran;
mod running;
mod stopwatch;

pub use invocation::Invocation;
pub use ports::free_ports;
pub use ran::Ran;
pub use running::Running;
pub use stopwatch::Stopwatch;

use std::time::{Duration, Instant};

/// How long a condition may take before a test gives up on it. Generous, since only a failure reaches it, and a machine may be
/// busy with much else.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until `ready` gives something.
///
/// # Panics
/// It does not within [`PATIENCE`]; `what` says what was awaited.
pub fn eventually<T>(what: &str, mut ready: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(value) = ready() {
            return value;
        }
        assert!(Instant::now() < end, "{what}: not within {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
