//! `tokenward keys`: the keys with which tokens are kept and compiled policies are signed.

use std::path::{Path, PathBuf};

use clap::{Subcommand, ValueEnum};
use serde_json::json;
use tokenward_compiler::seal::PublicKey;

use super::failure::Failure;
use super::output;
use super::settings::ConfigArg;
use crate::authoring::keys::{ArtifactKey, FleetKey, KeyError, SealingKey, SigningKey};

/// Create and show keys for secrets, seals and compiled policies
///
/// A sealing key encrypts secrets in standard mode, so that `token show --secret` and `token snippet` can show them
/// again. A signing key seals tokens in secure mode. An artifact key signs compiled policies. A fleet
/// key signs manifests (`tokenward publish`). docs/tokens.md
/// describes how to change keys, and the consequences of a lost key.
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    New(New),
    Show(Show),
}

/// Create a key in a new file that only its owner can read
///
/// Prints the keys to add to the configuration. Keep the private key out of git. To only check tokens, the public key
/// is sufficient.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  tokenward keys new sealing                       .tokenward/sealing.key, next to the configuration
  tokenward keys new signing /secure/signing.key   and /secure/signing.key.pub
  tokenward keys new artifact                      .tokenward/artifact.key and .tokenward/artifact.key.pub
  tokenward keys new fleet /secure/fleet.key       and /secure/fleet.key.pub")]
struct New {
    /// Kind of key
    #[arg(value_enum)]
    kind: Kind,
    /// New file for the key [default: .tokenward/KIND.key next to the configuration]
    file: Option<PathBuf>,
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigArg,
}

/// Show the kind, the id and the public key of a key file, never the private key
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  tokenward keys show .tokenward/signing.key")]
struct Show {
    /// Key file
    file: PathBuf,
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    /// Encrypts secrets (standard mode)
    Sealing,
    /// Seals tokens (secure mode)
    Signing,
    /// Signs compiled policies
    Artifact,
    /// Signs manifests, which publish compiled policies to a fleet
    Fleet,
}

enum Made {
    Sealing(Box<SealingKey>),
    Signing(SigningKey),
    Artifact(ArtifactKey),
    Fleet(FleetKey),
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    match &args.action {
        Action::New(new) => make(new),
        Action::Show(show) => tell(show),
    }
}

fn make(args: &New) -> Result<(), Failure> {
    let file = match &args.file {
        Some(file) => file.clone(),
        None => args.config.directory().join(match args.kind {
            Kind::Sealing => ".tokenward/sealing.key",
            Kind::Signing => ".tokenward/signing.key",
            Kind::Artifact => ".tokenward/artifact.key",
            Kind::Fleet => ".tokenward/fleet.key",
        }),
    };
    let made = match args.kind {
        Kind::Sealing => SealingKey::generate(&file).map(|key| Made::Sealing(Box::new(key))),
        Kind::Signing => SigningKey::generate(&file).map(Made::Signing),
        Kind::Artifact => ArtifactKey::generate(&file).map(Made::Artifact),
        Kind::Fleet => FleetKey::generate(&file).map(Made::Fleet),
    };
    let made = made.map_err(failure)?;
    if args.json {
        return print(&made, &file);
    }
    let text = |path: &Path| toml_edit::Value::from(path.to_string_lossy().as_ref()).to_string();
    output::note(&format!(
        "The key is in {}, which only its owner can read. Keep a copy outside git. Add to the configuration:",
        file.display()
    ));
    let file = text(&file);
    output::print(&match made {
        Made::Sealing(_) => format!("[keys]\nsealing_keys = [{}]\n", file.trim()),
        Made::Signing(key) => format!(
            "mode = \"secure\"\n[keys]\nsigning_key = {}\npublic_keys = [\"{}\"]\n",
            file.trim(),
            key.public()
        ),
        Made::Artifact(key) => format!(
            "[keys]\nartifact_key = {}\nartifact_public_keys = [\"{}\"]\n",
            file.trim(),
            key.public()
        ),
        Made::Fleet(key) => format!("[fleet]\npublic_keys = [\"{}\"]\n", key.public()),
    })
}

fn tell(args: &Show) -> Result<(), Failure> {
    let made = SealingKey::read(&args.file)
        .map(|key| Made::Sealing(Box::new(key)))
        .or_else(|error| match error {
            KeyError::NotAKey { .. } => SigningKey::read(&args.file).map(Made::Signing),
            error => Err(error),
        })
        .or_else(|error| match error {
            KeyError::NotAKey { .. } => ArtifactKey::read(&args.file).map(Made::Artifact),
            error => Err(error),
        })
        .or_else(|error| match error {
            KeyError::NotAKey { .. } => FleetKey::read(&args.file).map(Made::Fleet),
            error => Err(error),
        })
        .map_err(failure)?;
    if args.json {
        return print(&made, &args.file);
    }
    output::print(&match made {
        Made::Sealing(key) => format!("sealing key {}\n", key.id()),
        Made::Signing(key) => shown("signing", key.public()),
        Made::Artifact(key) => shown("artifact", key.public()),
        Made::Fleet(key) => shown("fleet", key.public()),
    })
}

fn shown(kind: &str, public: PublicKey) -> String {
    format!("{kind} key {}, public key {public}\n", hex::encode(public.id()))
}

fn print(made: &Made, file: &Path) -> Result<(), Failure> {
    let file = file.to_string_lossy();
    let of_pair = |kind, public: PublicKey| {
        json!({
            "kind": kind, "file": file, "id": hex::encode(public.id()), "public_key": public.to_string(),
        })
    };
    let value = match made {
        Made::Sealing(key) => json!({ "kind": "sealing", "file": file, "id": key.id() }),
        Made::Signing(key) => of_pair("signing", key.public()),
        Made::Artifact(key) => of_pair("artifact", key.public()),
        Made::Fleet(key) => of_pair("fleet", key.public()),
    };
    output::print(&format!("{value}\n"))
}

fn failure(error: KeyError) -> Failure {
    match error {
        KeyError::Io { .. } | KeyError::NoRandomness => Failure::trouble(error),
        KeyError::Open { .. } | KeyError::NotAKey { .. } => Failure::Usage(error.to_string()),
    }
}
