//! What the commands about the fleet's servers have in common.

use tokenward_engine::EngineError;
use tokenward_pdp::config::{Config, Fleet, FleetEngine};

use crate::cli::failure::Failure;

/// The fleet of a configuration, and its servers.
pub(in crate::cli) fn with_engine(config: &Config) -> Result<(&Fleet, &FleetEngine), Failure> {
    let fleet = config.fleet.as_ref();
    let both = fleet.and_then(|fleet| fleet.engine.as_ref().map(|engine| (fleet, engine)));
    both.ok_or_else(|| Failure::Usage("the configuration has no `servers` in [fleet]".to_owned()))
}

/// The failure that an error of the engine is.
pub(in crate::cli) fn of_engine(error: EngineError) -> Failure {
    match error {
        EngineError::Settings(_) | EngineError::Conflict(_) => Failure::Usage(error.to_string()),
        _ => Failure::trouble(error),
    }
}
