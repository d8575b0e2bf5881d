//! Computes under a configuration which operations tokens reach.

use tokenward_compiler::analysis::Budget;
use tokenward_compiler::reach::{Survey, survey};
use tokenward_pdp::config::Config;
use tokenward_pdp::config::universe::universe;
use tokenward_pdp::forwarded::proxied;

use super::super::ask::Policy;
use super::super::descriptions::catalogue;
use super::super::failure::Failure;
use super::super::progress::Progress;

/// The operations that tokens reach.
pub(super) fn surveyed(
    operations: &[&tokenward_openapi::Operation],
    (policy, token): (&Policy, Option<&str>),
    (config, budget): (&Config, &Budget),
) -> Result<Survey, Failure> {
    let tokens = match token {
        Some(name) => vec![policy.token(name)?],
        None => policy.tokens(),
    };
    let catalogue = catalogue(operations.iter().copied(), config)?;
    let proxied = proxied(config)?;
    let mut progress = Progress::new("tokens checked");
    let told = |done, of| progress.tell(done, of);
    let settings = (universe(config), Some(&proxied), budget);
    survey(&catalogue, (&policy.program, &tokens), settings, told).map_err(Failure::trouble)
}
