//! `tokenward reach`: the operations of the API that tokens and lines reach.

mod drift;
mod json;
mod markdown;
mod overview;
mod reviews;
mod text;
mod view;

use std::path::PathBuf;

use clap::ValueEnum;
use tokenward_compiler::analysis::{Analysis, Budget};
use tokenward_compiler::reach::{Survey, survey};

use super::ask::Policy;
use super::descriptions::{Described, DescriptionArgs, catalogue};
use super::failure::Failure;
use super::output;
use super::progress::Progress;
use super::settings::ConfigArg;
use crate::config::Config;
use crate::config::universe::universe;
use tokenward_pdp::forwarded::proxied;
use view::View;

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
  tokenward reach --format markdown policies > reach.md")]
pub(super) struct Args {
    #[command(flatten)]
    descriptions: DescriptionArgs,
    /// Earlier version of the description; repeatable
    #[arg(long, value_name = "OLD", conflicts_with = "operation")]
    against: Vec<PathBuf>,
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
    /// Policy directory or compiled policy [default: the configuration's]
    #[arg(value_name = "POLICIES")]
    policies: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people
    Table,
    /// One JSON object
    Json,
    /// For a comment on a pull request
    Markdown,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let format = if args.json { Format::Json } else { args.format };
    let ended = answer(args, format);
    if let Err(failure) = &ended
        && format == Format::Json
        && !failure.message().is_empty()
        && !matches!(failure, Failure::Findings(_) | Failure::NoReader)
    {
        let answer = serde_json::json!({ "version": 1, "settled": false, "error": failure.message() });
        // What failed first is the reason to report.
        let _ = output::print_json(&answer);
    }
    ended
}

fn answer(args: &Args, format: Format) -> Result<(), Failure> {
    let config = args.config.or_default()?;
    let described = args.descriptions.read(&config)?;
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
    let policy = Policy::read(args.policies.as_deref(), &config)?;
    let budget = Budget::new(args.budget);
    let token = args.token.as_deref();
    match old {
        Some(old) => {
            let policies = args.policies.as_deref().unwrap_or(&config.policies);
            drift::run(
                (&old, &described),
                (&policy, token),
                (&config, policies),
                (&budget, format),
            )
        }
        None => show(
            (&described, operation),
            (&policy, token),
            (&config, &budget),
            format,
        ),
    }
}

/// Shows what tokens reach: all operations, or one.
pub(super) fn show(
    (described, operation): (&Described, Option<usize>),
    (policy, token): (&Policy, Option<&str>),
    (config, budget): (&Config, &Budget),
    format: Format,
) -> Result<(), Failure> {
    let chosen: Vec<usize> = match operation {
        Some(at) => vec![at],
        None => (0..described.all.operations.len()).collect(),
    };
    let operations: Vec<_> = chosen
        .iter()
        .filter_map(|at| described.all.operations.get(*at))
        .collect();
    let survey = surveyed(&operations, (policy, token), (config, budget))?;
    let view = View {
        policy,
        operations: &operations,
        survey: &survey,
        files: &described.files,
        is_one_token: token.is_some(),
        is_one_operation: operation.is_some(),
    };
    match format {
        Format::Table => output::print(&text::text(&view))?,
        Format::Markdown => output::print(&markdown::markdown(&view))?,
        Format::Json => json::print(&view)?,
    }
    end(&view)
}

/// What tokens reach of operations.
fn surveyed(
    operations: &[&tokenward_openapi::Operation],
    (policy, token): (&Policy, Option<&str>),
    (config, budget): (&Config, &Budget),
) -> Result<Survey, Failure> {
    let tokens = match token {
        Some(name) => vec![policy.token(name)?],
        None => policy.tokens(),
    };
    let catalogue = catalogue(operations.iter().copied(), config)?;
    let proxied = proxied(config)?;
    let mut progress = Progress::new("tokens checked");
    let told = |done, of| progress.tell(done, of);
    let settings = (universe(config), Some(&proxied), budget);
    survey(&catalogue, (&policy.program, &tokens), settings, told).map_err(Failure::trouble)
}

fn end(view: &View<'_>) -> Result<(), Failure> {
    if !view.survey.is_settled() {
        return Err(unsettled());
    }
    match view.no_line_reaches_any() {
        Some(why) => Err(Failure::Findings(why)),
        None => Ok(()),
    }
}

fn unsettled() -> Failure {
    Failure::Trouble(
        "a part of the answer was not settled within the budget; ask about one token or one operation, or use a larger --budget"
            .to_owned(),
    )
}
