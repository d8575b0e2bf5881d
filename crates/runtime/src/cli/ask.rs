//! `tokenward ask`: answers one question about a policy, without a proxy.

mod asked;
mod equality;
mod json;
mod listing;
mod policy;
mod reach;
mod show;
mod verdict;

use std::path::{Path, PathBuf};

use tokenward_compiler::analysis::{Analysis, Budget, Certificates, Universe};
use tokenward_compiler::ask::{Question, equal, verdicts, who};
use tokenward_pdp::config::Config;
use tokenward_pdp::config::universe::{served, universe};
use tokenward_pdp::forwarded::proxied;

use super::certificates;
use super::failure::Failure;
use super::progress::Progress;
use super::settings::ConfigArg;
use equality::Equality;

pub(super) use asked::{Asked, Blocked};
pub(super) use listing::{ShownLine, Text, displayed, place};
pub(super) use policy::{Policy, wrong};
pub(super) use show::{Ended, Format, end, reaches as show_reaches};

/// Ask which tokens may make requests, or whether two tokens are equal
///
/// Answers one question about a policy, over all possible requests, without a proxy. A question is a limit line:
/// `[delete]/rest/.*`, or `DELETE /rest/.*`. The answer lists the tokens that may make some of the requests that the
/// line matches: by which lines, under which conditions, with an example request.
///
/// With `never`, `only` or `always` before the line, the answer is yes or no: may the tokens make none of these
/// requests, no others, or all of them? Each no has requests as proof.
///
/// The exit code is 0 if the question was answered, and the answer to a yes-or-no question is yes. It is 1 if the answer
/// is no, 2 if the question has an error, and 3 if an answer is not settled or the policy cannot be used.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  tokenward ask 'DELETE /rest/.*'                 which tokens may delete something
  tokenward ask '[post]/rest/api/2/search[JsonData::jql==.*HR.*]'
                                                  the same for a line with conditions
  tokenward ask --token ci 'never [delete].*'     yes or no, for one token
  tokenward ask 'only GET .*'                     yes or no, for all tokens
  tokenward ask --equal ci ci-new                 do two tokens allow the same requests?
  tokenward ask --policies policy.twp --json 'PUT .*'
                                                  a compiled policy, with an answer for programs
  tokenward ask --certificates answer.jsonl 'never [delete].*'
                                                  also a proof for each token, for tokenward-verify")]
pub(super) struct Args {
    /// Only this token
    #[arg(long, value_name = "NAME")]
    token: Option<String>,
    /// Ask whether two tokens allow the same requests
    #[arg(long, num_args = 2, value_names = ["FIRST", "SECOND"], conflicts_with_all = ["token", "question"])]
    equal: Vec<String>,
    /// Format of the output
    #[arg(long, value_enum, default_value_t = Format::Text, conflicts_with = "json")]
    format: Format,
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
    /// Maximum number of states that one proof may visit; beyond it the result is "inconclusive"
    #[arg(long, value_name = "STATES", default_value_t = Analysis::BUDGET)]
    budget: u64,
    /// File for certificates of the answer, which `tokenward-verify` checks
    ///
    /// The file has a proof or a request for each token, as far as certificates can express it. The compiled question is
    /// written to FILE.twp. `docs/proofs.md` describes the format. The certificates do not change the result of the command.
    #[arg(long, value_name = "FILE")]
    certificates: Option<PathBuf>,
    /// Policy directory or compiled policy [default: the configuration's]
    #[arg(long, value_name = "PLACE", visible_alias = "artifact")]
    policies: Option<PathBuf>,
    #[command(flatten)]
    config: ConfigArg,
    /// [never|only|always] and a limit line, or methods and a URL regexp
    #[arg(value_name = "QUESTION", required_unless_present = "equal")]
    question: Vec<String>,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    end(answer(args), args.format())
}

