//! `tokenward test`: runs the tests of a policy, and finds out what they do not show.

mod files;
mod json;
mod junit;
mod policy;
mod results;
mod text;

use std::path::PathBuf;

use clap::ValueEnum;
use tokenward_compiler::analysis::{Analysis, Budget};
use tokenward_compiler::diagnostic::render_text;
use tokenward_pdp::config::universe::universe;
use tokenward_pdp::forwarded::proxied;
use tokenward_pdp::plural::plural;
use tokenward_pdp::testing::{self, Bench, Case, Fate, Lab, Mutation, Terms};

use super::failure::Failure;
use super::output;
use super::progress::Progress;
use super::settings::ConfigArg;
use files::write_new;
use policy::Policy;
use results::Results;

/// Run the tests of a policy
///
/// Tests are `[[test]]` entries in `*.toml` files of directories named `tests` below the policy directory. Each names
/// a token and a request, and expects `allow` or `deny`, if needed by a line or for a reason. Each request takes the
/// steps of the proxy: its parsing, the token, the user, the address, the time, the lines and the body.
///
/// --coverage lists the lines, conditions, methods and alternatives that no test makes decide. --mutate changes the
/// policy in the ways in which people err, and lists the changes that no test notices, each with a request that would.
/// --generate writes such requests as tests, to review and keep.
///
/// The exit code is 1 if a test fails, or if the coverage or the score is too low, and 2 if a file cannot be read or
/// there are no tests. It is 3 if changes of --mutate could not be settled.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  tokenward test                        the tests of the policy that tokenward.toml names, or of policies
  tokenward test policies/tests/ci.toml --filter comments
                                        some of them
  tokenward test --coverage             also list what no test makes decide
  tokenward test --mutate --min-score 90
                                        also try mistakes; fail if the tests notice fewer than 90 %
  tokenward test --generate ci-comments -o policies/tests/ci-comments.toml
                                        write tests for the boundaries of a token's lines
  tokenward test --format junit > tests.xml
                                        for a CI system")]
pub(super) struct Args {
    /// Run only tests whose name, file or token contains this text
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// List the lines, conditions, methods and alternatives that no test makes decide
    #[arg(long)]
    coverage: bool,
    /// Fail if fewer lines and parts are covered, in percent
    #[arg(long, value_name = "PERCENT", requires = "coverage", value_parser = percent)]
    min_coverage: Option<f64>,
    /// Change the policy in the ways in which people err, and list the changes that no test notices
    #[arg(long)]
    mutate: bool,
    /// Fail if the tests notice fewer of the changes, in percent
    #[arg(long, value_name = "PERCENT", requires = "mutate", value_parser = percent, default_value_t = 100.0)]
    min_score: f64,
    /// Maximum number of changes to try; if there are more, evenly chosen ones
    #[arg(long, value_name = "COUNT", default_value_t = 5_000, value_parser = clap::value_parser!(u32).range(1..))]
    max_mutants: u32,
    /// Write tests at the boundaries of a token's lines, or of one line given as FILE:NUMBER or by its text
    #[arg(long, value_name = "TOKEN|LINE", conflicts_with_all = ["coverage", "mutate", "filter"])]
    generate: Option<String>,
    /// File to write
    ///
    /// The file must not exist.
    #[arg(short, long, value_name = "FILE", requires = "generate")]
    output: Option<PathBuf>,
    /// Time of the request: 2027-06-30 or 2027-06-30T12:00:00Z [default: now]
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// Policy directory or compiled policy [default: the configuration's]
    #[arg(long, value_name = "PLACE", visible_alias = "artifact")]
    policies: Option<PathBuf>,
    /// Format of the output
    #[arg(long, value_enum, default_value_t = Format::Text, conflicts_with = "json")]
    format: Format,
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
    /// Maximum number of states that one proof may visit; beyond it the result is "inconclusive"
    #[arg(long, value_name = "STATES", default_value_t = Analysis::BUDGET)]
    budget: u64,
    #[command(flatten)]
    config: ConfigArg,
    /// Files and directories of tests [default: the directories named tests of the policy]
    #[arg(value_name = "PATH", conflicts_with = "generate")]
    paths: Vec<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// One JSON object
    Json,
    /// XML, for CI systems
    Junit,
}

