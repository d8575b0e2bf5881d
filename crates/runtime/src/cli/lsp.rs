//! `tokenward lsp`: the language server for editors.

mod host;

use std::io::{self, BufReader};
use std::sync::Arc;

use tokenward_lsp::{Ended, serve};

use super::failure::Failure;
use super::settings::ConfigArg;
use host::Configurations;

/// Check and explain policy files in an editor, as a language server
///
/// The editor starts this command and speaks the Language Server Protocol with it, over standard input and output.
/// docs/editors.md has the settings for VS Code, Neovim and Helix.
///
/// While you type, the server shows everything that `tokenward compile --check` finds, lints included. It explains
/// lines and keys, completes names, offers corrections, formats files, and renames sets.
///
/// Each file is checked as a part of the policy that the nearest tokenward.toml above it names, or the one that --config
/// names. Without one, the directories around the file are the policy, and the built-in defaults apply.
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    config: ConfigArg,
    /// Accepted for editors that name the transport; standard input and output are used in any case
    #[arg(long, hide = true)]
    stdio: bool,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let host = Configurations::new(args.config.is_named().then(|| args.config.path()))?;
    let ended = serve(BufReader::new(io::stdin()), io::stdout(), Arc::new(host));
    match ended.map_err(|error| Failure::Trouble(format!("cannot serve the editor: {error}")))? {
        Ended::Asked => Ok(()),
        // As the protocol has it, for a client that leaves without `shutdown`.
        Ended::Left => Err(Failure::Findings(String::new())),
    }
}
