//! Computes what tokens reach, and shows it.

use clap::ValueEnum;
use tokenward_compiler::analysis::Budget;
use tokenward_pdp::config::Config;

use super::super::ask::{Ended, Policy};
use super::super::descriptions::Described;
use super::super::failure::Failure;
use super::super::output;
use super::survey::surveyed;
use super::view::View;
use super::{json, markdown, text};

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in super::super) enum Format {
    /// For people
    Table,
    /// One JSON object
    Json,
    /// For a comment on a pull request
    Markdown,
}

/// Shows what tokens reach: all operations, or one.
pub(in super::super) fn show(
    (described, operation): (&Described, Option<usize>),
    (policy, token): (&Policy, Option<&str>),
    (config, budget): (&Config, &Budget),
    format: Format,
) -> Result<Ended, Failure> {
    let chosen: Vec<usize> = match operation {
        Some(at) => vec![at],
        None => (0..described.all.operations.len()).collect(),
    };
    let operations: Vec<_> = chosen
        .iter()
        .filter_map(|at| described.all.operations.get(*at))
        .collect();
    let survey = surveyed(&operations, (policy, token), (config, budget))?;
    let view = View {
        policy,
        operations: &operations,
        survey: &survey,
        files: &described.files,
        lost: described.lost(operation.and_then(|at| described.all.operations.get(at))),
        is_one_token: token.is_some(),
        is_one_operation: operation.is_some(),
    };
    match format {
        Format::Table => output::print(&text::text(&view))?,
        Format::Markdown => output::print(&markdown::markdown(&view))?,
        Format::Json => json::print(&view)?,
    }
    Ok(end(&view))
}

fn end(view: &View<'_>) -> Ended {
    if let Some(failure) = view.unsettled() {
        return Err(failure);
    }
    match view.no_line_reaches_any() {
        Some(why) => Err(Failure::Findings(why)),
        None => Ok(()),
    }
}
