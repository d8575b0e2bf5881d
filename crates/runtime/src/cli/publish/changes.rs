//! What a version changes: the comparison of `tokenward diff` between the published policy and the new one.

use tokenward_compiler::analysis::{Analysis, Budget};
use tokenward_compiler::artifact;
use tokenward_fleet::manifest::Manifest;
use tokenward_pdp::compare::{Bound, Lines, Report, render_text};
use tokenward_pdp::config::Config;
use tokenward_pdp::side::Side;

use super::super::failure::Failure;
use crate::fleet::published::Published;

/// Describes what the compiled policy changes. What cannot be compared does not keep a version from being published: the text
/// says so.
pub(super) fn of(config: &Config, place: &Published, current: Option<&Manifest>, policy: &[u8]) -> String {
    let Some(current) = current else {
        return "the first version of the fleet\n".to_owned();
    };
    let before = match place.artifact(current) {
        Ok(before) => before,
        Err(error) => return format!("the changes are not known: {error}\n"),
    };
    compared(config, &before, policy)
        .unwrap_or_else(|error| format!("the changes are not known: {}\n", error.message()))
}

fn compared(config: &Config, before: &[u8], policy: &[u8]) -> Result<String, Failure> {
    let side = |name: &str, bytes: &[u8]| {
        let read = artifact::read(bytes, &config.artifact_signers()).map_err(Failure::trouble)?;
        Ok::<_, Failure>(Side::of_artifact(name.to_owned(), config.clone(), read.program))
    };
    let (old, new) = (
        side("the published version", before)?,
        side("the new version", policy)?,
    );
    let bound = Bound::new(&old, &new)?;
    let budget = Budget::new(Analysis::BUDGET);
    let mut lines = Lines::new(&bound, &budget)?;
    let mut report = Report::new((&old, &new), (&bound, &mut lines), &budget, |_, _| {})?;
    report.explain(&mut lines, &new);
    Ok(render_text::render(&report))
}
