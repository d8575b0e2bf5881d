//! `tokenward demo`: all of it, with nothing to set up.

use super::failure::Failure;

/// See it work
///
/// Starts a small issue tracker that stands in for Jira, the proxy before it with example policies, and prints calls
/// to try from another terminal, each with what it will do. Everything is in ./.tokenward-demo: edit the policies
/// there while it runs.
#[derive(clap::Args)]
pub(super) struct Args {
    /// The proxy's port; the admin listener and the sample take the next two; 0 takes free ones
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Make all the printed calls, compare the answers with what is said of them, and stop
    #[arg(long)]
    check: bool,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    crate::demo::run(args.port, args.check)
}
