//! `tokenward diff`: shows requests that a change of policy newly allows or newly denies.

mod annotations;
mod args;
mod failed;
mod markdown;
mod sarif;
mod sides;

use tokenward_compiler::analysis::Budget;
use tokenward_compiler::diagnostic::{GitHub, render_github, render_gitlab, render_junit};
use tokenward_pdp::compare::{Bound, Lines, Report, render_json, render_text};
use tokenward_pdp::side::Side;

use super::certificates;
use super::descriptions::LazyNames;
use super::failure::Failure;
use super::progress::Progress;
use super::side::tell_rereadings;
use super::step_summary;
use args::Format;

pub(super) use args::Args;
pub(super) use markdown::{cell, code};
pub(super) use sides::with_base;

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    args.certificates.as_deref().map_or(Ok(()), certificates::check)?;
    let result = sides::read(args).and_then(|(old, new)| Ok(compare(args, (&old, &new))?));
    let ended = match result {
        Ok(ended) => ended,
        Err(refused) => return Err(failed::show(refused, args)),
    };
    match ended {
        Ended::Nothing => Ok(()),
        // The output already shows the findings.
        Ended::Finds => Err(Failure::Findings(String::new())),
        Ended::Open(what) => Err(Failure::Trouble(format!(
            "cannot decide whether {what} is allowed; simplify the patterns, or use a larger --budget"
        ))),
    }
}

/// The end of a comparison that was shown.
enum Ended {
    /// Nothing gives more, and every question was settled.
    Nothing,
    /// Something gives more.
    Finds,
    /// A question of this direction was not settled: `more` or `less`.
    Open(&'static str),
}

/// Compares the sides, and shows the differences.
fn compare(args: &Args, (old, new): (&Side, &Side)) -> Result<Ended, Failure> {
    let bound = Bound::new(old, new)?;
    let budget = Budget::new(args.budget);
    tell_rereadings(new, &budget)?;
    let mut lines = Lines::new(&bound, &budget)?;
    if args.certificates.is_some() {
        lines = lines.with_certificates(&Budget::new(args.budget));
    }
    let mut progress = Progress::new("tokens compared");
    let mut report = Report::new((old, new), (&bound, &mut lines), &budget, |done, of| {
        progress.tell(done, of)
    })?;
    report.explain(&mut lines, new);
    let names = LazyNames::near(&args.descriptions, &new.config, args.config.directory())?;
    if !report.tokens.is_empty()
        && let Some(names) = names.get()
    {
        report.name_operations(&bound, names, &Budget::new(args.budget))?;
    }
    if let (Some(file), Some(collected)) = (&args.certificates, lines.into_certificates()) {
        certificates::write(file, collected, None)?;
    }
    let place = (args.config.path(), &names);
    let shown = match args.format() {
        Format::Text => render_text::render(&report),
        Format::Json => render_json::render(&report),
        Format::Markdown => markdown::render(&report),
        Format::Sarif => sarif::render(&report, (old, new), args.config.path()),
        Format::Junit => render_junit(&annotations::findings(&report, new, place)),
        Format::Gitlab => render_gitlab(
            &annotations::findings(&report, new, place),
            &args.config.path().to_string_lossy(),
        ),
        Format::Github => {
            let findings = annotations::findings(&report, new, place);
            let GitHub { commands, .. } = render_github(&findings);
            // The comment for a pull request says more than a list of findings.
            step_summary::append(&markdown::render(&report))?;
            commands
        }
    };
    args.format().print(&shown)?;
    Ok(if report.finds() {
        Ended::Finds
    } else if report.is_open() {
        Ended::Open("more")
    } else if report.has_open_question() {
        Ended::Open("less")
    } else {
        Ended::Nothing
    })
}