fn percent(text: &str) -> Result<f64, String> {
    let number = text.parse::<f64>().ok();
    number
        .filter(|number| (0.0..=100.0).contains(number))
        .ok_or_else(|| "write a number from 0 to 100".to_owned())
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    // Read the configuration and the policy.
    let config = args.config.or_default()?;
    let now_ms = args.time()?;
    let policy = Policy::read(args.policies.as_deref(), &config, now_ms)?;
    let bench = Bench::new(&config, now_ms)?;
    let lab = policy
        .sources()
        .map(|(sources, source_map)| Lab::new((sources, &policy.program, source_map), &bench));
    let needs_files = args.coverage || args.mutate || args.generate.is_some();
    if needs_files && lab.is_none() {
        return Err(Failure::Usage(format!(
            "`{}` is a compiled policy; --coverage, --mutate and --generate need the policy directory",
            policy.shown
        )));
    }
    let (proxied, budget) = (proxied(&config)?, Budget::new(args.budget));
    let terms = Terms {
        universe: universe(&config),
        proxied: &proxied,
        budget: &budget,
    };
    if let (Some(what), Some(lab)) = (&args.generate, &lab) {
        return generate(args, what, lab, terms);
    }
    // Read and run the tests.
    let read = files::read(&args.paths, &policy)?;
    let tests = testing::read(&read, &policy.program, &bench);
    if !tests.errors.is_empty() {
        output::note_raw(&render_text(&read, &tests.errors, output::colours()));
        let count = tests.errors.len();
        return Err(Failure::Usage(format!(
            "{count} {} in the tests; no test was run",
            plural(count, "error")
        )));
    }
    let all = tests.cases.len();
    let cases = args.selected(tests.cases);
    if cases.is_empty() {
        return Err(no_tests(args, &policy, all));
    }
    // Find out what they do not show.
    let coverage = match lab.as_ref().filter(|_| args.coverage) {
        None => None,
        Some(lab) => {
            let mut progress = Progress::new("lines tried");
            let found = testing::coverage(lab, &cases, |done, of| progress.tell(done, of));
            Some(found.map_err(Failure::trouble)?)
        }
    };
    // Changes are tried with tests that pass: any other would notice every change.
    let failed = cases.iter().filter(|case| !case.passes()).count();
    let mutation = match lab.as_ref().filter(|_| args.mutate && failed == 0) {
        None => None,
        Some(lab) => Some(args.mutated(lab, &cases, terms)?),
    };
    let results = Results {
        cases: &cases,
        left_out: all - cases.len(),
        coverage: coverage.as_ref(),
        mutation: mutation.as_ref(),
    };
    args.print(&results, lab.as_ref())?;
    args.judged(&results, failed)
}

impl Args {
    fn format(&self) -> Format {
        if self.json { Format::Json } else { self.format }
    }

    fn time(&self) -> Result<i64, Failure> {
        let Some(text) = self.at.as_deref() else {
            return Ok(super::time::now_ms());
        };
        let time = super::time::absolute(text).ok_or_else(|| {
            Failure::Usage(format!(
                "--at: `{text}` is not a time; write 2027-06-30 or 2027-06-30T12:00:00Z"
            ))
        })?;
        Ok(time.as_millisecond())
    }

    fn selected(&self, cases: Vec<Case>) -> Vec<Case> {
        let Some(filter) = &self.filter else {
            return cases;
        };
        let cases = cases.into_iter();
        cases
            .filter(|case| {
                let texts = [&case.name, &case.file, &case.question.token];
                texts.iter().any(|text| text.contains(filter.as_str()))
            })
            .collect()
    }

    fn mutated(&self, lab: &Lab<'_>, cases: &[Case], terms: Terms<'_>) -> Result<Mutation, Failure> {
        let mut progress = Progress::new("changes tried");
        let most = usize::try_from(self.max_mutants).unwrap_or(usize::MAX);
        let told = |done, of| progress.tell(done, of);
        testing::mutate(lab, cases, (terms, most), told).map_err(Failure::trouble)
    }

