//! `tokenward fleet verify`.

use std::fs;
use std::path::PathBuf;

use clap::ValueHint;
use jiff::Timestamp;
use serde_json::json;
use tokenward_compiler::artifact;
use tokenward_compiler::seal::PublicKey;
use tokenward_fleet::accept::MOST_EARLY;
use tokenward_fleet::manifest::Verified;
use tokenward_fleet::signature::VerifyingKey;
use tokenward_pdp::config::{Config, Fleet, FleetSource};

use crate::cli::failure::Failure;
use crate::cli::output;
use crate::cli::settings::ConfigArg;
use crate::fleet::{FleetError, Source, own_release, shown, verifying_keys};

/// Check what was published: signature, fleet, expiry, and the compiled policy that the manifest names
///
/// The published files are in a directory or on an HTTPS server. If the URL is [fleet] source of the configuration, its
/// ca_file and token_file are used.
///
/// The keys are those of [fleet] in the configuration, or those of --public-key. The exit code is 1 if a proxy would
/// refuse the version for any of these reasons.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  tokenward fleet verify /srv/fleet
  tokenward fleet verify https://fleet.example.com/main
  tokenward fleet verify out --public-key fleet.key.pub")]
pub(super) struct Args {
    /// Published directory, or its https:// URL [default: [fleet] source of the configuration]
    #[arg(value_name = "DIR|URL", value_hint = ValueHint::DirPath)]
    source: Option<String>,
    /// Authorities for the certificate of the server, in PEM [default: the configuration's, or the system's]
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// Public key that may sign, as text or as a file; repeatable [default: the configuration's]
    #[arg(long, value_name = "KEY")]
    public_key: Vec<String>,
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigArg,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let config = args.config.or_default()?;
    let keys = args.keys(&config)?;
    let configured = config.fleet.as_ref();
    let place = args.source(configured)?;
    // The manifest.
    let bytes = place.manifest().map_err(Failure::trouble)?;
    let refused = |why: &dyn std::fmt::Display| {
        Failure::Findings(format!("`{}`: {why}", place.manifest_place().display()))
    };
    let verified = Verified::read(&bytes, &keys).map_err(|error| refused(&error))?;
    let manifest = verified.manifest();
    if let Some(fleet) = configured.filter(|fleet| fleet.name != manifest.fleet.as_str()) {
        return Err(refused(&format!(
            "it is for the fleet `{}`, but the configuration's is `{}`",
            manifest.fleet, fleet.name
        )));
    }
    let now = u64::try_from(Timestamp::now().as_second()).unwrap_or_default();
    if manifest.expires <= now {
        let expired = shown(manifest.expires);
        return Err(refused(&format!(
            "version {} expired {expired}",
            manifest.version
        )));
    }
    if manifest.issued > now.saturating_add(MOST_EARLY) {
        let issued = shown(manifest.issued);
        return Err(refused(&format!(
            "version {} was issued {issued}, more than an hour in the future",
            manifest.version
        )));
    }
    if manifest.least > own_release() {
        return Err(refused(&format!(
            "version {} needs Tokenward {} or later",
            manifest.version, manifest.least
        )));
    }
    // The compiled policy.
    let policy = place.artifact(manifest).map_err(|error| match error {
        FleetError::Artifact { .. } => Failure::Findings(error.to_string()),
        error => Failure::trouble(error),
    })?;
    let program = artifact::read(&policy, &config.artifact_signers())
        .map_err(|error| {
            let path = place.artifact_place(&manifest.digest);
            Failure::Findings(format!("`{}`: {error}", path.display()))
        })?
        .program;
    let tokens = program.tokens().count();
    if args.json {
        let value = json!({
            "fleet": manifest.fleet.as_str(),
            "version": manifest.version,
            "digest": format!("sha256:{}", hex::encode(manifest.digest)),
            "policy": program.digest(),
            "tokens": tokens,
            "issued": shown(manifest.issued),
            "expires": shown(manifest.expires),
            "key": hex::encode(verified.key()),
        });
        return output::print(&format!("{value}\n"));
    }
    output::print(&format!(
        "version {} of the fleet {}: {tokens} tokens, valid until {}, signed with the key {}\n",
        manifest.version,
        manifest.fleet,
        shown(manifest.expires),
        hex::encode(verified.key()),
    ))
}

impl Args {
    /// The source to check. A token goes only to the server that it was configured for.
    fn source(&self, configured: Option<&Fleet>) -> Result<Source, Failure> {
        let given = self.source.as_deref().map(FleetSource::parse).transpose();
        let given = given.map_err(|why| Failure::Usage(format!("the source {why}")))?;
        let place = given.as_ref().or(configured.map(|fleet| &fleet.source));
        let place = place.ok_or_else(|| {
            Failure::Usage(
                "specify the published directory; the configuration has no [fleet] source".to_owned(),
            )
        })?;
        let same = configured.filter(|fleet| fleet.source == *place);
        let ca_file = self
            .ca_file
            .as_ref()
            .or(same.and_then(|fleet| fleet.ca_file.as_ref()));
        let token_file = same.and_then(|fleet| fleet.token_file.as_ref());
        Source::at(
            place,
            ca_file.map(PathBuf::as_path),
            token_file.map(PathBuf::as_path),
        )
        .map_err(Failure::trouble)
    }

    fn keys(&self, config: &Config) -> Result<Vec<VerifyingKey>, Failure> {
        if !self.public_key.is_empty() {
            return self.public_key.iter().map(|key| read(key)).collect();
        }
        match &config.fleet {
            Some(fleet) => Ok(verifying_keys(fleet)),
            None => Err(Failure::Usage(
                "specify the key that may sign with --public-key; the configuration has no [fleet] public_keys".to_owned(),
            )),
        }
    }
}

/// Reads a public key, or the file with one.
fn read(key: &str) -> Result<VerifyingKey, Failure> {
    let text = if key.starts_with("ed25519:") {
        key.to_owned()
    } else {
        fs::read_to_string(key)
            .map_err(|error| Failure::Trouble(format!("cannot read the public key `{key}`: {error}")))?
    };
    let parsed: Result<PublicKey, _> = text.trim().parse();
    parsed
        .map(|key| VerifyingKey(key.to_bytes()))
        .map_err(|error| Failure::Usage(format!("--public-key `{key}`: {error}")))
}
