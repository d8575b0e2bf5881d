//! `tokenward fleet`: the state of a proxy in its fleet, and checks of what was published.

mod rewind;
mod status;
mod verify;

use clap::Subcommand;

use super::failure::Failure;

/// Check what was published to a fleet, and the state of this proxy in it
///
/// docs/fleet.md describes fleets: several proxies that load one signed policy.
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    Status(status::Args),
    Verify(verify::Args),
    Rewind(rewind::Args),
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    match &args.action {
        Action::Status(args) => status::run(args),
        Action::Verify(args) => verify::run(args),
        Action::Rewind(args) => rewind::run(args),
    }
}
