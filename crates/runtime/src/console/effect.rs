//! The effect of unsaved lines: requests that they newly allow or newly deny, against the token of the policy in force.

use std::sync::Arc;
use std::time::Duration;

use tokenward_compiler::analysis::Budget;
use tokenward_compiler::policy::Attributes;
use tokenward_console::views::effect::Effect;
use tokenward_console::views::parts::Place;
use tokenward_console::views::review::{Outcome, Witness};
use tokenward_pdp::compare::{Bound, Direction, Lines, Report, TokenReport};
use tokenward_pdp::config::Config;

use super::alone::{Alone, PlacedLine, Version};
use super::heavy::Means;
use super::operations::each_once;
use super::review;

/// Units of a proof about one token: people wait for it as they type.
const UNITS: u64 = 20_000;
/// Time after which what is not settled stays so.
pub(super) const LONGEST: Duration = Duration::from_secs(5);
/// Requests that are shown in each direction.
const SHOWN: usize = 6;

/// What a proof about one token may cost.
pub(super) fn budget(means: &Means) -> Budget {
    Budget::stopped_by(UNITS, Arc::clone(&means.stop))
}

/// Compares a token of the policy in force, if it has one, with the token as it would be.
///
/// # Errors
/// The reason why they cannot be compared.
pub(super) fn compared<T>(
    (old, new): (Option<&Alone>, &Alone),
    config: &Config,
    means: &Means,
    ask: impl FnOnce(&Report) -> T,
) -> Result<T, String> {
    // Nobody's lines are those of no program.
    let program = &old.unwrap_or(new).program;
    let failed = |error: tokenward_pdp::Unanswered| error.to_string();
    let bound = Bound::of_bound(program.clone(), new.program.clone(), config).map_err(failed)?;
    let mut lines = Lines::new(&bound, &budget(means)).map_err(failed)?;
    let name = &new.program.token(new.token).name;
    let ids = (old.map(|old| old.token), new.token);
    let mut report = Report::of_token(&mut lines, name, ids).map_err(failed)?;
    if let Some(names) = means.operations.names(config) {
        let named = report.name_operations(&bound, &*names, &budget(means));
        named.map_err(failed)?;
    }
    Ok(ask(&report))
}

/// A token: its attributes and its lines.
type Token<'t> = (&'t Attributes, Vec<PlacedLine>);

/// The effect of a token's new lines.
pub(super) fn of_lines((old, new): (Option<Token<'_>>, Token<'_>), config: &Config, means: &Means) -> Effect {
    found((old, new), config, means).unwrap_or_else(|why| unknown(&why))
}

fn found(
    (old, new): (Option<Token<'_>>, Token<'_>),
    config: &Config,
    means: &Means,
) -> Result<Effect, String> {
    let old = old.map(|old| Alone::new(Version::Old, old, config)).transpose()?;
    let new = Alone::new(Version::New, new, config)?;
    let shown = compared((old.as_ref(), &new), config, means, |report| {
        let token = report.tokens.first();
        token.map(|token| view(token, (old.as_ref(), &new)))
    });
    Ok(shown?.unwrap_or_default())
}

/// The effect could not be computed: it counts as more.
fn unknown(why: &str) -> Effect {
    Effect {
        result: Outcome::Open,
        open: vec![format!(
            "The effect was not computed: {}.",
            why.trim_end_matches('.')
        )],
        ..Effect::default()
    }
}

fn view(token: &TokenReport, sides: (Option<&Alone>, &Alone)) -> Effect {
    let shown = |direction: &Direction, is_allowed: bool| -> Vec<Witness> {
        let examples = direction.examples.iter().take(SHOWN);
        let witnesses = examples.map(|example| review::witness(example, is_allowed, sides.0.is_none()));
        witnesses.map(|witness| placed(witness, sides)).collect()
    };
    let count = |direction: &Direction| direction.examples.len().saturating_sub(SHOWN) as u64;
    let (allowed, denied) = (&token.newly_allowed, &token.newly_denied);
    Effect {
        result: review::outcome(token),
        is_new: sides.0.is_none(),
        witnesses: [shown(allowed, true), shown(denied, false)].concat(),
        more: count(allowed) + count(denied),
        operations: each_once(allowed.examples.iter().map(|example| &example.operations)),
        open: review::open_questions(token),
    }
}

/// The witness with lines where people find them.
fn placed(mut witness: Witness, (old, new): (Option<&Alone>, &Alone)) -> Witness {
    let lines = [&mut witness.allowed_by, &mut witness.nearest];
    for (place, line) in lines.into_iter().flatten() {
        let in_old = old.and_then(|old| old.place(&place.file, place.number));
        let known = in_old.or_else(|| new.place(&place.file, place.number));
        if let Some(known) = known {
            line.text.clone_from(&known.text);
            *place = Place {
                file: known.file.clone(),
                number: known.number,
            };
        }
    }
    witness
}
