//! The `tokenward` command: one file for each subcommand.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::authoring::time;

mod ask;
mod audit;
mod certificates;
mod checkout;
mod columns;
mod compile;
mod completions;
mod config;
mod content;
mod demo;
mod descriptions;
mod diff;
mod explain;
mod explain_code;
mod failure;
mod fleet;
mod fmt;
mod health;
mod import;
mod init;
mod inspect;
mod keys;
mod lsp;
mod operator;
mod output;
#[doc(hidden)]
mod progress;
mod publish;
mod reach;
mod report;
mod reviews;
mod scan;
mod schema;
mod serve;
mod settings;
mod side;
mod step_summary;
mod test;
mod token;
mod unanswered;
mod who_can;

pub(crate) use audit::recorded;
pub(crate) use failure::Failure;
pub(crate) use output::print;
pub(crate) use serve::log_as;

/// Decides which REST calls an API token may make.
///
/// Policy files, kept in git, define tokens and their rules. `tokenward serve` is a proxy in front of the REST API.
/// It forwards calls that a rule allows, refuses all others, and records every call.
#[derive(Parser)]
#[command(name = "tokenward", version, after_help = AFTER_HELP, max_term_width = 110)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

const AFTER_HELP: &str = "\
Begin here:
  tokenward demo                  see it work, with nothing to set up
  tokenward init --product jira tokens
                                  write a first policy repository
  tokenward compile policies      check policy files
  tokenward test                  run the tests of the policy
  tokenward diff main..HEAD       what a policy change newly allows
  tokenward ask 'DELETE /rest/.*' which tokens may make such requests
  tokenward reach --openapi FILE  which operations of the API the tokens reach
  tokenward report -o report.html what each token can do, as a page for auditors
  tokenward explain NAME GET /rest/api/2/myself
                                  how the proxy would answer a request, and why
  tokenward config check          check the configuration and all that it names
  tokenward serve                 run the proxy, configured by tokenward.toml

Exit codes:
  0  success: the command checked, and everything is right
  1  the policy has errors or gives more, the request is not allowed, the answer is no, or the demo had
     unexpected results
  2  invalid usage or configuration
  3  file, git, network or system error, or an inconclusive proof";

#[derive(Subcommand)]
enum Verb {
    Init(init::Args),
    Compile(compile::Args),
    Fmt(fmt::Args),
    Test(test::Args),
    Diff(diff::Args),
    Inspect(inspect::Args),
    Ask(ask::Args),
    WhoCan(who_can::Args),
    Reach(reach::Args),
    Report(report::Args),
    Explain(explain::Args),
    ExplainCode(explain_code::Args),
    Serve(serve::Args),
    Health(health::Args),
    Config(config::Args),
    Publish(publish::Args),
    Fleet(fleet::Args),
    Token(token::Args),
    Import(import::Args),
    Scan(scan::Args),
    Keys(keys::Args),
    Audit(audit::Args),
    Demo(demo::Args),
    Lsp(lsp::Args),
    Schema(schema::Args),
    Completions(completions::Args),
    #[command(hide = true)]
    CompleteOperations(completions::OperationsArgs),
}

/// Runs the command with the process's arguments, the program's name first.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            return misused(&error);
        }
    };
    let result = match cli.verb {
        Verb::Init(args) => init::run(&args),
        Verb::Compile(args) => compile::run(&args),
        Verb::Fmt(args) => fmt::run(&args),
        Verb::Test(args) => test::run(&args),
        Verb::Diff(args) => diff::run(&args),
        Verb::Inspect(args) => inspect::run(&args),
        Verb::Ask(args) => ask::run(&args),
        Verb::WhoCan(args) => who_can::run(&args),
        Verb::Reach(args) => reach::run(&args),
        Verb::Report(args) => report::run(&args),
        Verb::Explain(args) => explain::run(&args),
        Verb::ExplainCode(args) => explain_code::run(&args),
        Verb::Serve(args) => serve::run(&args),
        Verb::Health(args) => health::run(&args),
        Verb::Config(args) => config::run(&args),
        Verb::Publish(args) => publish::run(&args),
        Verb::Fleet(args) => fleet::run(&args),
        Verb::Token(args) => token::run(args),
        Verb::Import(args) => import::run(args),
        Verb::Scan(args) => scan::run(&args),
        Verb::Keys(args) => keys::run(&args),
        Verb::Audit(args) => audit::run(args),
        Verb::Demo(args) => demo::run(&args),
        Verb::Lsp(args) => lsp::run(&args),
        Verb::Schema(args) => schema::run(&args),
        Verb::Completions(args) => completions::run::<Cli>(&args),
        Verb::CompleteOperations(args) => completions::list_operations(&args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => ended(failure),
    }
}

