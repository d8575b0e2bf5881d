//! `tokenward token seal`.

use serde_json::json;
use tokenward_compiler::resolve_policy;
use tokenward_compiler::seal::{self, Fault, Mode, fault};
use tokenward_compiler::source::{Links, SourceSet};
use tokenward_pdp::config::Config;

use super::change::{judge, sealed};
use super::{Failure, output, print_json};
use crate::authoring::edit::{Change, Edit, Key, Prepared};
use crate::authoring::keys::{SealingKey, sealing_keys};
use crate::cli::settings::ConfigArg;

/// Seal tokens from before secure mode or before a change of keys
///
/// In secure mode, the command signs the current content of the token, so review it first. It also removes data from
/// which the secret could be read. A token with a valid seal of an accepted key gets a seal of the current signing
/// key. A token that was changed after it was sealed is refused: revert the change, or revoke the token.
///
/// In standard mode, the command encrypts the secret again with the first of `[keys] sealing_keys`.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  tokenward token seal ci-comments report
  tokenward token seal --all")]
pub(super) struct Args {
    /// Names of the tokens
    #[arg(value_name = "NAME", required_unless_present = "all")]
    names: Vec<String>,
    /// Seal every token that is not revoked
    #[arg(long, conflicts_with = "names")]
    all: bool,
    /// Also seal tokens with a seal of a key that is no longer accepted; review their content first
    #[arg(long)]
    reviewed: bool,
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigArg,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let config = args.config.or_default()?;
    let names = if args.all {
        let sources =
            SourceSet::read_dir(&config.policies, Links::WithinDirectory).map_err(Failure::trouble)?;
        let tokens = resolve_policy(&sources).tokens;
        let live = tokens.into_iter().filter(|token| !token.attributes.revoked);
        live.map(|token| token.attributes.name).collect()
    } else {
        args.names.clone()
    };
    for name in &names {
        let prepared = Edit::of_token(&config.policies, name)?.unchanged();
        let before = prepared.text().to_owned();
        let prepared = match config.mode {
            Mode::Secure(_) => signed(prepared, name, &config, args.reviewed)?,
            Mode::Standard => encrypted(prepared, name, &config)?,
        };
        let path = prepared.path().to_owned();
        let changed = prepared.text() != before;
        if changed {
            // Others may have no seal yet.
            judge(&prepared, &[name], &config, &Mode::Standard)?;
            prepared.commit()?;
        }
        if args.json {
            print_json(&json!({ "token": name, "file": path.to_string_lossy(), "changed": changed }))?;
        } else if changed {
            output::note(&format!("Token `{name}` sealed in {}.", path.display()));
        } else {
            output::note(&format!("Token `{name}` did not need to be sealed again."));
        }
    }
    Ok(())
}

fn signed(prepared: Prepared, name: &str, config: &Config, reviewed: bool) -> Result<Prepared, Failure> {
    let Mode::Secure(keys) = &config.mode else {
        return Ok(prepared);
    };
    let sources = prepared.sources();
    let policy = resolve_policy(&sources);
    if let Some(token) = policy.tokens.iter().find(|token| token.attributes.name == name) {
        let mut attributes = token.attributes.clone();
        // Whether the seal, if there is one, fits is asked of the token without its readable secret, which the seal
        // does not speak of.
        attributes.secret_sealed = false;
        let found = fault(&attributes, seal::lines(token, &sources), keys);
        if let Some(found) = found.filter(|found| match found {
            Fault::Wrong => true,
            Fault::Stranger(_) => !reviewed,
            Fault::Missing | Fault::Readable => false,
        }) {
            return Err(Failure::Findings(format!(
                "`{name}` {found}, so it is not sealed again; revert the change, or revoke the token and create another"
            )));
        }
    }
    sealed(prepared, &[name], config)
}

fn encrypted(prepared: Prepared, name: &str, config: &Config) -> Result<Prepared, Failure> {
    let keys = sealing_keys(&config.keys.sealing).map_err(Failure::trouble)?;
    let section = prepared.section(name)?;
    let (Some(key), Some(text), Some(hash)) = (
        keys.first(),
        section.text("secret_sealed"),
        super::change::hash_of(&section, "secret_hash"),
    ) else {
        return Ok(prepared);
    };
    if text.split(':').nth(1) == Some(&key.id()) {
        return Ok(prepared);
    }
    let secret = SealingKey::open(&keys, text, &hash)
        .map_err(|error| Failure::Findings(format!("cannot read the secret of `{name}`: {error}")))?;
    let text = key.seal(&secret, &hash).map_err(Failure::trouble)?;
    Ok(prepared.with(name, &[Change::Text(Key::SecretSealed, text)])?)
}
