//! `tokenward diff`: what a change of policy newly allows and newly denies.

pub(super) mod attributes;
mod configuration;
mod json;
mod markdown;
pub(super) mod report;
mod sarif;
mod text;

use std::path::PathBuf;

use clap::ValueEnum;
use tokenward_compiler::analysis::{Analysis, Universe};

use super::failure::Failure;
use super::output;
use super::place::Place;
use super::progress::Progress;
use super::settings::ConfigArg;
use super::universe::universe;
use crate::config::Config;
use report::Report;

/// Show what a change of policy newly allows and newly denies
///
/// Compares two policies token by token, over all requests there can be, and shows a request for every difference: one
/// that the new policy allows and the old one denies, or the other way round, with the lines responsible. Tokens are
/// paired by their secret's hash, then by name. Users, expiry, addresses and the like are compared too, and the settings that
/// policies depend on.
///
/// The exit code is 1 if anything is newly allowed, or if that could not be settled.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  tokenward diff old-policies policies          two directories
  tokenward diff policy.twp policies            a compiled policy and a directory
  tokenward diff main..HEAD                     two git revisions of the policy directory
  tokenward diff main..                         a git revision and the directory as it is
  tokenward diff --format markdown main..HEAD   a comment for a pull request")]
pub(super) struct Args {
    /// How differences are shown
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// How many states the comparison of two tokens may visit before it is called inconclusive
    #[arg(long, value_name = "STATES", default_value_t = Analysis::BUDGET)]
    budget: u64,
    /// The configuration as it was [default: that of OLD's revision, else as it is]
    #[arg(long, value_name = "FILE")]
    old_config: Option<PathBuf>,
    #[command(flatten)]
    config: ConfigArg,
    /// The policy as it was: a directory, a compiled policy, or REVISION..[REVISION] of the configuration's directory
    #[arg(value_name = "OLD")]
    old: String,
    /// The policy as it is to be
    #[arg(value_name = "NEW")]
    new: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// One JSON object
    Json,
    /// For a comment on a pull request
    Markdown,
    /// SARIF 2.1.0, for tools that show findings beside lines
    Sarif,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let config = args.config.or_default()?;
    let (old, new) = places(args, &config)?;
    let before = match &args.old_config {
        Some(file) => Config::load(file)?,
        None => match &old {
            Place::Revision { revision, .. } => args
                .config
                .at_revision(revision)?
                .unwrap_or_else(|| config.clone()),
            Place::Here(_) => config.clone(),
        },
    };
    let directory = new.directory();
    let (old, new) = (old.load(&before)?, new.load(&config)?);
    let (of_old, of_new) = (universe(&before), universe(&config));
    let universe = Universe {
        canonical_paths: of_old.canonical_paths && of_new.canonical_paths,
        get_body: of_old.get_body || of_new.get_body,
    };
    let mut analysis = Analysis::new(&old, &new, universe, args.budget).map_err(Failure::trouble)?;
    let mut progress = Progress::new("tokens compared");
    let mut report = Report::new(&mut analysis, &old, &new, |done, of| progress.tell(done, of))?;
    report.configuration = configuration::changes(&before, &config);
    let shown = match args.format {
        Format::Text => text::render(&report),
        Format::Json => json::render(&report),
        Format::Markdown => markdown::render(&report),
        Format::Sarif => sarif::render(&report, &directory),
    };
    output::print(&shown)?;
    if report.widens() {
        // What was found has been said.
        return Err(Failure::Findings(String::new()));
    }
    Ok(())
}

/// The two policies that the arguments name.
fn places(args: &Args, config: &Config) -> Result<(Place, Place), Failure> {
    let directory = || config.policies.clone();
    match (&args.new, args.old.split_once("..")) {
        (Some(new), _) => Ok((Place::Here((&args.old).into()), Place::Here(new.into()))),
        (None, Some((old, new))) if !old.is_empty() => {
            let old = Place::Revision { revision: old.to_owned(), directory: directory() };
            let new = if new.is_empty() {
                Place::Here(directory())
            } else {
                Place::Revision { revision: new.to_owned(), directory: directory() }
            };
            Ok((old, new))
        }
        _ => Err(Failure::Usage(
            "name two policies, as in `tokenward diff OLD NEW`, or two revisions, as in `tokenward diff main..HEAD`".to_owned(),
        )),
    }
}
