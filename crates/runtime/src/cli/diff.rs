//! `tokenward diff`: what a change of policy newly allows and newly denies.

mod attributes;
mod json;
mod markdown;
mod place;
mod report;
mod text;

use clap::ValueEnum;
use tokenward_compiler::analysis::{Analysis, Universe};

use super::failure::Failure;
use super::output;
use super::settings::ConfigArg;
use crate::config::{Config, Relax};
use place::Place;
use report::Report;

/// Show what a change of policy newly allows and newly denies
///
/// Compares two policies token by token, over all requests there can be, and shows a request for every difference: one
/// that the new policy allows and the old one denies, or the other way round, with the lines responsible. Tokens are
/// paired by their secret's hash, then by name. Users, expiry, addresses and the like are compared too.
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
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let config = args.config.or_default()?;
    let (old, new) = places(args, &config)?;
    let (old, new) = (old.load(&config)?, new.load(&config)?);
    let universe = universe(&config);
    let mut analysis = Analysis::new(&old, &new, universe, args.budget).map_err(Failure::trouble)?;
    let report = Report::new(&mut analysis, &old, &new, tell_progress)?;
    let shown = match args.format {
        Format::Text => text::render(&report),
        Format::Json => json::render(&report),
        Format::Markdown => markdown::render(&report),
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

/// The requests that the proxy accepts under this configuration, or more.
fn universe(config: &Config) -> Universe {
    let Relax {
        control_character,
        nul,
        backslash,
        encoded_slash,
        double_encoding,
        semicolon,
        dot_segment,
        empty_segment,
        number_sign: _,
        get_body,
        cookies: _,
        merged_multipart: _,
        xml_body: _,
    } = config.relax;
    let relaxed = control_character
        || nul
        || backslash
        || encoded_slash
        || double_encoding
        || semicolon
        || dot_segment
        || empty_segment;
    Universe {
        canonical_paths: !relaxed,
        get_body,
    }
}

/// Says how far it is, where there are many tokens to compare and someone looks on.
fn tell_progress(done: usize, of: usize) {
    if of >= 1000 && done.is_multiple_of(500) && output::is_watched() {
        output::note(&format!("{done} of {of} tokens compared"));
    }
}
