//! The arguments of `tokenward compile`, and the inputs that they name.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use jiff::Timestamp;
use tokenward_compiler::analysis::Analysis;
use tokenward_pdp::config::Config;

use super::super::descriptions::DescriptionArgs;
use super::super::failure::Failure;
use super::super::settings::ConfigArg;
use super::super::time::past;
use super::accepted::Accepted;
use super::fixing::Mode as Fixes;
use super::format::Format;
use super::lint::Lint;
use super::new_access::{Base, Question};
use super::watch::Watched;

/// Check policy files, and compile them to one file
///
/// Reads the *.toml and *.limits files of a directory and reports every error and warning with its place. Warnings
/// include lines that match no request, redundant lines, and forbid lines without effect. Proves the invariants of
/// invariants.toml.
///
/// With -o, the command writes the compiled policy if there is no error. This is one file that `tokenward serve` can
/// load instead of the directory.
///
/// The exit code is 1 if there is an error. Warnings alone do not change the exit code 0, unless --deny warnings is
/// given.
#[derive(Clone, clap::Args)]
#[command(after_help = "\
Examples:
  tokenward compile                     the directory that tokenward.toml names, or policies
  tokenward compile --check --deny warnings policies
                                        the same for a directory, as CI would run it
  tokenward compile --check --no-new-access main
                                        fail on any new access compared with the git revision main
  tokenward compile --format json       one JSON object per line, on standard output
  tokenward compile --check --format sarif > policy.sarif
                                        for a tool that shows findings next to lines
  tokenward compile --check --baseline accepted.toml
                                        count the findings that accepted.toml lists, show the others
  tokenward compile --check --fix       write the fixes that are proved to change no access
  tokenward compile --check --fix=narrow --diff
                                        show also those that are proved to allow less
  tokenward compile --check --watch     check again after each change, until Ctrl-C
  tokenward compile -o policy.twp       write the compiled policy; serve it with policies = \"policy.twp\"
  tokenward compile -o policy.twp --sign artifact.key
                                        the same, signed, as secure mode requires")]
pub(in crate::cli) struct Args {
    /// Only check; write nothing
    #[arg(long, conflicts_with = "output")]
    pub(super) check: bool,
    /// Check again after each change of the policy or the configuration, until Ctrl-C
    ///
    /// The findings are printed again if they change. The exit code is that of the last check.
    #[arg(long, requires = "check", conflicts_with_all = ["json", "write_baseline"])]
    pub(super) watch: bool,
    /// File to write
    ///
    /// The command writes the compiled policy only if there is no error.
    #[arg(short, long, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
    /// Sign the compiled policy with this artifact key [default: the configuration's artifact_key]
    #[arg(long, value_name = "KEY", requires = "output")]
    pub(super) sign: Option<PathBuf>,
    /// Fail on warnings as on errors [default: the configuration's warnings]
    #[arg(long, value_name = "WARNINGS")]
    pub(super) deny: Option<Deny>,
    /// Set of lints: warnings about lines that are probably not meant [default: the configuration's, or regular]
    #[arg(long, value_enum, value_name = "SET")]
    pub(super) lint: Option<Lint>,
    /// Format of the output
    #[arg(long, value_enum, default_value_t = Format::Text, conflicts_with = "json")]
    pub(super) format: Format,
    /// Print JSON, for programs
    #[arg(long)]
    pub(super) json: bool,
    /// Count the findings that this file accepts instead of showing them
    ///
    /// Only warnings can be accepted, and none about new access. An entry that no finding needs, or whose `until` has
    /// passed, is an error.
    #[arg(long, value_name = "FILE")]
    pub(super) baseline: Option<PathBuf>,
    /// Write the warnings to the baseline file; entries that are still needed keep their reasons
    ///
    /// New entries have an empty `why`, which is an error until somebody explains it.
    #[arg(long, requires = "baseline", conflicts_with = "output")]
    pub(super) write_baseline: bool,
    /// Write the fixes that are proved equivalent, or with --fix=narrow also those that are proved to allow less
    ///
    /// Each fix is proved over all requests, for every token that has the line. Sealed and reviewed lines, and lines that a
    /// comment excepts from a warning, stay as they are. The rest of the policy is then checked as usual.
    #[arg(
        long,
        value_name = "FIXES",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "equivalent",
        conflicts_with_all = ["output", "write_baseline"]
    )]
    pub(super) fix: Option<Fixes>,
    /// Show the fixes as a unified diff, and write nothing; the exit code is 1 if there are any
    #[arg(long, requires = "fix", conflicts_with = "json")]
    pub(super) diff: bool,
    /// Audit whose calls a fix must still allow; a fix that would deny one is not written
    #[arg(long, value_name = "PATH", requires = "fix")]
    pub(super) audit: Option<PathBuf>,
    /// Time from which on calls of the audit count [default: 30d]
    #[arg(long, value_name = "TIME", requires = "audit")]
    pub(super) since: Option<String>,
    /// Fail on any new access compared with BASE, unless BASE's reviewed.toml lists it
    ///
    /// BASE is a git revision, a directory or a compiled policy, with its own configuration, invariants and reviews.
    /// `./NAME` is always a path, and `NAME..` is always a revision. The work tree must contain the commits of BASE.
    ///
    /// The comparison covers lines, credentials, users, times, addresses, rights, settings and invariants.
    #[arg(long, value_name = "BASE")]
    pub(super) no_new_access: Option<String>,
    /// Also accept the reviews of the new side; use it only for a change that an owner approved
    #[arg(long, requires = "no_new_access")]
    pub(super) accept_reviews: bool,
    /// Configuration of an old side that is a directory or a compiled policy [default: the one next to it]
    #[arg(long, value_name = "FILE", requires = "no_new_access")]
    pub(super) old_config: Option<PathBuf>,
    /// Prove that the optimised program and the compiled file decide like the unoptimised program
    #[arg(long)]
    pub(super) paranoid: bool,
    /// Maximum number of states that one proof may visit; beyond it the result is "inconclusive"
    ///
    /// All proofs of a run together may take 2,500 steps for each of these states, and 2 more for each token. If a
    /// result is inconclusive, the exit code is never 0.
    #[arg(long, value_name = "STATES", default_value_t = Analysis::BUDGET)]
    pub(super) budget: u64,
    /// File for certificates of the invariants and of the findings, which `tokenward-verify` checks
    ///
    /// The file has a proof or a request for each answer about an invariant, and for each finding that is shown and rests on a
    /// proof, as far as certificates can express it. The compiled invariants are written to FILE.twp. `docs/proofs.md`
    /// describes the format. The certificates do not change the result of the command.
    #[arg(long, value_name = "FILE", conflicts_with = "watch")]
    pub(super) certificates: Option<PathBuf>,
    #[command(flatten)]
    pub(super) descriptions: DescriptionArgs,
    /// Whether another command publishes the compiled policy
    #[arg(skip)]
    pub(super) publishes: bool,
    #[command(flatten)]
    pub(super) config: ConfigArg,
    /// Policy directory [default: the configuration's]
    #[arg(value_name = "DIR")]
    pub(super) directory: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
