//! `tokenward report`: one page that shows an auditor what the tokens can do.

mod args;
mod build;
mod gather;
mod page;
mod powers;
mod shown;
mod usage;

use askama::Template;
use tokenward_pdp::plural::plural;

use super::compile::write;
use super::failure::Failure;
use super::output;
use gather::Gathered;

pub(super) use args::Args;

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let at = args.at()?;
    let since_ms = args.since_ms(at)?;
    if args.output.is_none() && output::is_terminal() {
        return Err(Failure::Usage(
            "the report is a page for a browser; name its file with -o, as in `tokenward report -o report.html`"
                .to_owned(),
        ));
    }
    let gathered = Gathered::read(args, at.as_millisecond(), since_ms)?;
    let page = build::page(&gathered);
    let text = page.render().map_err(Failure::trouble)?;
    match &args.output {
        None => output::print(&text)?,
        Some(file) => write(text.as_bytes(), file).map_err(|error| {
            Failure::trouble(format!(
                "cannot write the report to `{}`: {error}",
                file.display()
            ))
        })?,
    }
    end(&gathered)
}

/// The end of a report that was written.
fn end(gathered: &Gathered) -> Result<(), Failure> {
    let problems: Vec<&str> = gathered.problems.iter().map(String::as_str).collect();
    if !problems.is_empty() {
        return Err(Failure::Trouble(format!(
            "the report is incomplete: {}",
            problems.join("; ")
        )));
    }
    match gathered.errors() {
        0 => Ok(()),
        count => Err(Failure::Findings(format!(
            "the policy has {count} {}, which the report shows",
            plural(count, "error")
        ))),
    }
}
