//! `tokenward completions`: completion scripts for shells.

use clap::CommandFactory;
use clap_complete::Shell;

use super::failure::Failure;
use super::output;

/// Print a completion script for a shell
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  tokenward completions bash > /etc/bash_completion.d/tokenward
  tokenward completions zsh > ~/.zfunc/_tokenward")]
pub(super) struct Args {
    /// Shell to print the script for
    #[arg(value_enum)]
    shell: Shell,
}

pub(super) fn run<C: CommandFactory>(args: &Args) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut C::command(), "tokenward", &mut script);
    output::print_raw(&String::from_utf8_lossy(&script))
}
