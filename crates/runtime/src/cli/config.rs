//! `tokenward config`: what the configuration means on this machine.

mod check;
mod files;
mod item;
mod ports;

use clap::Subcommand;
use serde_json::json;
use tokenward_compiler::visible;
use tokenward_pdp::plural::plural;

use super::failure::Failure;
use super::output::{self, print_json};
use super::settings::ConfigArg;
use item::{Item, Result as Checked};

/// Check the configuration and everything that it names
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    Check(Check),
}

/// Check the configuration, its files, keys, certificates, ports and the policy
///
/// Changes nothing, and can run while the proxy is running. Prints one line for each item. The exit code is 0 if all of them are right, 1 if
/// one is wrong, 2 if the configuration file has errors, and 3 if an item could not be checked. Run it as the user of the proxy:
/// for another user, files may be readable that the proxy cannot read.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  tokenward config check
  tokenward config check --ask-upstream --config /etc/tokenward/tokenward.toml
  sudo -u tokenward tokenward config check --config /etc/tokenward/tokenward.toml")]
struct Check {
    /// Also send one request to each address of the upstream
    #[arg(long)]
    ask_upstream: bool,
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigArg,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let Action::Check(args) = &args.action;
    let config = args.config.required()?;
    let items = check::all(&config, args.ask_upstream);
    for item in &items {
        if args.json {
            let Item { subject, result } = item;
            print_json(&json!({ "item": subject, "result": result.name(), "detail": result.detail() }))?;
        } else {
            output::print(&line(item))?;
        }
    }
    ended(&items)
}

fn line(item: &Item) -> String {
    let Item { subject, result } = item;
    format!(
        "{:<11} {subject:<18} {}\n",
        result.name(),
        visible(result.detail())
    )
}

/// Gives the exit code that the items deserve.
fn ended(items: &[Item]) -> Result<(), Failure> {
    let count = |which: fn(&Checked) -> bool| items.iter().filter(|item| which(&item.result)).count();
    let wrong = count(|result| matches!(result, Checked::Wrong(_)));
    let unchecked = count(|result| matches!(result, Checked::NotChecked(_)));
    let of = format!("of {} {}", items.len(), plural(items.len(), "item"));
    match (wrong, unchecked) {
        (0, 0) => Ok(()),
        (0, _) => Err(Failure::Trouble(format!("{unchecked} {of} not checked"))),
        (_, 0) => Err(Failure::Findings(format!("{wrong} {of} wrong"))),
        _ => Err(Failure::Findings(format!(
            "{wrong} {of} wrong, {unchecked} not checked"
        ))),
    }
}
