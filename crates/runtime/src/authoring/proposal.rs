//! The smallest line that would allow a denied request, and what must hold before it is proposed. `tokenward explain` and the console
//! share it.

use tokenward_compiler::analysis::Budget;
use tokenward_compiler::closest::{NewLine, narrowest_line};
use tokenward_compiler::diagnostic::Severity;
use tokenward_compiler::invariants::Invariants;
use tokenward_compiler::ir::Program;
use tokenward_compiler::source::SourceSet;
use tokenward_pdp::config::Config;
use tokenward_pdp::config::universe::universe;
use tokenward_pdp::explain::{Judge, Question, Report};
use tokenward_pdp::forwarded::proxied;
use tokenward_pdp::nearby::Read;

/// Writes the narrowest line that allows a denied request.
///
/// # Errors
/// No line would help, or none can be shown, for this reason.
pub(crate) fn narrowest(judge: &Judge<'_>, report: &Report, read: &Read) -> Result<NewLine, String> {
    if report.reason == "forbid-line" {
        let line = report.line.as_ref();
        let place = line.map_or_else(String::new, |line| match line.file.as_str() {
            "" => format!(" in line {}", line.number),
            file => format!(" {file}:{}", line.number),
        });
        return Err(format!(
            "no permit line helps, since the forbid line{place} overrides them all; only a narrower forbid line would"
        ));
    }
    let narrowest = narrowest_line(&read.asked).ok_or(
        "no line can name this request: its method has no name in lines, or the line would be too long",
    )?;
    if judge.masked(&narrowest.text, read) != narrowest.text {
        return Err("the request contains a secret, which a line must not contain".to_owned());
    }
    Ok(narrowest)
}

/// Checks that the proxy forwards the request by the new line of a bound program.
///
/// # Errors
/// It does not, for this reason.
pub(crate) fn passes(
    judge: &Judge<'_>,
    program: &Program,
    question: &Question,
    new: &NewLine,
) -> Result<(), String> {
    match judge.forwarded(program, question) {
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

/// Checks that a token of a bound program keeps the invariants among `sources` with the new line.
///
/// # Errors
/// It breaks one, or this cannot be proved.
pub(crate) fn keeps_invariants(
    sources: &SourceSet,
    (program, token): (&Program, &str),
    new: &NewLine,
    (config, budget): (&Config, &Budget),
) -> Result<(), String> {
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
    let is_asked = |id| program.token(id).name == token;
    let broken = invariants.behind(proxied).broken_by(
        program,
        (universe(config), budget.clone()),
        &|definition, id| is_asked(id) && definition.selects(program.token(id)),
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
