//! `tokenward demo`: a sample upstream, example policies, the proxy and the audit in one process, and calls to try.

use std::path::Path;

use tokio::signal::unix::{SignalKind, signal};

use super::failure::Failure;
use super::output::print;

mod calls;
mod check;
mod home;
mod running;
mod sample;

use running::Demo;

/// Directory of the demo, in the working directory so that its policies are easy to find.
const PLACE: &str = ".tokenward-demo";

/// Run a demo with a sample API and example policies
///
/// Starts a small issue tracker in place of Jira, and the proxy in front of it with example policies. Makes some calls, so that
/// the console shows them, and prints the address of the console. Prints the calls too, each with its expected result, so that
/// you can make them from another terminal.
///
/// All files are in ./.tokenward-demo. You can edit the policies while the demo is running.
#[derive(clap::Args)]
pub(super) struct Args {
    /// Port of the proxy; the admin listener and the sample API use the next two; 0 selects free ports
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Make all printed calls, compare each answer with the expected one, and exit
    #[arg(long)]
    check: bool,
}

/// Runs the demo on `port` and the next two ports (0: free ones) until Ctrl-C. With `check`, it makes every call that
/// it would print, and compares the responses.
///
/// # Errors
/// A port or directory is not available; in a check, a response was not the expected one.
pub(super) fn run(args: &Args) -> Result<(), Failure> {
    if args.check {
        let directory = std::env::temp_dir().join(format!("tokenward-demo-{}", std::process::id()));
        let result = Demo::start(&directory, 0).and_then(|demo| {
            let result = check::run(&demo);
            result.and(demo.stop())
        });
        // The directory of a failed check is kept for inspection.
        if result.is_ok() {
            let _ = std::fs::remove_dir_all(&directory);
        }
        return result;
    }
    let demo = Demo::start(Path::new(PLACE), args.port)?;
    // The console shows real calls from the start.
    check::make_calls(&demo)?;
    print(&calls::screen(&demo.home, &demo.base(), &demo.console()))?;
    wait_for_the_end()?;
    print("\nStopping.\n")?;
    demo.stop()
}

/// Waits for Ctrl-C or SIGTERM.
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
