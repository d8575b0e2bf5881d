//! A comparison that did not come about, in every format: a program that reads the output finds a document that says so.

use serde_json::{Value, json};
use tokenward_compiler::diagnostic::{
    GitHub, Report, render_github, render_gitlab, render_json, render_junit, render_sarif,
};
use tokenward_pdp::text::escaped;

use super::super::checkout::Checkout;
use super::super::failure::Failure;
use super::super::side::Refused;
use super::super::step_summary;
use super::args::{Args, Format};
use super::markdown;

/// Shows why there is no comparison, and gives the failure of the command.
pub(super) fn show(refused: Refused, args: &Args) -> Failure {
    if matches!(refused.failure, Failure::NoReader) {
        return refused.failure;
    }
    refused.show();
    match document(&refused, args).and_then(|document| args.format().print(&document)) {
        // What failed first is the reason to report.
        Ok(()) | Err(_) => refused.failure,
    }
}

/// The document of the format; empty for text, which standard error has.
fn document(refused: &Refused, args: &Args) -> Result<String, Failure> {
    let why = refused.failure.message();
    let mut report = Report::default();
    let checkout = Checkout::discover();
    let is_revision = refused.is_revision;
    let path = |shown: &str| {
        if is_revision {
            shown.to_owned()
        } else {
            checkout.relative(shown)
        }
    };
    report.add(&refused.sources, &refused.errors, &path);
    report.fail(why);
    Ok(match args.format() {
        Format::Text => String::new(),
        Format::Json => json(refused, why),
        Format::Markdown => markdown::failed(why),
        Format::Sarif => render_sarif(&report, env!("CARGO_PKG_VERSION")),
        Format::Junit => render_junit(&report),
        Format::Gitlab => render_gitlab(&report, &args.config.path().to_string_lossy()),
        Format::Github => {
            step_summary::append(&markdown::failed(why))?;
            let GitHub { commands, .. } = render_github(&report);
            commands
        }
    })
}

/// The object of `--format json`. A program that looks only at `widens` must not take it for a change that gives nothing.
fn json(refused: &Refused, why: &str) -> String {
    let errors = render_json(&refused.sources, &refused.errors);
    let errors: Vec<Value> = errors
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    let whole = json!({ "version": 1, "widens": true, "open": true, "error": why, "errors": errors });
    escaped(&format!("{whole:#}\n"))
}
