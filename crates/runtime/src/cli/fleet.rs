//! `tokenward fleet`: the state of a proxy in its fleet, and checks of what was published.

mod check;
mod create;
mod rewind;
mod status;
mod verify;

use clap::Subcommand;

use tokenward_engine::EngineError;
use tokenward_pdp::config::{Config, Fleet, FleetEngine};

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

/// The fleet of a configuration, and its servers.
pub(super) fn with_engine(config: &Config) -> Result<(&Fleet, &FleetEngine), Failure> {
    let fleet = config.fleet.as_ref();
    let both = fleet.and_then(|fleet| fleet.engine.as_ref().map(|engine| (fleet, engine)));
    both.ok_or_else(|| Failure::Usage("the configuration has no `servers` in [fleet]".to_owned()))
}

/// The failure that an error of the engine is.
pub(super) fn of_engine(error: EngineError) -> Failure {
    match error {
        EngineError::Settings(_) | EngineError::Conflict(_) => Failure::Usage(error.to_string()),
        _ => Failure::trouble(error),
    }
}
