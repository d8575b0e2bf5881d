//! `tokenward token set-limits`.

use std::collections::BTreeSet;

use serde_json::json;

use tokenward_compiler::policy::Users;
use tokenward_compiler::resolve_policy;
use tokenward_pdp::config::Config;

use super::change::{committed, judge, refuse_in_secure};
use super::dry_run::{self, Given};
use super::reached::Reached;
use super::{Failure, from, output, print_json};
use crate::authoring::edit::{Change, Edit};
use crate::cli::descriptions::{Described, DescriptionArgs};
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
  tokenward token set-limits ci-comments --from calls.har --openapi jira.json --dry-run
  tokenward token set-limits report --include jira-read --no-limit-to")]
pub(super) struct Args {
    /// Name of the token
    name: String,
    /// Limit line of the token; may be given more than once
    #[arg(long = "limit-to", alias = "limit", value_name = "LINE", required_unless_present_any = ["include", "no_limit", "no_include", "from"])]
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
    #[command(flatten)]
    calls: from::CallArgs,
    #[command(flatten)]
    descriptions: DescriptionArgs,
    /// Print the lines, and change no token
    #[arg(long)]
    dry_run: bool,
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigArg,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let config = args.config.or_default()?;
    refuse_in_secure(&config, "set-limits")?;
    if args.descriptions.are_given() && !args.calls.are_named() {
        return Err(Failure::Usage(
            "--openapi is for --from; add it, or leave --openapi out".to_owned(),
        ));
    }
    // First, since an edit keeps others from the file, this one included.
    let described = match args.calls.are_named() {
        true => args.descriptions.read_if_named(&config)?,
        false => None,
    };
    let planned = planned(args, described.as_ref(), &config)?;
    let unchanged = Edit::of_token(&config.policies, &args.name)?.unchanged();
    let mut lines = args.lines.clone();
    if let Some(planned) = &planned {
        lines.extend(planned.lines.iter().map(|line| line.text.clone()));
    }
    let mut changes = Vec::new();
    if !lines.is_empty() || args.no_limit {
        changes.push(Change::Lines(lines));
    }
    if !args.include.is_empty() || args.no_include {
        changes.push(Change::Include(args.include.clone()));
    }
    let prepared = unchanged.with(&args.name, &changes)?;
    if let Some(planned) = &planned {
        planned.prove(&prepared, &args.name, &config)?;
    }
    let reached = match &described {
        Some(described) => Reached::of(&prepared, &args.name, described, &config)?,
        None => None,
    };
    if args.dry_run {
        judge(&prepared, &[&args.name], &config, &config.mode)?;
        let given = Given {
            lines: &args.lines,
            sets: &args.include,
            operations: BTreeSet::new(),
        };
        return dry_run::print(&given, (planned.as_ref(), reached.as_ref()), args.json);
    }
    if let Some(planned) = &planned {
        output::note(planned.text(reached.as_ref()).trim_end());
    }
    let path = prepared.path().to_owned();
    committed(prepared, &args.name, &config)?;
    if args.json {
        let mut shown = json!({ "token": args.name, "file": path.to_string_lossy() });
        if let (Some(planned), Some(object)) = (&planned, shown.as_object_mut()) {
            object.insert("lines".to_owned(), planned.json(reached.as_ref()));
        }
        return print_json(&shown);
    }
    output::note(&format!(
        "Limits of token `{}` written to {}.",
        args.name,
        path.display()
    ));
    Ok(())
}

/// The lines for recorded calls, if files with calls are named.
fn planned(
    args: &Args,
    described: Option<&Described>,
    config: &Config,
) -> Result<Option<from::Planned>, Failure> {
    if !args.calls.are_named() {
        return Ok(None);
    }
    // The token with all its attributes, and a line for every path.
    let every = [Change::Lines(vec!["/.*".to_owned()]), Change::Include(Vec::new())];
    let unlimited = Edit::of_token(&config.policies, &args.name)?
        .unchanged()
        .with(&args.name, &every)?
        .sources();
    let tokens = resolve_policy(&unlimited).tokens;
    let own = tokens.iter().find(|token| token.attributes.name == args.name);
    let user = own.and_then(|token| match &token.attributes.users {
        Users::Named(users) => users.first().cloned(),
        Users::Any => Some("someone".to_owned()),
    });
    let asking = from::Asking {
        name: &args.name,
        user: user.as_deref(),
        unlimited,
    };
    from::plan(&args.calls, described, &asking, config)
}