    fn print(&self, results: &Results<'_>, lab: Option<&Lab<'_>>) -> Result<(), Failure> {
        match self.format() {
            Format::Text => output::print(&text::of(results, lab)),
            Format::Json => output::print_json(&json::of(results)),
            Format::Junit => output::print_raw(&junit::of(results)),
        }
    }

    /// The exit code of a run.
    fn judged(&self, results: &Results<'_>, failed: usize) -> Result<(), Failure> {
        if failed > 0 {
            let tried = match self.mutate {
                true => "; no changes were tried, because each of them needs tests that pass",
                false => "",
            };
            return Err(Failure::Findings(format!(
                "{failed} of {} {} failed{tried}",
                results.cases.len(),
                plural(results.cases.len(), "test")
            )));
        }
        if let (Some(coverage), Some(least)) = (results.coverage, self.min_coverage) {
            let percent = text::percent(coverage.counts());
            if percent < least {
                return Err(Failure::Findings(format!(
                    "the tests cover {percent:.1} %, and --min-coverage is {least}; add tests for the listed parts"
                )));
            }
        }
        let Some(mutation) = results.mutation else {
            return Ok(());
        };
        match mutation.score() {
            Some(score) if score < self.min_score => Err(Failure::Findings(format!(
                "the tests notice {score:.1} % of the changes, and --min-score is {}; add tests with the requests shown, or use --min-score",
                self.min_score
            ))),
            _ if mutation.open() > 0 => Err(Failure::Trouble(format!(
                "{} {} could not be settled within the budget; raise --budget",
                mutation.open(),
                plural(mutation.open(), "change")
            ))),
            None => Err(Failure::Usage(
                "no change of the policy could be tried: its tokens have no lines, or have ended".to_owned(),
            )),
            Some(_) => Ok(()),
        }
    }
}

/// The failure of a run without tests: a wrong path or filter must not look like success.
fn no_tests(args: &Args, policy: &Policy, all: usize) -> Failure {
    Failure::Usage(match (&args.filter, all) {
        (Some(filter), 1..) => format!(
            "no test has `{filter}` in its name, file or token; {all} {} left out",
            plural(all, "test")
        ),
        _ if args.paths.is_empty() => format!(
            "there are no tests: `{0}` has no `*.toml` file with `[[test]]` entries in a directory named `tests`; \
             `tokenward test --generate TOKEN -o {0}/tests/TOKEN.toml` writes some",
            policy.shown
        ),
        _ => "the files have no tests; write `[[test]]` above each test".to_owned(),
    })
}

/// Writes tests for the boundaries of the lines that are named.
fn generate(args: &Args, what: &str, lab: &Lab<'_>, terms: Terms<'_>) -> Result<(), Failure> {
    let chosen = policy::lines_of(what, lab)?;
    let all = chosen.len();
    let mut progress = Progress::new("changes tried");
    let told = |done, of| progress.tell(done, of);
    let most = usize::try_from(args.max_mutants).unwrap_or(usize::MAX);
    let mutation = testing::mutate_lines(lab, chosen, &[], (terms, most), told).map_err(Failure::trouble)?;
    let generated = testing::generate(lab, &mutation);
    let open = mutation
        .tried
        .iter()
        .filter(|tried| matches!(tried.fate, Fate::Open))
        .count();
    if open > 0 {
        output::note(&format!(
            "tokenward: {open} {} left out: the proof was not settled within the budget; raise --budget",
            plural(open, "test")
        ));
    }
    if generated.count == 0 {
        return Err(Failure::Findings(format!(
            "no request shows a boundary of `{what}`: the proxy forwards none that its lines decide ({all} {} looked at)",
            plural(all, "line")
        )));
    }
    let Some(file) = &args.output else {
        return output::print_raw(&generated.text);
    };
    write_new(&generated.text, file).map_err(|error| {
        Failure::Usage(format!(
            "cannot write the tests to `{}`: {error}; nothing was written",
            file.display()
        ))
    })?;
    output::print(&format!(
        "{}: {} {} to review\n",
        file.display(),
        generated.count,
        plural(generated.count, "test")
    ))
}
