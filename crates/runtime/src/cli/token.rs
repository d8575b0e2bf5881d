//! `tokenward token`: the life of a token, in policy files and in the running proxy. One file a verb.

mod change;
mod dry_run;
mod file;
mod from;
mod known;
mod list;
mod new;
pub(super) mod operation;
mod reached;
mod rename;
mod revoke;
mod rotate;
mod seal;
mod set_limits;
mod show;
mod snippet;
mod usage;

use clap::Subcommand;

pub(super) use change::committed_all;
pub(super) use known::concerned;

use super::failure::Failure;
use super::output::{self, print_json};

/// Create, list, change and revoke tokens
///
/// Commands that change a token edit its policy file, and keep its comments and layout. A change is atomic.
/// Concurrent changes wait for each other. A running proxy applies a change within a second.
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    New(Box<new::Args>),
    List(list::Args),
    Show(show::Args),
    SetLimits(set_limits::Args),
    Rename(rename::Args),
    Rotate(rotate::Args),
    Revoke(revoke::Args),
    Seal(seal::Args),
    Snippet(snippet::Args),
}

pub(super) fn run(args: Args) -> Result<(), Failure> {
    match args.action {
        Action::New(args) => new::run(*args),
        Action::List(args) => list::run(&args),
        Action::Show(args) => show::run(&args),
        Action::SetLimits(args) => set_limits::run(&args),
        Action::Rename(args) => rename::run(&args),
        Action::Rotate(args) => rotate::run(&args),
        Action::Revoke(args) => revoke::run(&args),
        Action::Seal(args) => seal::run(&args),
        Action::Snippet(args) => snippet::run(&args),
    }
}
