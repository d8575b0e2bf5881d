//! The arguments of `tokenward diff`.

use std::path::PathBuf;

use clap::ValueEnum;
use tokenward_compiler::analysis::Analysis;

use super::super::descriptions::DescriptionArgs;
use super::super::failure::Failure;
use super::super::output;
use super::super::settings::ConfigArg;

/// Show which requests a policy change newly allows and denies
///
/// Compares two policies token by token, over all possible requests. For every difference it shows a request that the
/// new policy allows and the old one denies, or vice versa, with the lines responsible. Lines are compared under both
/// configurations. Token keys, settings, invariants and unused sets are compared too.
///
/// Each token is compared with the old tokens that its secrets belonged to, otherwise with the old token of the same
/// name.
///
/// A side is a directory, a compiled policy or a git revision. A revision has its own configuration, invariants and
/// policy directory. `./NAME` is always a path, and `NAME..` as a side is always a revision. The new side must
/// contain the commits of the old one. `A...B` compares B with the merge base of both.
///
/// The exit code is 0 if nothing gives more and every question was settled, and 1 if something gives more. It is 2 for
/// wrong usage, and if neither side has a policy. It is 3 if a side could not be read or has errors under its own
/// configuration, and if a question was not settled in either direction. Every format but text then prints a document
/// with the reason.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  tokenward diff old-policies policies          two directories
  tokenward diff policy.twp policies            a compiled policy and a directory
  tokenward diff main HEAD                      two git revisions; the same as main..HEAD
  tokenward diff main..                         a git revision and the current directory content
  tokenward diff main staging                   another directory, at a git revision and now
  tokenward diff main...HEAD                    what HEAD changed since it left main
  tokenward diff --format markdown main..HEAD   a comment for a pull request")]
pub(in super::super) struct Args {
    /// Format of the output
    #[arg(long, value_enum, default_value_t = Format::Text, conflicts_with = "json")]
    format: Format,
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
    /// Maximum number of states that one proof may visit; beyond it the result is "inconclusive"
    #[arg(long, value_name = "STATES", default_value_t = Analysis::BUDGET)]
    pub(super) budget: u64,
    /// File for certificates of the answers about lines, which `tokenward-verify` checks
    ///
    /// The file has a proof or a request for each answer, as far as certificates can express them. `docs/proofs.md`
    /// describes the format. The certificates do not change the result of the command.
    #[arg(long, value_name = "FILE")]
    pub(super) certificates: Option<PathBuf>,
    /// Configuration of an old side that is a directory or a compiled policy [default: the one next to it]
    #[arg(long, value_name = "FILE")]
    pub(super) old_config: Option<PathBuf>,
    #[command(flatten)]
    pub(super) descriptions: DescriptionArgs,
    #[command(flatten)]
    pub(super) config: ConfigArg,
    /// Old policy: a directory, a compiled policy, a revision, or REVISION..[REVISION]
    #[arg(value_name = "OLD")]
    pub(super) old: String,
    /// New policy: a directory, a compiled policy or a revision
    #[arg(value_name = "NEW")]
    pub(super) new: Option<String>,
}

impl Args {
    pub(super) fn format(&self) -> Format {
        if self.json { Format::Json } else { self.format }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people
    Text,
    /// One JSON object
    Json,
    /// For a comment on a pull request
    Markdown,
    /// SARIF 2.1.0, for tools that show findings next to lines
    Sarif,
    /// JUnit XML
    Junit,
    /// Annotations and the step summary of GitHub Actions
    Github,
    /// GitLab Code Quality
    Gitlab,
}

impl Format {
    /// Writes a comparison to standard output: text for people, and documents as they are.
    pub(super) fn print(self, shown: &str) -> Result<(), Failure> {
        match self {
            Self::Text => output::print(shown),
            Self::Json | Self::Markdown | Self::Sarif | Self::Junit | Self::Github | Self::Gitlab => {
                output::print_raw(shown)
            }
        }
    }
}
