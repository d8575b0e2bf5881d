//! `tokenward audit`: the record of calls and decisions.

use clap::Subcommand;

use super::failure::Failure;
use super::output;

mod csv;
mod events;
mod export;
mod form;
mod keep;
mod list;
mod new_file;
mod parquet;
mod policy;
mod question;
mod recorded;
mod show;
mod source;
mod stats;
mod table;
mod verify;
mod which;

/// Query, export and verify the audit
///
/// If the proxy is running, the command uses its admin listener. Otherwise it reads the store's files. It never
/// changes them.
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// List recorded calls, the newest first
    #[command(after_help = "\
Examples:
  tokenward audit list --since 2h --decision deny
  tokenward audit list --token ci-comments --json | jq .url
  tokenward audit list --line ci.toml:12 --limit 1000")]
    List(list::List),
    /// Show the last calls, then new ones as they are made, until Ctrl-C
    #[command(after_help = "\
Examples:
  tokenward audit tail
  tokenward audit tail --decision deny --json")]
    Tail(list::Tail),
    /// Show all details of one call
    #[command(after_help = "\
Examples:
  tokenward audit show 0193a5b2c0de4f7f9a31c6b1f0aa12de
  tokenward audit show 4711 --json")]
    Show(show::Args),
    /// Count calls by token, line, reason and hour
    ///
    /// Shows when each was last used, and which tokens and lines were never used.
    #[command(after_help = "\
Examples:
  tokenward audit stats --since 90d
  tokenward audit stats --json | jq .unused.lines")]
    Stats(stats::Args),
    /// Show the audit's own events: calls counted but not recorded, deleted periods, errors
    #[command(after_help = "\
Examples:
  tokenward audit events --since 7d
  tokenward audit events --json | jq 'select(.count)'")]
    Events(events::Args),
    /// Export calls as JSON lines, CSV or Parquet, the oldest first
    ///
    /// With --proof it also writes a file that proves the calls on another machine.
    #[command(after_help = "\
Examples:
  tokenward audit export --since 2027-06-01 --until 2027-07-01 -o june.csv
  tokenward audit export --since 90d -o calls.parquet
  tokenward audit export --token ci-comments -o ci.jsonl --proof ci.proof
  tokenward audit verify --store ci.proof --key audit.key.pub --export ci.jsonl    (elsewhere)")]
    Export(export::Args),
    /// Check that nothing was changed, removed, inserted or reordered
    ///
    /// Recomputes the chain of hashes over everything that is stored. The exit code is 1 if anything is wrong.
    #[command(after_help = "\
Examples:
  tokenward audit verify
  tokenward audit verify --store backup/audit --key audit.key.pub")]
    Verify(verify::Args),
    /// Recover the intact calls of a damaged period
    #[command(after_help = "\
Examples:
  tokenward audit salvage .tokenward/audit/2026-11-24.damaged-1 -o rest.jsonl")]
    Salvage(keep::Salvage),
    /// Copy the audit to a new directory, which can be used as a store
    #[command(after_help = "\
Examples:
  tokenward audit backup /var/backups/audit-2026-11-24
  tokenward audit list --store /var/backups/audit-2026-11-24")]
    Backup(keep::Backup),
    /// Create the key that signs the audit's heads
    #[command(after_help = "\
Examples:
  tokenward audit keygen .tokenward/audit.key")]
    Keygen(keep::Keygen),
}

pub(crate) use recorded::recorded;
pub(super) use recorded::{Recorded, calls, usage};
pub(super) use table::shown;

pub(super) fn run(args: Args) -> Result<(), Failure> {
    match args.action {
        Action::List(args) => list::list(&args),
        Action::Tail(args) => list::tail(&args),
        Action::Show(args) => show::run(&args),
        Action::Stats(args) => stats::run(&args),
        Action::Events(args) => events::run(&args),
        Action::Export(args) => export::run(&args),
        Action::Verify(args) => verify::run(&args),
        Action::Salvage(args) => keep::salvage(&args),
        Action::Backup(args) => keep::backup(&args),
        Action::Keygen(args) => keep::keygen(&args),
    }
}