pub(super) enum Deny {
    /// All warnings
    Warnings,
}

/// Period of recorded calls that a fix must still allow.
const SINCE: &str = "30d";

impl Args {
    /// The arguments of a command that publishes the policy.
    pub(in crate::cli) fn publishing(
        directory: Option<PathBuf>,
        sign: Option<PathBuf>,
        config: ConfigArg,
    ) -> Self {
        Self {
            check: false,
            watch: false,
            output: None,
            sign,
            deny: None,
            lint: None,
            format: Format::Text,
            json: false,
            baseline: None,
            write_baseline: false,
            fix: None,
            diff: false,
            audit: None,
            since: None,
            no_new_access: None,
            accept_reviews: false,
            old_config: None,
            paranoid: false,
            budget: Analysis::BUDGET,
            certificates: None,
            descriptions: DescriptionArgs::default(),
            publishes: true,
            config,
            directory,
        }
    }

    /// The places that a check reads.
    pub(super) fn watched(&self) -> Watched {
        // A configuration with errors names no directory. Its correction is a change.
        let named = self.config.or_default().ok().map(|config| config.policies);
        let usual = || PathBuf::from("policies");
        let mut others = vec![self.config.path().to_owned()];
        others.extend(self.baseline.clone());
        others.extend(self.old_config.clone());
        if let Some(base) = &self.no_new_access {
            others.push(PathBuf::from(base));
            others.extend(Watched::branches());
        }
        Watched {
            policies: self.directory.clone().or(named).unwrap_or_else(usual),
            others,
        }
    }

    /// The reason why the configuration has errors, if the gate would refuse it in any case: it is a link.
    pub(super) fn linked(&self, error: Failure) -> Failure {
        let file = self.config.path();
        let is_link = file
            .symlink_metadata()
            .is_ok_and(|metadata| metadata.is_symlink());
        if self.no_new_access.is_none() || !is_link {
            return error;
        }
        Failure::Trouble(format!(
            "`{}` is a symbolic link; replace it by the file itself",
            file.display()
        ))
    }

    pub(super) fn format(&self) -> Format {
        if self.json { Format::Json } else { self.format }
    }

    /// The configuration, with the lints that the command line names.
    pub(super) fn linting(&self, mut config: Config) -> Config {
        if let Some(lint) = self.lint {
            config.lint.set = lint.set();
        }
        config
    }

    /// The time from which on recorded calls count, milliseconds since 1970 UTC.
    pub(super) fn since(&self) -> Result<i64, Failure> {
        let text = self.since.as_deref().unwrap_or(SINCE);
        let time = past(text, Timestamp::now());
        let time = time.map_err(|why| Failure::Usage(format!("--since: {why}")))?;
        Ok(time.as_millisecond())
    }

    pub(super) fn denies_warnings(&self, config: &Config) -> bool {
        self.deny.is_some() || config.deny_warnings
    }

    /// The baseline, if the command line names one.
    pub(super) fn accepted(&self, policies: &Path) -> Result<Option<Accepted>, Failure> {
        let file = self.baseline.as_deref();
        file.map(|file| Accepted::read(file, self.write_baseline, policies))
            .transpose()
    }

    /// What the policy in `directory` is compared with, if it is.
    pub(super) fn base(&self, directory: &Path) -> Result<Option<Base>, Failure> {
        let Some(base) = &self.no_new_access else {
            return Ok(None);
        };
        Base::read(&Question {
            base,
            config: &self.config,
            old_config: self.old_config.as_deref(),
            directory: self.directory.as_deref(),
            policies: directory,
            accept_reviews: self.accept_reviews,
        })
        .map(Some)
    }
}
