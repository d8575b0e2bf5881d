//! The output formats of calls.

use std::path::Path;

use clap::ValueEnum;

use super::csv;
use super::table::{self, Heading};

/// How calls are shown; without any of these, as a table.
#[derive(clap::Args)]
pub(super) struct FormArg {
    /// Format of the output
    #[arg(long, value_enum, conflicts_with_all = ["json", "csv"])]
    format: Option<Form>,
    /// Print JSON, for programs
    #[arg(long, conflicts_with = "csv")]
    json: bool,
    /// Print comma-separated values (RFC 4180) with a header line
    #[arg(long)]
    csv: bool,
}

/// One format.
#[derive(Clone, Copy, PartialEq, ValueEnum)]
pub(super) enum Form {
    /// For people
    #[value(name = "text")]
    Table,
    /// One JSON object per line
    Json,
    /// Comma-separated values
    Csv,
}

impl FormArg {
    pub(super) fn form(&self) -> Form {
        match (self.format, self.json, self.csv) {
            (Some(form), ..) => form,
            (_, true, _) => Form::Json,
            (.., true) => Form::Csv,
            _ => Form::Table,
        }
    }
}

/// How calls are exported; without any of these, by the file's name.
#[derive(clap::Args)]
pub(super) struct ExportArg {
    /// Format of the output
    #[arg(long, value_enum, conflicts_with_all = ["json", "csv", "parquet"])]
    format: Option<ExportForm>,
    /// Print JSON, for programs
    #[arg(long, conflicts_with_all = ["csv", "parquet"])]
    json: bool,
    /// Print comma-separated values (RFC 4180) with a header line
    #[arg(long, conflicts_with = "parquet")]
    csv: bool,
    /// Write Apache Parquet, with the columns of CSV and their types
    #[arg(long, requires = "output")]
    parquet: bool,
}

/// One format of an export.
#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
pub(super) enum ExportForm {
    /// One JSON object per line
    Json,
    /// Comma-separated values
    Csv,
    /// Apache Parquet
    Parquet,
}

impl ExportArg {
    /// The format for a file, or for standard output.
    ///
    /// # Errors
    /// The file's name says another format, or one that does not exist here.
    pub(super) fn form(&self, file: Option<&Path>) -> Result<ExportForm, String> {
        let given = match (self.format, self.json, self.csv, self.parquet) {
            (Some(form), ..) => Some(form),
            (_, true, ..) => Some(ExportForm::Json),
            (_, _, true, _) => Some(ExportForm::Csv),
            (.., true) => Some(ExportForm::Parquet),
            _ => None,
        };
        let Some(file) = file else {
            return match given.unwrap_or(ExportForm::Json) {
                ExportForm::Parquet => Err("Parquet needs a file; specify it with -o".to_owned()),
                form => Ok(form),
            };
        };
        match (given, ExportForm::of(file)?) {
            (Some(given), Some(named)) if given != named => Err(format!(
                "`{}` is a file name for {}, but the export would be {}; rename the file, or remove the option",
                file.display(),
                named.name(),
                given.name()
            )),
            (given, named) => Ok(given.or(named).unwrap_or(ExportForm::Json)),
        }
    }
}

impl ExportForm {
    /// The format that a file's name says, if it says one.
    ///
    /// # Errors
    /// The name says a format that does not exist here.
    pub(super) fn of(file: &Path) -> Result<Option<Self>, String> {
        let suffix = file
            .extension()
            .unwrap_or_default()
            .to_string_lossy()
            .to_lowercase();
        match suffix.as_str() {
            "json" | "jsonl" | "ndjson" => Ok(Some(Self::Json)),
            "csv" => Ok(Some(Self::Csv)),
            "parquet" | "pq" => Ok(Some(Self::Parquet)),
            "gz" | "zst" | "bz2" | "xz" | "zip" | "tsv" | "xls" | "xlsx" | "ods" | "xml" | "yaml" | "yml"
            | "avro" | "orc" | "db" | "sqlite" => Err(format!(
                "`{}`: calls cannot be exported as .{suffix}; use a name that ends in .jsonl, .csv or .parquet",
                file.display()
            )),
            _ => Ok(None),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Json => "JSON lines",
            Self::Csv => "CSV",
            Self::Parquet => "Parquet",
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
