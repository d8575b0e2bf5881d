//! The `tokenward` command: one file for each subcommand.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod audit;
mod compare;
mod compile;
mod completions;
mod demo;
mod diff;
mod explain_code;
mod failure;
mod import;
mod inspect;
mod keys;
mod operator;
mod output;
mod plural;
mod progress;
mod scan;
mod serve;
mod settings;
mod side;
mod time;
mod token;

pub(crate) use audit::recorded;
pub(crate) use failure::Failure;
pub(crate) use output::print;
pub(crate) use serve::log_as;

/// Decides which REST calls an API token may make.
///
/// Tokens and their rules stand in policy files, in git. `tokenward serve` stands before the REST API, lets through
/// what a rule allows, refuses the rest, and records every call.
#[derive(Parser)]
#[command(name = "tokenward", version, after_help = AFTER_HELP, max_term_width = 110)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

const AFTER_HELP: &str = "\
Begin here:
  tokenward demo                  see it work, with nothing to set up
  tokenward compile policies      check policy files
  tokenward diff main..HEAD       what a change of policy newly allows
  tokenward serve                 run the proxy as tokenward.toml says

Exit codes:
  0  the command looked, and all is right
  1  the policy has errors or gives more, or the demo did not do what it said
  2  wrong usage, or an error in the configuration
  3  something could not be read, compared or settled: a file, git, the network, a proof";

#[derive(Subcommand)]
enum Verb {
    Compile(compile::Args),
    Diff(diff::Args),
    Inspect(inspect::Args),
    ExplainCode(explain_code::Args),
    Serve(serve::Args),
    Token(token::Args),
    Import(import::Args),
    Scan(scan::Args),
    Keys(keys::Args),
    Audit(audit::Args),
    Demo(demo::Args),
    Completions(completions::Args),
}

/// Runs the command with the process's arguments, the program's name first.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are reported as errors too, with exit code 0. A closed pipe is not a failure.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { failure::USAGE } else { 0 });
        }
    };
    let result = match cli.verb {
        Verb::Compile(args) => compile::run(&args),
        Verb::Diff(args) => diff::run(&args),
        Verb::Inspect(args) => inspect::run(&args),
        Verb::ExplainCode(args) => explain_code::run(&args),
        Verb::Serve(args) => serve::run(&args),
        Verb::Token(args) => token::run(args),
        Verb::Import(args) => import::run(args),
        Verb::Scan(args) => scan::run(&args),
        Verb::Keys(args) => keys::run(&args),
        Verb::Audit(args) => audit::run(args),
        Verb::Demo(args) => demo::run(&args),
        Verb::Completions(args) => completions::run::<Cli>(&args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => ended(failure),
    }
}

/// Writes the failure's message, if there is one, and gives the exit code.
fn ended(failure: Failure) -> ExitCode {
    let (code, message) = match failure {
        Failure::Findings(message) => (failure::FINDINGS, message),
        Failure::Usage(message) => (failure::USAGE, message),
        Failure::Trouble(message) => (failure::TROUBLE, message),
        Failure::NoReader => return ExitCode::SUCCESS,
    };
    if !message.is_empty() {
        output::note(&format!("tokenward: {message}"));
    }
    ExitCode::from(code)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn arguments_are_consistent() {
        super::Cli::command().debug_assert();
    }
}
