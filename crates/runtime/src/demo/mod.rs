//! `tokenward demo`: a sample upstream, example policies, the proxy and the audit in one process, and calls to try.

use std::path::Path;

use tokio::signal::unix::{SignalKind, signal};

use crate::cli::{Failure, print};

mod calls;
mod check;
mod home;
mod running;
mod sample;

use running::Demo;

/// Where the demo lives, so that its policies are at hand.
const PLACE: &str = ".tokenward-demo";

/// Runs the demo on `port` and the two that follow (0: free ones) until Ctrl-C. With `check`, instead, makes every call
/// that it would print and compares.
///
/// # Errors
/// A port or directory that cannot be had; in a check, an answer other than what was said.
pub(crate) fn run(port: u16, check: bool) -> Result<(), Failure> {
    if check {
        let directory = std::env::temp_dir().join(format!("tokenward-demo-{}", std::process::id()));
        let result = Demo::start(&directory, 0).and_then(|demo| {
            let result = check::run(&demo);
            result.and(demo.stop())
        });
        // What is left of a failed check is what its reader needs.
        if result.is_ok() {
            let _ = std::fs::remove_dir_all(&directory);
        }
        return result;
    }
    let demo = Demo::start(Path::new(PLACE), port)?;
    print(&calls::screen(&demo.home, &demo.base()))?;
    wait_for_the_end()?;
    print("\nStopping.\n")?;
    demo.stop()
}

/// Ctrl-C or SIGTERM.
fn wait_for_the_end() -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(Failure::trouble)?.block_on(async {
        let mut terminate = signal(SignalKind::terminate()).map_err(Failure::trouble)?;
        tokio::select! {
            pressed = tokio::signal::ctrl_c() => pressed.map_err(Failure::trouble),
            _ = terminate.recv() => Ok(()),
        }
    })
}