fn answer(args: &Args) -> Result<Ended, Failure> {
    args.certificates.as_deref().map_or(Ok(()), certificates::check)?;
    let config = args.config.or_default()?;
    let budget = Budget::new(args.budget);
    let requests = universe(&config);
    // A question that is wrong needs no policy.
    let question = match args.equal.as_slice() {
        [] => Some(question(&args.question.join(" "), &config, &budget)?),
        _ => None,
    };
    let policy = Policy::read(args.policies.as_deref(), &config)?;
    let Some(question) = question else {
        let equality = compared(&args.equal, &policy, (&config, &budget))?;
        if let Some(file) = &args.certificates {
            certify(file, (&policy, None), (requests, args.budget), |to| {
                equality.certify(to)
            })?;
        }
        return show::equality(&equality, args.format());
    };
    let tokens = match &args.token {
        Some(name) => vec![policy.token(name)?],
        None => policy.tokens(),
    };
    let asked = (&policy.program, tokens.as_slice());
    let settings = (requests, &budget);
    let mut progress = Progress::new("tokens checked");
    let told = |done, of| progress.tell(done, of);
    match question.demand() {
        Some(demand) => {
            let found = verdicts((&question, demand), asked, settings, told).map_err(Failure::trouble)?;
            if let Some(file) = &args.certificates {
                certify(file, (&policy, Some(&question)), (requests, args.budget), |to| {
                    let each = found.iter();
                    each.for_each(|verdict| verdict.certify((&question, demand), PROGRAMS, to));
                })?;
            }
            show::verdicts((&question, demand), &policy, &found, args.format())
        }
        None => {
            let found = who(&question, asked, settings, told).map_err(Failure::trouble)?;
            if let Some(file) = &args.certificates {
                certify(file, (&policy, Some(&question)), (requests, args.budget), |to| {
                    found
                        .iter()
                        .for_each(|reach| reach.certify(&question, PROGRAMS, to));
                })?;
            }
            let what = Asked::line(question.line());
            show_reaches(&what, &policy, (&found, &[]), args.format())
        }
    }
}

impl Args {
    fn format(&self) -> Format {
        if self.json { Format::Json } else { self.format }
    }
}

/// The numbers of the policy and of the question in a certificate.
const PROGRAMS: (usize, usize) = (0, 1);

/// Writes the certificates of an answer. They have a budget of their own.
fn certify<'p>(
    file: &Path,
    (policy, question): (&'p Policy, Option<&'p Question>),
    (requests, budget): (Universe, u64),
    collect: impl FnOnce(&mut Certificates<'p>),
) -> Result<(), Failure> {
    let sides = [&policy.program]
        .into_iter()
        .chain(question.map(Question::program));
    let mut collected = Certificates::new(sides.collect(), requests, Budget::new(budget));
    collect(&mut collected);
    let demands = question.map(|question| ("the compiled question", question.artifact()));
    certificates::write(file, collected, demands)
}

fn question(text: &str, config: &Config, budget: &Budget) -> Result<Question, Failure> {
    let upstream = &config.upstream;
    let question = Question::parse(text, &upstream.public_url, upstream.product.merges())
        .map_err(|error| wrong(&error))?;
    let checked = question.check(universe(config), &served(config), budget);
    checked
        .map_err(Failure::trouble)?
        .map_err(|error| wrong(&error))?;
    Ok(question.behind(proxied(config)?))
}

fn compared<'p>(
    names: &[String],
    policy: &'p Policy,
    (config, budget): (&Config, &Budget),
) -> Result<Equality<'p>, Failure> {
    let [first, second] = names else {
        return Err(Failure::Usage("--equal takes the names of two tokens".to_owned()));
    };
    let (first, second) = (policy.token(first)?, policy.token(second)?);
    let program = &policy.program;
    let proxied = proxied(config)?;
    let settings = (universe(config), Some(&proxied), budget);
    let compared = equal(program, (first, second), settings).map_err(Failure::trouble)?;
    Ok(Equality {
        program,
        first,
        second,
        compared,
    })
}
