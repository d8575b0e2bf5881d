//! `tokenward reach`: the operations of the API that tokens and lines reach.

mod defects;
mod drift;
mod json;
mod markdown;
mod overview;
mod reviews;
mod shown;
mod survey;
mod text;
mod view;

use std::path::PathBuf;

use tokenward_compiler::analysis::{Analysis, Budget};

use super::ask::{Ended, Policy};
use super::descriptions::DescriptionArgs;
use super::failure::Failure;
use super::output;
use super::settings::{ConfigArg, PolicyArg};
use reviews::Reviews;

pub(super) use shown::{Format, show};

/// Show which operations of the API the tokens reach
///
/// Reads descriptions of the API (OpenAPI 3.0 to 3.2, or Swagger 2, in JSON or YAML), and computes for each token and each
/// line which operations it reaches: fully, or in part, with a call that is allowed and one that is not. It needs no
/// proxy and makes no call. Forbid lines, conditions, endpoints, `mint` and `escalate` are considered.
///
/// With --against, it compares two versions of a description: the operations that are new, moved or gone, and those that
/// lines reach although nobody reviewed it.
///
/// The exit code is 0 if everything was settled. It is 1 if lines reach new operations that nobody reviewed, or if no line
/// reaches any operation, 2 if a name or a description is wrong, and 3 if an answer is not settled or the policy cannot be
/// used.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  tokenward reach --openapi jira.json             every token, in numbers
  tokenward reach --openapi jira.json --token ci  the operations that one token reaches
  tokenward reach --openapi jira.json --operation deleteIssue
                                                  the tokens that reach one operation
  tokenward reach --openapi new.json --against old.json
                                                  the operations that lines newly reach, as a check for CI
  tokenward reach --openapi jira.json --defects   the places that could not be read
  tokenward reach --format markdown policies > reach.md")]
pub(super) struct Args {
    #[command(flatten)]
    descriptions: DescriptionArgs,
    /// Earlier version of the description; repeatable
    #[arg(long, value_name = "OLD", conflicts_with = "operation")]
    against: Vec<PathBuf>,
    /// List the places of the descriptions that could not be read, and end
    #[arg(long, conflicts_with_all = ["against", "operation", "token"])]
    defects: bool,
    /// Only this token
    #[arg(long, value_name = "NAME")]
    token: Option<String>,
    /// Only this operation: its `operationId`, or its method and path
    #[arg(long, value_name = "OPERATION")]
    operation: Option<String>,
    /// Format of the output
    #[arg(long, value_enum, default_value_t = Format::Table, conflicts_with = "json")]
    format: Format,
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
    /// Maximum number of states that one proof may visit; beyond it the result is "inconclusive"
    #[arg(long, value_name = "STATES", default_value_t = Analysis::BUDGET)]
    budget: u64,
    #[command(flatten)]
    config: ConfigArg,
    #[command(flatten)]
    policies: PolicyArg,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let format = if args.json { Format::Json } else { args.format };
    let failure = match answer(args, format) {
        Ok(ended) => return ended,
        Err(failure) => failure,
    };
    if format == Format::Json && !matches!(failure, Failure::NoReader) {
        let answer = serde_json::json!({ "version": 1, "settled": false, "error": failure.message() });
        // What failed first is the reason to report.
        let _ = output::print_json(&answer);
    }
    Err(failure)
}

/// The answer, which is shown, and the end of the command.
fn answer(args: &Args, format: Format) -> Result<Ended, Failure> {
    let config = args.config.or_default()?;
    let described = args.descriptions.read(&config)?;
    if args.defects {
        return defects::show(&described, format);
    }
    // A name that is wrong needs no policy.
    let operation = args
        .operation
        .as_deref()
        .map(|name| described.find(name))
        .transpose()?;
    let old = match args.against.as_slice() {
        [] => None,
        files => Some(args.descriptions.read_files(files)?),
    };
    let policy = Policy::read(args.policies.named(), &config)?;
    let budget = Budget::new(args.budget);
    let token = args.token.as_deref();
    match old {
        Some(old) => {
            let policies = args.policies.named().unwrap_or(&config.policies);
            drift::run(
                (&old, &described),
                (&policy, token),
                (&config, policies),
                (&budget, format),
            )
        }
        None => {
            if operation.is_none() && token.is_none() {
                // What is wrong with the reviews is the matter of `compile` and of a comparison.
                let policies = args.policies.named().unwrap_or(&config.policies);
                if let Ok(reviews) = Reviews::read(policies) {
                    reviews.note_idle((&described, &policy.program), (&config, &budget))?;
                }
            }
            show(
                (&described, operation),
                (&policy, token),
                (&config, &budget),
                format,
            )
        }
    }
}
