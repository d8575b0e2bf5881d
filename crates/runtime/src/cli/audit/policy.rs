//! The current policy, for comparison with the audit.

use std::collections::HashMap;

use tokenward_compiler::ir::{Line, Program};
use tokenward_compiler::source::{Links, SourceSet};
use tokenward_pdp::config::Config;

use crate::live::unbound_artifact;

/// Loads the configuration's policy.
///
/// # Errors
/// The policy cannot be read; the text describes why.
pub(super) fn program(config: &Config) -> Result<Program, String> {
    let place = &config.policies;
    if place.is_file() {
        return unbound_artifact(place, &config.artifact_signers()).map_err(|error| error.to_string());
    }
    let sources = SourceSet::read_dir(place, Links::WithinDirectory).map_err(|error| error.to_string())?;
    let compiled = tokenward_compiler::compile(&sources).program;
    compiled.ok_or_else(|| format!("the policy in `{}` does not compile", place.display()))
}

/// Lists every line that a token has, each once, in the order of files.
pub(super) fn lines(program: &Program) -> Vec<Line<'_>> {
    let of_tokens = program
        .tokens()
        .flat_map(|(id, _)| program.lines_of(id).map(|(_, line)| line));
    let mut lines: Vec<Line<'_>> = of_tokens.collect();
    lines.sort_by(|a, b| (a.file, a.number).cmp(&(b.file, b.number)));
    lines.dedup_by(|a, b| (a.file, a.number) == (b.file, b.number));
    lines
}

/// Maps the digest of each line of the policy to its text.
pub(super) fn texts(program: &Program) -> HashMap<String, &str> {
    let lines = lines(program).into_iter();
    lines.map(|line| (line.digest.to_string(), line.text)).collect()
}
