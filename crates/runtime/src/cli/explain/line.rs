//! The smallest line that would allow a denied request, as a patch of the token's file. It is proposed only if the policy with it
//! compiles, keeps all invariants, and forwards the request.

use std::path::Path;

use serde::Serialize;
use tokenward_compiler::analysis::{Analysis, Budget};
use tokenward_compiler::closest::{NewLine, narrowest_line};
use tokenward_compiler::compile_within;
use tokenward_compiler::diagnostic::Severity;
use tokenward_compiler::invariants::Invariants;
use tokenward_compiler::ir::Program;
use tokenward_compiler::source::SourceSet;
use tokenward_pdp::config::Mode;
use tokenward_pdp::config::universe::universe;
use tokenward_pdp::forwarded::proxied;
use tokenward_pdp::nearby::Read;
use tokenward_pdp::servable::bind;

use super::case::Case;
use crate::authoring::edit::{Change, Edit, Prepared};
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
    if case.report.reason == "forbid-line" {
        let line = case.report.line.as_ref();
        let place = line.map_or_else(String::new, |line| format!(" {}:{}", line.file, line.number));
        return Err(format!(
            "no permit line helps, since the forbid line{place} overrides them all; only a narrower forbid line would"
        ));
    }
    let narrowest = narrowest_line(&read.asked).ok_or(
        "no line can name this request: its method has no name in lines, or the line would be too long",
    )?;
    if case.judge.masked(&narrowest.text, read) != narrowest.text {
        return Err("the request contains a secret, which a line must not contain".to_owned());
    }
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
    keeps_invariants(case, &sources, &program, new)?;
    match case.judge.forwarded(&program, case.question) {
        Ok(report) if report.line.as_ref().is_some_and(|line| line.text == new.text) => Ok(()),
        Err(Some(why)) => Err(format!(
            "the line {} would allow the request, but the proxy would refuse it: {why}",
            new.text
        )),
        _ => Err(format!(
            "the narrowest line, {}, would not let the proxy forward the request",
            new.text
        )),
    }
}

fn keeps_invariants(
    case: &Case<'_>,
    sources: &SourceSet,
    program: &Program,
    new: &NewLine,
) -> Result<(), String> {
    let config = case.config;
    let (base, merges) = (&config.upstream.public_url, config.upstream.product.merges());
    let unproved = |why: String| format!("no line is proposed, since the invariants cannot be proved: {why}");
    let mut found = Vec::new();
    let invariants = Invariants::read(sources, base, merges, &mut found);
    let invariants = invariants.map_err(|error| unproved(error.to_string()))?;
    if let Some(error) = found.iter().find(|found| found.severity == Severity::Error) {
        return Err(unproved(error.headline.clone()));
    }
    let Some(invariants) = invariants else {
        return Ok(());
    };
    let proxied = proxied(config).map_err(|why| unproved(why.to_string()))?;
    let token = |id| program.token(id).name == case.question.token;
    let broken = invariants.behind(proxied).broken_by(
        program,
        (universe(config), Budget::new(Analysis::BUDGET)),
        &|definition, id| token(id) && definition.selects(program.token(id)),
    );
    let broken = broken.map_err(|fault| unproved(fault.to_string()))?;
    match broken.first() {
        None => Ok(()),
        Some(first) if first.witness.is_none() => Err(unproved(format!(
            "`{}` is not settled within the budget",
            first.invariant
        ))),
        Some(first) => Err(format!(
            "with the line {} the token would break the invariant `{}`",
            new.text, first.invariant
        )),
    }
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
