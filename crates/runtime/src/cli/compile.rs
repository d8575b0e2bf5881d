//! `tokenward compile`: whether policy files are right.

use std::path::PathBuf;

use clap::ValueEnum;
use tokenward_compiler::diagnostic::{Diagnostic, Severity, render_json, render_text};
use tokenward_compiler::source::SourceSet;

use super::failure::Failure;
use super::output;
use super::settings::ConfigArg;

/// Check policy files
///
/// Reads the *.toml and *.limits files of a directory and tells every error and warning with its place. Nothing is
/// written. The exit code is 1 if there is an error; warnings alone leave it at 0.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  tokenward compile                     the directory that tokenward.toml names, or policies
  tokenward compile --check policies    the same for a directory, as CI would run it
  tokenward compile --format json       one JSON object a line, on standard output")]
pub(super) struct Args {
    /// Only check, write nothing: what it does in any case, as yet
    #[arg(long)]
    check: bool,
    /// How findings are shown
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    #[command(flatten)]
    config: ConfigArg,
    /// The policy directory [default: the configuration's]
    #[arg(value_name = "DIR")]
    directory: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Format {
    /// For people, on standard error
    Text,
    /// One JSON object a line, on standard output
    Json,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let config = args.config.or_default()?;
    let directory = args.directory.as_ref().unwrap_or(&config.policies);
    let sources = SourceSet::read_dir(directory).map_err(Failure::trouble)?;
    let compilation = tokenward_compiler::compile(&sources);
    let diagnostics = &compilation.diagnostics;
    match args.format {
        Format::Text => output::note_raw(&render_text(&sources, diagnostics, output::colours())),
        Format::Json => output::print(&render_json(&sources, diagnostics))?,
    }
    let Some(program) = compilation.program else {
        return Err(Failure::Findings(format!(
            "{} in `{}`",
            tally(diagnostics),
            directory.display()
        )));
    };
    if let Err(error) = program.bind(&config.upstream.public_url) {
        return Err(Failure::Findings(format!(
            "with this configuration the policy cannot be used: {error}"
        )));
    }
    let tokens = program.tokens().count();
    let what = format!(
        "{}: {tokens} {}, {}",
        directory.display(),
        plural(tokens, "token"),
        tally(diagnostics)
    );
    let written = if args.check { "" } else { "; nothing was written" };
    match args.format {
        Format::Text => output::print(&format!("{what}{written}\n")),
        Format::Json => Ok(()),
    }
}

/// `2 errors, 1 warning`; `no findings`.
fn tally(diagnostics: &[Diagnostic]) -> String {
    let count = |severity| {
        diagnostics
            .iter()
            .filter(|diagnostic| diagnostic.severity == severity)
            .count()
    };
    let told = [
        (count(Severity::Error), "error"),
        (count(Severity::Warning), "warning"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, what)| format!("{count} {}", plural(count, what)))
    .collect::<Vec<_>>();
    if told.is_empty() {
        "no findings".to_owned()
    } else {
        told.join(", ")
    }
}

fn plural(count: usize, what: &str) -> String {
    if count == 1 {
        what.to_owned()
    } else {
        format!("{what}s")
    }
}
