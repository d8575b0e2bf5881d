//! Findings about the lines of a token together, each of them proved: see [`crate::analysis`]. One finding a file.
//!
//! Related lines are found first by how lines begin and by trying a request of each; only the rest is searched, within
//! a budget. Past it nothing is claimed, and what stays open is counted.

mod case;
mod covered_line;
mod dead_here;
mod empty_line;
mod equal_reach;
mod grounds;
mod idle_forbid;
mod near;
mod result;
mod search;
mod taken_back;
mod unusable;

use std::collections::HashSet;

use self::{case::Case, search::Search};
pub use self::{
    dead_here::{DeadLine, dead_here, dead_of_all},
    grounds::{Grounded, Grounds, rest_on_proofs},
    result::Findings,
    unusable::{Reserved, unusable},
};
use crate::{
    analysis::{Budget, Fault, Prover, Served, Universe},
    diagnostic::{Code, Diagnostic, sort},
    ir::Program,
    source_map::SourceMap,
};

/// Checks all tokens of a bound program. `known`: earlier findings, which are not repeated. `progress` receives the numbers
/// of tokens checked and of all tokens.
///
/// # Errors
/// A [`Fault`].
pub fn find<'p>(
    program: &'p Program,
    source_map: &'p SourceMap,
    known: &[Diagnostic],
    (universe, served, budget): (Universe, &'p Served, impl Into<Budget>),
    mut progress: impl FnMut(usize, usize),
) -> Result<Findings, Fault> {
    let budget: Budget = budget.into();
    // Lines that match no request by their form are known already, and not reported again.
    let never = known
        .iter()
        .filter(|finding| finding.code == Code::NeverMatches)
        .map(|finding| finding.primary.span);
    let mut search = Search {
        program,
        source_map,
        prover: Prover::new(universe, budget.clone())?,
        universe,
        served,
        endpoints: served.matcher()?,
        never: never.collect(),
        files: HashSet::new(),
        found: Findings::default(),
    };
    let tokens = program.tokens().count();
    let (mut reaches, mut was_spent) = (Vec::new(), false);
    for (done, (id, token)) in program.tokens().enumerate() {
        search.prover.begin_token();
        let before = search.prover.visited();
        let case = Case::new(program, source_map, id, token);
        let samples = search.samples(&case);
        // Checks in this order: a later one skips lines that an earlier one reported.
        let empty = empty_line::check(&mut search, &case, &samples);
        let covered = covered_line::check(&mut search, &case, &samples, &empty);
        taken_back::check(&mut search, &case, &samples, &empty);
        idle_forbid::check(&mut search, &case, &(&empty | &covered));
        search.files.extend(case.files());
        reaches.push((id, samples));
        let took = search.prover.visited() - before;
        if took > search.found.hardest.as_ref().map_or(0, |(_, most)| *most) {
            search.found.hardest = Some((token.name.clone(), took));
        }
        was_spent |= budget.is_spent();
        progress(done + 1, tokens);
    }
    // Tokens are compared once each has its samples, since a sample finds the candidates.
    equal_reach::check(&mut search, &reaches)?;
    search.found.visited = search.prover.visited();
    // Whatever was passed over past the budget is open, also what no question was asked about.
    if was_spent || budget.is_spent() {
        search.found.inconclusive = search.found.inconclusive.max(1);
    }
    search.found.allowed = source_map.allow(&mut search.found.diagnostics);
    sort(&mut search.found.diagnostics);
    Ok(search.found)
}