/// Shows why the arguments cannot be used, or the help that they ask for. A closed pipe is not a failure.
fn misused(error: &clap::Error) -> ExitCode {
    // Help and version are reported as errors too, with exit code 0.
    if !error.use_stderr() {
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    let message = if output::has_line_ends() {
        // The whole message would quote the argument, without its escape sequences.
        format!(
            "error: {}: an argument contains a line end\n\nFor more information, try '--help'.",
            error.kind()
        )
    } else {
        error.render().to_string()
    };
    if !output::has_line_ends() && output::for_people(&message) == message {
        // With colours.
        let _ = error.print();
    } else {
        output::note(message.trim_end());
    }
    ExitCode::from(failure::USAGE)
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
    use std::collections::{BTreeMap, BTreeSet};

    use clap::{Arg, Command, CommandFactory};

    #[test]
    fn arguments_are_consistent() {
        super::Cli::command().debug_assert();
    }

    /// Options with different help in different subcommands, and the one meaning that they share.
    const SAID_DIFFERENTLY: [(&str, &str); 12] = [
        (
            "user",
            "a user: the one that a call or a token is for, or by which calls are filtered",
        ),
        (
            "operation",
            "an operation of the API: the one that is asked about, or one that a new token may call",
        ),
        ("check", "check, and do nothing else"),
        ("diff", "write nothing, and show the changes"),
        ("since", "only calls from this time on"),
        ("audit", "the audit whose calls count"),
        ("against", "the earlier version to compare with"),
        ("at", "the time that is taken for the present"),
        ("certificates", "the file for certificates of the answers"),
        ("dry-run", "write nothing, and show the result"),
        (
            "expires",
            "the end of what is made: a token, or a version of a fleet",
        ),
        (
            "key",
            "the file of a key: the one that checks, or the one that signs",
        ),
    ];
    /// Options whose old spelling is another option elsewhere. They are hidden and stay for scripts.
    const OLD_SPELLINGS: [&str; 1] = ["limit"];

    /// What a user knows of an option: its value's name, whether it is repeatable, its short form and its help.
    fn meaning(option: &Arg, named: &str) -> String {
        let values: Vec<&str> = option
            .get_value_names()
            .unwrap_or_default()
            .iter()
            .map(|name| name.as_str())
            .collect();
        let help = option.get_help().map(ToString::to_string).unwrap_or_default();
        let is_same = !SAID_DIFFERENTLY.iter().any(|(name, _)| *name == named);
        let takes = option.get_action().takes_values();
        format!(
            "{takes} {} -{} {}",
            if takes { values.join(" ") } else { String::new() },
            option.get_short().unwrap_or(' '),
            if is_same { help.as_str() } else { "" },
        )
    }

    fn collect(command: &Command, path: &str, found: &mut BTreeMap<String, BTreeMap<String, Vec<String>>>) {
        let path = format!("{path} {}", command.get_name());
        for option in command.get_arguments().filter(|option| !option.is_positional()) {
            let aliases = option.get_all_aliases().unwrap_or_default();
            let names = option.get_long().into_iter().chain(aliases);
            for name in names.filter(|name| !OLD_SPELLINGS.contains(name) || option.get_long() == Some(name))
            {
                let meanings = found.entry(format!("--{name}")).or_default();
                meanings
                    .entry(meaning(option, name))
                    .or_default()
                    .push(path.clone());
            }
            if let (Some(short), Some(long)) = (option.get_short(), option.get_long()) {
                let meanings = found.entry(format!("-{short}")).or_default();
                meanings.entry(long.to_owned()).or_default().push(path.clone());
            }
        }
        for sub in command.get_subcommands() {
            collect(sub, &path, found);
        }
    }

    /// One name of an option has one meaning: the same value, the same short form and the same help in all subcommands.
    #[test]
    fn an_option_means_the_same_in_every_subcommand() {
        let mut found = BTreeMap::new();
        collect(&super::Cli::command(), "", &mut found);
        assert!(found.len() > 60, "{}", found.len());
        let several = found.iter().filter(|(_, meanings)| meanings.len() > 1);
        let told: Vec<String> = several
            .map(|(name, meanings)| format!("{name}: {meanings:#?}"))
            .collect();
        assert!(told.is_empty(), "{}", told.join("\n"));
    }

    /// An option that has the same help everywhere needs no exception.
    #[test]
    fn every_option_with_different_help_needs_the_exception() {
        fn helps(command: &Command, name: &str, found: &mut BTreeSet<String>) {
            let options = command
                .get_arguments()
                .filter(|option| option.get_long() == Some(name));
            found
                .extend(options.map(|option| option.get_help().map(ToString::to_string).unwrap_or_default()));
            for sub in command.get_subcommands() {
                helps(sub, name, found);
            }
        }
        let mut unneeded = Vec::new();
        for (name, _) in SAID_DIFFERENTLY {
            let mut found = BTreeSet::new();
            helps(&super::Cli::command(), name, &mut found);
            if found.len() < 2 {
                unneeded.push((name, found));
            }
        }
        assert!(unneeded.is_empty(), "{unneeded:?}");
    }

    /// A subcommand that writes something for programs takes `--json`, and one with `--format` takes it as a short form.
    #[test]
    fn every_format_has_its_short_form() {
        fn walk(command: &Command) {
            let has = |name: &str| {
                command
                    .get_arguments()
                    .any(|option| option.get_long() == Some(name))
            };
            if has("format") {
                assert!(has("json"), "{}", command.get_name());
            }
            command.get_subcommands().for_each(walk);
        }
        walk(&super::Cli::command());
    }
}
