//! The output formats of calls.

use super::csv;
use super::table::{self, Heading};

/// How calls are shown; without any of these, as a table.
#[derive(clap::Args)]
pub(super) struct FormArg {
    /// One JSON object a line
    #[arg(long, conflicts_with = "csv")]
    json: bool,
    /// Comma-separated values (RFC 4180), the columns' names first
    #[arg(long)]
    csv: bool,
}

/// One format.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Form {
    Table,
    Json,
    Csv,
}

impl FormArg {
    pub(super) fn form(&self) -> Form {
        match (self.json, self.csv) {
            (true, _) => Form::Json,
            (_, true) => Form::Csv,
            _ => Form::Table,
        }
    }
}

impl Form {
    /// Formats calls, given as lines of JSON.
    pub(super) fn of(self, calls: &[String], heading: Heading) -> String {
        match self {
            Self::Table => table::of(calls, heading),
            Self::Json => calls.iter().map(|call| format!("{call}\n")).collect(),
            Self::Csv => {
                let head = match heading {
                    Heading::Shown => csv::heading(),
                    Heading::Left => String::new(),
                };
                let rows: String = calls.iter().map(|call| csv::row(call)).collect();
                head + &rows
            }
        }
    }
}
