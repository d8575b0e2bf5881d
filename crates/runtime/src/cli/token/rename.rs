//! `tokenward token rename`.

use serde_json::json;

use super::change::{committed, refuse_in_secure};
use super::{Failure, output, print_json};
use crate::authoring::edit::{Change, Edit, Key};
use crate::cli::settings::ConfigArg;

/// Rename a token
///
/// The secret does not change. In the audit, earlier calls keep the old name. Not available in secure mode.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  tokenward token rename ci-comments ci-jira-comments")]
pub(super) struct Args {
    /// Name of the token
    name: String,
    /// New name of the token
    new: String,
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigArg,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let config = args.config.or_default()?;
    refuse_in_secure(&config, "rename")?;
    let change = Change::Text(Key::Name, args.new.clone());
    let prepared = Edit::of_token(&config.policies, &args.name)?
        .unchanged()
        .with(&args.name, &[change])?;
    let path = prepared.path().to_owned();
    committed(prepared, &args.new, &config)?;
    if args.json {
        return print_json(&json!({
            "token": args.new, "before": args.name, "file": path.to_string_lossy(),
        }));
    }
    output::note(&format!(
        "Token `{}` renamed to `{}` in {}. In the audit, earlier calls have the old name.",
        args.name,
        args.new,
        path.display()
    ));
    Ok(())
}
