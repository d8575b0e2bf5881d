//! `tokenward inspect`: the program that a policy became.

use std::path::PathBuf;

use tokenward_compiler::diagnostic::render_text;
use tokenward_compiler::source::{Links, SourceSet};

use super::failure::Failure;
use super::output;
use super::settings::ConfigArg;
use crate::live::unbound_artifact;

/// Show what a policy was compiled to
///
/// Lists each token with its lines in the order in which they decide, and for each line the test that it became: a glob
/// (literals, * for any text, [0-9]{1,} for a run), or an automaton. Patterns of the whole URL are shown as what is left
/// of them below the public URL.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  tokenward inspect                     the policy that tokenward.toml names
  tokenward inspect --token ci policies one token of a directory
  tokenward inspect policy.twp          a compiled policy")]
pub(super) struct Args {
    /// Only the token of this name
    #[arg(long, value_name = "NAME")]
    token: Option<String>,
    #[command(flatten)]
    config: ConfigArg,
    /// A policy directory, or a compiled policy [default: the configuration's]
    #[arg(value_name = "PLACE")]
    place: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let config = args.config.or_default()?;
    let place = args.place.as_ref().unwrap_or(&config.policies);
    let program = if place.is_file() {
        unbound_artifact(place).map_err(Failure::trouble)?
    } else {
        let sources = SourceSet::read_dir(place, Links::WithinDirectory).map_err(Failure::trouble)?;
        let compilation = tokenward_compiler::compile(&sources);
        compilation.program.ok_or_else(|| {
            output::note_raw(&render_text(
                &sources,
                &compilation.diagnostics,
                output::colours(),
            ));
            Failure::Findings(format!("the policy in `{}` does not compile", place.display()))
        })?
    };
    let bound = program
        .bind(&config.upstream.public_url)
        .map_err(|error| Failure::Findings(error.to_string()))?;
    match &args.token {
        None => output::print(&bound.to_string()),
        Some(name) => match bound.tokens().find(|(_, token)| token.name == *name) {
            Some((_, token)) => output::print(&bound.listing_of(token)),
            None => Err(Failure::Usage(format!(
                "there is no token `{name}` in `{}`",
                place.display()
            ))),
        },
    }
}
