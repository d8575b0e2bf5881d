//! `tokenward completions`: completion scripts for shells.

mod operations;

use clap::CommandFactory;
use clap_complete::Shell;

use super::failure::Failure;
use super::output;

pub(super) use operations::{OperationsArgs, list_operations};

/// What a script does in addition to completing verbs and options: names of operations.
const BASH: &str = include_str!("completions/operations.bash");
const ZSH: &str = include_str!("completions/operations.zsh");
const FISH: &str = include_str!("completions/operations.fish");

/// Print a completion script for a shell
///
/// The scripts for bash, zsh and fish also complete the names of operations, from the descriptions of the API that
/// the command line or the configuration names.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  tokenward completions bash > /etc/bash_completion.d/tokenward
  tokenward completions zsh > ~/.zfunc/_tokenward
  tokenward completions fish > ~/.config/fish/completions/tokenward.fish")]
pub(super) struct Args {
    /// Shell to print the script for
    #[arg(value_enum)]
    shell: Shell,
}

pub(super) fn run<C: CommandFactory>(args: &Args) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut C::command(), "tokenward", &mut script);
    let script = String::from_utf8_lossy(&script);
    output::print_raw(&match args.shell {
        Shell::Bash => format!("{script}\n{BASH}"),
        Shell::Fish => format!("{script}\n{FISH}"),
        Shell::Zsh => with_zsh_actions(&script),
        _ => script.into_owned(),
    })
}

/// The script with the functions that complete operations in the places of the default actions.
fn with_zsh_actions(script: &str) -> String {
    let lines = script.lines().map(|line| {
        let line = line.replace(":OPERATION:_default'", ":OPERATION:_tokenward_operations'");
        if line.starts_with("':method -- ") {
            line.replace(":_default'", ":_tokenward_operations'")
        } else if line.starts_with("'::url -- ") && line.contains("the path of an operation") {
            line.replace(":_default'", ":_tokenward_paths'")
        } else {
            line
        }
    });
    let mut out: Vec<String> = lines.collect();
    // The first line says for which command the file is.
    let after = usize::from(out.first().is_some_and(|line| line.starts_with("#compdef"))).min(out.len());
    out.insert(after, format!("\n{ZSH}"));
    out.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_of_an_operation_has_its_action() {
        let mut script = Vec::new();
        let mut command = crate::cli::Cli::command();
        clap_complete::generate(Shell::Zsh, &mut command, "tokenward", &mut script);
        let script = with_zsh_actions(std::str::from_utf8(&script).unwrap());
        assert!(script.starts_with("#compdef tokenward\n"));
        // `reach` and `token new` have the option, and `who-can` both positions.
        assert_eq!(script.matches(":OPERATION:_tokenward_operations'").count(), 2);
        assert_eq!(
            script
                .matches("the name of an operation:_tokenward_operations'")
                .count(),
            1
        );
        assert_eq!(
            script
                .matches("the path of an operation:_tokenward_paths'")
                .count(),
            1
        );
    }
}
