//! Findings about the lines of a token together, each of them proved: see [`crate::analysis`]. One finding a file.
//!
//! What is related is found first by how lines begin and by trying a request of each; only what is left is searched, within
//! a budget. Past it nothing is claimed.

mod case;
mod covered_line;
mod empty_line;
mod equal_reach;
mod idle_forbid;
mod result;
mod search;
mod taken_back;

use std::collections::HashSet;

pub use self::result::Findings;
use self::{case::Case, search::Search};
use crate::{
    analysis::{Fault, Prover, Universe},
    diagnostic::{Code, Diagnostic, sort},
    ir::Program,
    source_map::SourceMap,
};

/// One question may take this part of the budget, and all together this many times the budget.
const SHARE: u64 = 10;

/// Checks all tokens of a bound program. `known`: what was found so far, which is not said again. `progress` is told how
/// many tokens of how many are done.
///
/// # Errors
/// A [`Fault`].
pub fn find(
    program: &Program,
    source_map: &SourceMap,
    known: &[Diagnostic],
    (universe, budget): (Universe, u64),
    mut progress: impl FnMut(usize, usize),
) -> Result<Findings, Fault> {
    let never = known
        .iter()
        .filter(|finding| finding.code == Code::NeverMatches)
        .map(|finding| finding.primary.span);
    let mut search = Search {
        program,
        source_map,
        prover: Prover::new(universe, budget / SHARE)?,
        limit: budget.saturating_mul(SHARE),
        never: never.collect(),
        files: HashSet::new(),
        found: Findings::default(),
    };
    let tokens = program.tokens().count();
    let mut reaches = Vec::new();
    for (done, (id, token)) in program.tokens().enumerate() {
        let before = search.prover.visited();
        let case = Case::new(program, source_map, id, token);
        let samples = search.samples(&case);
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
        progress(done + 1, tokens);
    }
    equal_reach::check(&mut search, &reaches)?;
    search.found.visited = search.prover.visited();
    source_map.allow(&mut search.found.diagnostics);
    sort(&mut search.found.diagnostics);
    Ok(search.found)
}
