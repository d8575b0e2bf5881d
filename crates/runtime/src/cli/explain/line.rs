//! The smallest line that would allow a denied request, as a patch of the token's file. It is proposed only if the policy with it
//! compiles, keeps all invariants, and forwards the request.

use std::path::Path;

use serde::Serialize;
use tokenward_compiler::analysis::{Analysis, Budget};
use tokenward_compiler::closest::NewLine;
use tokenward_compiler::compile_within;
use tokenward_compiler::diagnostic::Severity;
use tokenward_pdp::config::Mode;
use tokenward_pdp::nearby::Read;
use tokenward_pdp::servable::bind;

use super::case::Case;
use crate::authoring::edit::{Change, Edit, Prepared};
use crate::authoring::proposal;
use crate::cli::checkout::Checkout;
use crate::cli::fmt::unified;
use crate::cli::time::now_ms;

/// A line to add to a token.
#[derive(Debug, Serialize)]
pub(super) struct Line {
    pub(super) text: String,
    /// The file of the token.
    pub(super) file: String,
    /// The parts in which the line allows more than the request; empty if it allows nothing else.
    pub(super) allows_also: Vec<String>,
    /// The change of the file, for `git apply`.
    pub(super) patch: String,
}

/// Proposes the narrowest line that allows the request.
///
/// # Errors
/// No line is proposed, for this reason.
pub(super) fn propose(case: &Case<'_>, read: &Read) -> Result<Line, String> {
    let narrowest = proposal::narrowest(case.judge, case.report, read)?;
    if matches!(case.config.mode, Mode::Secure(_)) {
        return Err(format!(
            "the lines of a token cannot be changed in secure mode; a new token would need the line {}",
            narrowest.text
        ));
    }
    if case.place.is_file() {
        return Err(format!(
            "`{}` is a compiled policy; add the line {} to its sources",
            case.place.display(),
            narrowest.text
        ));
    }
    let (prepared, before) = edited(case, &narrowest)?;
    check(case, &prepared, &narrowest)?;
    let file = prepared.path();
    let name = name_in_patch(file)?;
    Ok(Line {
        patch: unified::patch(&name, &before, prepared.text()),
        file: name,
        allows_also: narrowest.open.iter().map(ToString::to_string).collect(),
        text: narrowest.text,
    })
}

/// The token's file with the line added, and the file as it is.
fn edited(case: &Case<'_>, new: &NewLine) -> Result<(Prepared, String), String> {
    let token = &case.question.token;
    let prepared = Edit::of_token(case.place, token)
        .map_err(|error| error.to_string())?
        .unchanged();
    let before = prepared.text().to_owned();
    let section = prepared.section(token).map_err(|error| error.to_string())?;
    let own = section.text("limit_to").unwrap_or_default();
    let is_line = |line: &&str| !line.is_empty() && !line.starts_with('#');
    let mut lines: Vec<String> = own
        .lines()
        .map(str::trim)
        .filter(is_line)
        .map(str::to_owned)
        .collect();
    lines.push(new.text.clone());
    let prepared = prepared.with(token, &[Change::Lines(lines)]);
    Ok((prepared.map_err(|error| error.to_string())?, before))
}

/// Checks the policy with the line: it compiles, the token keeps all invariants, and the proxy forwards the request by the line.
fn check(case: &Case<'_>, prepared: &Prepared, new: &NewLine) -> Result<(), String> {
    let config = case.config;
    let sources = prepared.sources();
    let compilation = compile_within(&sources, &config.mode, &config.tokens.ceiling(), now_ms());
    let is_error = |severity: Severity| severity == Severity::Error;
    let error = compilation
        .diagnostics
        .iter()
        .find(|found| is_error(found.severity));
    if let Some(error) = error {
        return Err(format!(
            "the line {} would be an error: {} ({})",
            new.text, error.headline, error.code
        ));
    }
    let unusable = || format!("the line {} cannot be used with this configuration", new.text);
    let program = compilation.program.ok_or_else(unusable)?;
    let program = bind(&program, config).map_err(|_| unusable())?;
    let budget = Budget::new(Analysis::BUDGET);
    let token = case.question.token.as_str();
    proposal::keeps_invariants(&sources, (&program, token), new, (config, &budget))?;
    proposal::passes(case.judge, &program, case.question, new)
}

/// The file's path in a patch: from the top of its work tree, otherwise from the working directory.
fn name_in_patch(file: &Path) -> Result<String, String> {
    let name = Checkout::around(file).relative(&file.to_string_lossy());
    match name.chars().any(|c| c.is_control() || matches!(c, '"' | '\\')) {
        true => Err(format!(
            "the name of `{}` cannot be written to a patch",
            file.display()
        )),
        false => Ok(name),
    }
}
