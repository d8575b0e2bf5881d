//! Checks of policies, with their progress, and with the comparison with a base.

use tokenward_compiler::analysis::Budget;
use tokenward_compiler::source::SourceSet;
use tokenward_pdp::Unanswered;
use tokenward_pdp::check::{Check, Compiled, Surroundings, Terms};
use tokenward_pdp::config::Config;

use super::super::descriptions::LazyNames;
use super::super::failure::Failure;
use super::super::progress::by_stage;
use super::super::time::now_ms;
use super::new_access::Base;

/// Compiles and checks a policy. `gate` contains the base, beyond which the policy may give nothing, the configuration with paths as
/// written, and the names of operations.
pub(super) fn checked(
    sources: &SourceSet,
    (config, budget): (&Config, &Budget),
    gate: Option<(&Base, Config, &LazyNames)>,
) -> Result<Compiled, Failure> {
    let terms = Terms {
        config,
        budget,
        now_ms: now_ms(),
        is_gated: gate.is_some(),
    };
    let mut check = Check::new(sources, terms, None, &mut by_stage())?;
    if let Some((base, config, names)) = gate {
        check.beyond(config, |new, given, diagnostics| {
            base.check(new, given, (budget, names), diagnostics)
        })?;
    }
    Ok(check.finish())
}

/// Checks a policy by itself, as at a time in milliseconds since 1970 UTC. Several checks under one configuration share `around`.
pub(in super::super) fn checked_alone(
    sources: &SourceSet,
    (config, budget): (&Config, &Budget),
    now_ms: i64,
    around: Option<&Surroundings>,
) -> Result<Compiled, Unanswered> {
    let terms = Terms {
        config,
        budget,
        now_ms,
        is_gated: false,
    };
    Ok(Check::new(sources, terms, around, &mut by_stage())?.finish())
}
