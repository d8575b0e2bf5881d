//! `tokenward inspect`: the program that a policy became.

use std::path::{Path, PathBuf};

use tokenward_compiler::artifact::Signers;
use tokenward_compiler::diagnostic::render_text;
use tokenward_compiler::ir::Program;
use tokenward_compiler::source::{Links, SourceSet};
use tokenward_pdp::config::Config;

use super::failure::Failure;
use super::output;
use super::settings::ConfigArg;
use crate::live::{PolicyError, artifact_of_file};

/// Show the compiled form of a policy
///
/// Lists each token with its lines in the order of evaluation. For each line it shows the compiled test: a glob
/// (literals, * for any text, [0-9]{1,} for a run), or an automaton. Patterns for the whole URL are shown as the part
/// below the public URL.
///
/// For a compiled policy, the command first shows the digest, the format, the language version and the key that
/// signed it. A compiled policy that the configuration refuses is also shown, but the exit code is 1.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  tokenward inspect                     the policy that tokenward.toml names
  tokenward inspect --token ci policies one token of a directory
  tokenward inspect policy.twp          a compiled policy")]
pub(super) struct Args {
    /// Only this token
    #[arg(long, value_name = "NAME")]
    token: Option<String>,
    #[command(flatten)]
    config: ConfigArg,
    /// Policy directory or compiled policy [default: the configuration's]
    #[arg(value_name = "PLACE")]
    place: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let config = args.config.or_default()?;
    let place = args.place.as_ref().unwrap_or(&config.policies);
    let mut refusal = None;
    let program = if place.is_file() {
        let seen = artifact(place, &config)?;
        output::print(&seen.header)?;
        refusal = seen.refusal;
        seen.program
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
        None => output::print(&bound.to_string())?,
        Some(name) => match bound.tokens().find(|(_, token)| token.name == *name) {
            Some((_, token)) => output::print(&bound.listing_of(token))?,
            None => {
                return Err(Failure::Usage(format!(
                    "no token `{name}` in `{}`",
                    place.display()
                )));
            }
        },
    }
    refusal.map_or(Ok(()), |refusal| Err(refusal.into()))
}

/// A compiled policy as it is shown, also if a proxy would refuse it: that is when somebody looks at it.
struct Seen {
    program: Program,
    header: String,
    refusal: Option<PolicyError>,
}

fn artifact(file: &Path, config: &Config) -> Result<Seen, Failure> {
    let signers = config.artifact_signers();
    let (artifact, refusal) = match artifact_of_file(file, &signers) {
        Ok(artifact) => (artifact, None),
        Err(error @ PolicyError::Signature { .. }) => {
            (artifact_of_file(file, &Signers::Anyone)?, Some(error))
        }
        Err(error) => return Err(error.into()),
    };
    let signed = match artifact.signer {
        None => "not signed".to_owned(),
        Some(key) => {
            let key = hex::encode(key);
            let checked = match (&refusal, &signers) {
                (Some(_), _) => "which is refused here",
                (None, Signers::Keys(_)) => "which is in [keys] artifact_public_keys",
                (None, Signers::Anyone) => "not checked, because [keys] artifact_public_keys lists no key",
            };
            format!("signed with the key {key}, {checked}")
        }
    };
    let header = format!(
        "compiled policy {}\nformat {}, language {}, {signed}\n",
        artifact.program.digest(),
        artifact.format,
        artifact.language,
    );
    Ok(Seen {
        program: artifact.program,
        header,
        refusal,
    })
}
