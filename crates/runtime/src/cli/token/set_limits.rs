//! `tokenward token set-limits`.

use serde_json::json;

use super::change::{committed, refuse_in_secure};
use super::{Failure, output, print_json};
use crate::authoring::edit::{Change, Edit};
use crate::cli::settings::ConfigArg;

/// Replace the limit lines or sets of a token
///
/// The given lines replace the token's own lines, and the given sets replace its included sets. If no lines or no
/// sets are given, they do not change. Lines that are kept retain their position and comments; new lines are added at
/// the end. Not available in secure mode.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  tokenward token set-limits ci-comments --limit-to '[get,post]/rest/api/2/issue/KANBAN-\\d+/comment'
  tokenward token set-limits report --include jira-read --no-limit-to")]
pub(super) struct Args {
    /// Name of the token
    name: String,
    /// Limit line of the token; may be given more than once
    #[arg(long = "limit-to", alias = "limit", value_name = "LINE", required_unless_present_any = ["include", "no_limit", "no_include"])]
    lines: Vec<String>,
    /// Remove the token's own lines
    #[arg(long = "no-limit-to", alias = "no-limit", conflicts_with = "lines")]
    no_limit: bool,
    /// Named set of lines, from policies/SET.limits; may be given more than once
    #[arg(long, value_name = "SET")]
    include: Vec<String>,
    /// Remove all includes
    #[arg(long, conflicts_with = "include")]
    no_include: bool,
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigArg,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let config = args.config.or_default()?;
    refuse_in_secure(&config, "set-limits")?;
    let mut changes = Vec::new();
    if !args.lines.is_empty() || args.no_limit {
        changes.push(Change::Lines(args.lines.clone()));
    }
    if !args.include.is_empty() || args.no_include {
        changes.push(Change::Include(args.include.clone()));
    }
    let prepared = Edit::of_token(&config.policies, &args.name)?
        .unchanged()
        .with(&args.name, &changes)?;
    let path = prepared.path().to_owned();
    committed(prepared, &args.name, &config)?;
    if args.json {
        return print_json(&json!({ "token": args.name, "file": path.to_string_lossy() }));
    }
    output::note(&format!(
        "Limits of token `{}` written to {}.",
        args.name,
        path.display()
    ));
    Ok(())
}
