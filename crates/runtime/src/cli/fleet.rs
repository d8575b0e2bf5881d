//! `tokenward fleet`: the state of a proxy in its fleet, and checks of what was published.

mod check;
mod create;
mod engine;
mod rewind;
mod status;
mod verify;

use clap::Subcommand;

use super::failure::Failure;
pub(super) use engine::{of_engine, with_engine};

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
    Check(check::Args),
    Create(create::Args),
    Verify(verify::Args),
    Rewind(rewind::Args),
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    match &args.action {
        Action::Status(args) => status::run(args),
        Action::Check(args) => check::run(args),
        Action::Create(args) => create::run(args),
        Action::Verify(args) => verify::run(args),
        Action::Rewind(args) => rewind::run(args),
    }
}
