//! Errors of a policy that compiles by itself, under the configuration with which it is served.

use std::collections::HashSet;

use tokenward_compiler::diagnostic::{Diagnostic, Severity, sort};
use tokenward_compiler::findings::{dead_here, dead_of_all};
use tokenward_compiler::ir::Program;
use tokenward_compiler::source::SourceSet;
use tokenward_compiler::{SourceMap, ceiling, seal};

use crate::Unanswered;
use crate::config::Config;
use crate::config::universe::{served, universe};
use crate::plural::plural;

/// Binds a program to a configuration.
pub fn bind(program: &Program, config: &Config) -> Result<Program, Unanswered> {
    let bound = program
        .bind(&config.upstream.public_url)
        .map_err(Unanswered::proof)?;
    Ok(bound.merging_body(config.upstream.product.merges()))
}

/// The errors of a policy of files: seals, limits of the configuration, and forbid lines without effect. Invariants are not proved
/// here. `known`: texts of forbid lines that are known to have an effect.
pub fn errors_of_sources(
    (sources, program, source_map): (&SourceSet, &Program, &SourceMap),
    config: &Config,
    known: &HashSet<&str>,
    now_ms: i64,
) -> Result<Vec<Diagnostic>, Unanswered> {
    let bound = bind(program, config)?;
    let mut errors = seal::report(&seal::faults(program, &config.mode), sources);
    let excesses = ceiling::excesses(program, &config.tokens.ceiling(), now_ms);
    errors.extend(ceiling::report(&excesses, sources));
    let settings = (universe(config), &served(config));
    errors.extend(dead_of_all(&bound, source_map, settings, known));
    errors.retain(|found| found.severity == Severity::Error);
    sort(&mut errors);
    // A line that several tokens include is in one place.
    errors.dedup_by(|one, other| one.code == other.code && one.primary.span == other.primary.span);
    Ok(errors)
}

/// The same errors of a compiled policy, in a clause that says how many there are and names the first; `None` if it has none.
pub fn errors_of_program(
    program: &Program,
    config: &Config,
    now_ms: i64,
) -> Result<Option<String>, Unanswered> {
    let bound = bind(program, config)?;
    let seals = seal::faults(program, &config.mode).into_iter();
    let seals = seals.map(|(token, fault)| format!("`{token}` {fault}"));
    let excesses = ceiling::excesses(program, &config.tokens.ceiling(), now_ms).into_iter();
    let excesses = excesses.map(|(token, excess)| format!("`{token}` {excess}"));
    let dead = dead_here(&bound, universe(config), &served(config)).into_iter();
    let dead = dead.map(|dead| format!("{}: {}", dead.place, dead.reason));
    let errors: Vec<String> = seals.chain(excesses).chain(dead).collect();
    Ok(errors.first().map(|first| {
        let count = errors.len();
        format!(
            "has {count} {} under its configuration, the first: {first}",
            plural(count, "error")
        )
    }))
}
