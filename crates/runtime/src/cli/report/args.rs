//! The arguments of `tokenward report`.

use std::path::PathBuf;

use jiff::Timestamp;
use tokenward_compiler::analysis::Analysis;

use super::super::audit::shown;
use super::super::descriptions::DescriptionArgs;
use super::super::failure::Failure;
use super::super::settings::{ConfigArg, PolicyArg};
use super::super::time;

/// Write a page for auditors: what each token can do, who owns it, and whether it is used
///
/// The page is one HTML file without scripts, which loads nothing and prints well. It shows each token in words and in
/// operations of the API (`--openapi`, or `[api] descriptions` in the configuration), its owner, its end and its last use
/// (from the audit), the findings of the compiler, the access that was never used, and what changed since a base.
///
/// If the policy has errors, the page shows those and no tokens. There is no other format: for programs, `tokenward reach`,
/// `audit stats` and `diff` print JSON.
///
/// The same input and the same --at give the same bytes. The report contains names, URLs and lines of the policy, and no
/// secrets.
///
/// The exit code is 0 if everything was read and settled. It is 1 if the policy has errors, 2 if an argument, a name or a
/// description is wrong, and 3 if a file could not be read or an answer is not settled; the page then says what is missing.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  tokenward report -o report.html                 the policy and the audit of the configuration
  tokenward report --openapi jira.json -o report.html
                                                  with the operations of the API
  tokenward report --audit backup/audit --since 90d -o report.html
                                                  with the calls of an audit's copy
  tokenward report --against v1.4 -o report.html  with the changes since a git revision
  tokenward report --at 2027-06-30 > report.html  as of a day")]
pub(in super::super) struct Args {
    #[command(flatten)]
    pub(super) descriptions: DescriptionArgs,
    /// Audit with the calls: a store directory, backup or proof [default: the configuration's, if there is one]
    #[arg(long, value_name = "PATH")]
    pub(super) audit: Option<PathBuf>,
    /// Only calls from this time on: 90d (ago), 2027-06-30 or 2027-06-30T12:00:00Z
    #[arg(long, value_name = "TIME")]
    pub(super) since: Option<String>,
    /// Policy to compare with: a directory, a compiled policy or a revision
    #[arg(long, value_name = "OLD")]
    pub(super) against: Option<String>,
    /// Configuration of an old side that is a directory or a compiled policy [default: the one next to it]
    #[arg(long, value_name = "FILE", requires = "against")]
    pub(super) old_config: Option<PathBuf>,
    /// Only this token
    #[arg(long, value_name = "NAME")]
    pub(super) token: Vec<String>,
    /// Time of the report: 2027-06-30 or 2027-06-30T12:00:00Z [default: now]
    #[arg(long, value_name = "TIME")]
    pub(super) at: Option<String>,
    /// File to write
    ///
    /// An existing file is replaced. Without the option, the page is written to standard output.
    #[arg(short, long, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
    /// Maximum number of states that one proof may visit; beyond it the result is "inconclusive"
    #[arg(long, value_name = "STATES", default_value_t = Analysis::BUDGET)]
    pub(super) budget: u64,
    #[command(flatten)]
    pub(super) config: ConfigArg,
    #[command(flatten)]
    pub(super) policies: PolicyArg,
}

impl Args {
    /// The time of the report.
    pub(super) fn at(&self) -> Result<Timestamp, Failure> {
        let Some(text) = &self.at else {
            return Ok(Timestamp::now());
        };
        time::absolute(text).ok_or_else(|| {
            Failure::Usage(shown(&format!(
                "--at: `{text}` is not a time; write 2027-06-30 or 2027-06-30T12:00:00Z"
            )))
        })
    }

    /// The time from which on calls count, in milliseconds since 1970 UTC.
    pub(super) fn since_ms(&self, at: Timestamp) -> Result<Option<i64>, Failure> {
        let Some(text) = &self.since else {
            return Ok(None);
        };
        let since = time::past(text, at);
        let since = since.map_err(|message| Failure::Usage(shown(&format!("--since: {message}"))))?;
        if since > at {
            return Err(Failure::Usage(shown(&format!(
                "--since: `{text}` is after the time of the report"
            ))));
        }
        Ok(Some(since.as_millisecond()))
    }
}
