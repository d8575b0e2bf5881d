//! `tokenward diff`: shows requests that a change of policy newly allows or newly denies.

mod annotations;
mod args;
mod json;
mod markdown;
mod sarif;
mod sides;
mod text;

use std::path::Path;

use tokenward_compiler::analysis::{Budget, Certificates, Claims};
use tokenward_compiler::diagnostic::{GitHub, render_github, render_gitlab, render_junit};

use super::compare::{Bound, Lines, Report};
use super::failure::Failure;
use super::output;
use super::plural::plural;
use super::progress::Progress;
use super::step_summary;
use args::Format;

pub(super) use args::Args;

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let (old, new) = sides::read(args)?;
    let bound = Bound::new(&old, &new)?;
    let budget = Budget::new(args.budget);
    new.tell_rereadings(&budget)?;
    let mut lines = Lines::new(&bound, &budget)?;
    if args.certificates.is_some() {
        lines = lines.with_certificates(&Budget::new(args.budget));
    }
    let mut progress = Progress::new("tokens compared");
    let mut report = Report::new((&old, &new), (&bound, &mut lines), &budget, |done, of| {
        progress.tell(done, of)
    })?;
    report.explain(&mut lines, &new);
    if let (Some(file), Some(certificates)) = (&args.certificates, lines.into_certificates()) {
        write(file, certificates)?;
    }
    let shown = match args.format() {
        Format::Text => text::render(&report),
        Format::Json => json::render(&report),
        Format::Markdown => markdown::render(&report),
        Format::Sarif => sarif::render(&report, (&old, &new), args.config.path()),
        Format::Junit => render_junit(&annotations::findings(&report, &new, args.config.path())),
        Format::Gitlab => {
            let file = args.config.path().to_string_lossy();
            render_gitlab(&annotations::findings(&report, &new, args.config.path()), &file)
        }
        Format::Github => {
            let findings = annotations::findings(&report, &new, args.config.path());
            let GitHub { commands, .. } = render_github(&findings);
            // The comment for a pull request says more than a list of findings.
            step_summary::append(&markdown::render(&report))?;
            commands
        }
    };
    output::print(&shown)?;
    if report.finds() {
        // The output already shows the findings.
        return Err(Failure::Findings(String::new()));
    }
    if report.is_open() {
        return Err(Failure::Trouble(
            "cannot decide whether more is allowed; simplify the patterns, or use a larger --budget"
                .to_owned(),
        ));
    }
    Ok(())
}

/// Writes the certificates, and says how many answers have one.
fn write(file: &Path, certificates: Certificates<'_>) -> Result<(), Failure> {
    let Claims { proved, shown, open } = certificates.claims();
    std::fs::write(file, certificates.finish()).map_err(|error| {
        Failure::trouble(format!(
            "cannot write the certificates to `{}`: {error}",
            file.display()
        ))
    })?;
    output::note(&format!(
        "{} written to `{}` ({}, {}); {} about lines without a certificate",
        counted(proved + shown, "certificate"),
        file.display(),
        counted(proved, "proof"),
        counted(shown, "request"),
        counted(open, "answer"),
    ));
    Ok(())
}

/// Renders a report as JSON.
pub(super) fn as_json(report: &Report) -> String {
    json::render(report)
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {}", plural(count, what))
}
