//! One version: its manifest and compiled policy, written to a directory.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use tokenward_compiler::seal::PublicKey;
use tokenward_fleet::Digest;
use tokenward_fleet::accept::{MOST_AHEAD, MOST_EARLY};
use tokenward_fleet::manifest::{Manifest, Verified};
use tokenward_fleet::name::Name;
use tokenward_fleet::signature::VerifyingKey;
use tokenward_pdp::config::Config;

use super::changes;
use super::lock::Lock;
use crate::authoring::keys::{FleetKey, KeyError};
use crate::cli::compile;
use crate::cli::failure::Failure;
use crate::cli::settings::ConfigArg;
use crate::cli::time::{absolute, expiry};
use crate::fleet::published::Published;
use crate::fleet::{own_release, shown};

/// Publish the policy to the proxies of a fleet
///
/// Checks and compiles the policy as `compile -o` does, and writes two files to a directory: the compiled policy, named
/// by its SHA-256, and a manifest, signed with the fleet key. The proxies whose [fleet] source is this directory, or a
/// copy of it, take the version if it is higher than all that they had. Shows what the version changes.
///
/// Two publishers cannot both write one version. Equal inputs give equal bytes, with --at also of the times.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  tokenward keys new fleet /secure/fleet.key    once; put the public key into [fleet] of each proxy
  tokenward publish --to /srv/fleet --key /secure/fleet.key --fleet main --expires 7d
                                                the policy of tokenward.toml, as the next version
  tokenward publish --to nats --key /secure/fleet.key --expires 7d
                                                to the servers of [fleet]
  tokenward publish policies --to out --key fleet.key --fleet main --version 42 --expires 30d")]
pub(in crate::cli) struct Args {
    /// Directory to publish to, created if it is missing; or `nats`: the servers of [fleet]
    #[arg(long, value_name = "DIR")]
    pub(super) to: PathBuf,
    /// Fleet key that signs the manifest (`tokenward keys new fleet`)
    #[arg(long, value_name = "FILE")]
    pub(super) key: PathBuf,
    /// Name of the fleet [default: the configuration's]
    #[arg(long, value_name = "NAME")]
    pub(super) fleet: Option<String>,
    /// Version: a number above the published one, or `next`
    #[arg(long = "version", value_name = "N", default_value = "next")]
    pub(super) number: String,
    /// End of the version: 7d, 2027-06-30 or 2027-06-30T12:00:00Z; then the proxies refuse calls
    #[arg(long, value_name = "TIME")]
    pub(super) expires: String,
    /// Time to take for the present
    #[arg(long, value_name = "TIME")]
    pub(super) at: Option<String>,
    /// Sign the compiled policy with this artifact key [default: the configuration's artifact_key]
    #[arg(long, value_name = "KEY")]
    pub(super) sign: Option<PathBuf>,
    #[command(flatten)]
    pub(super) config: ConfigArg,
    /// Policy directory [default: the configuration's]
    #[arg(value_name = "DIR")]
    pub(super) directory: Option<PathBuf>,
}

/// Where a version is published.
pub(super) struct Target<'a> {
    pub(super) directory: &'a Path,
    /// Its name for people.
    pub(super) shown: &'a str,
    /// Head of the revocations that the proxies must know.
    pub(super) revocations: Digest,
}

/// Publishes to a directory. Returns what was done.
pub(super) fn publish(args: &Args, config: &Config, target: &Target<'_>) -> Result<String, Failure> {
    // The inputs.
    let to = target.directory;
    let fleet = args.name(config)?;
    let key = read_key(&args.key)?;
    let accepted = accepted(config, &key.public(), &args.key)?;
    let (issued, expires) = args.times()?;
    let compile = compile::Args::publishing(args.directory.clone(), args.sign.clone(), args.config.clone());
    let (policy, what) = compile::to_publish(&compile)?;
    // The published version, which nobody else changes now.
    fs::create_dir_all(to).map_err(|error| trouble("create", to, &error))?;
    let _lock = Lock::take(to)?;
    let place = Published::at(to);
    let current = current(&place, &accepted)?;
    if let Some(other) = current.as_ref().filter(|it| it.manifest().fleet != fleet) {
        return Err(Failure::Usage(format!(
            "`{}` belongs to the fleet `{}`, not to `{fleet}`",
            target.shown,
            other.manifest().fleet
        )));
    }
    let manifest = Manifest {
        version: args.version(current.as_ref().map(|it| it.manifest().version), to)?,
        fleet,
        digest: Sha256::digest(&policy).into(),
        length: u64::try_from(policy.len()).unwrap_or(u64::MAX),
        least: own_release(),
        issued,
        expires,
        revocations: target.revocations,
    };
    manifest
        .check()
        .map_err(|error| Failure::Usage(format!("cannot publish this: {error}")))?;
    // A version is published once.
    let version = manifest.version;
    if let Some(current) = current
        .as_ref()
        .map(Verified::manifest)
        .filter(|it| it.version == version)
    {
        if *current != manifest {
            return Err(Failure::Usage(format!(
                "version {version} is published already, with other content or times; publish as `--version next`"
            )));
        }
        // A torn or deleted file is one that proxies refuse.
        if place.artifact(&manifest).is_err() {
            write(&place.artifact_path(&manifest.digest), &policy)?;
            return Ok(format!(
                "{what}; version {version} is published already; its compiled policy was missing or damaged, and is written again\n"
            ));
        }
        return Ok(format!("{what}; version {version} is published already\n"));
    }
    args.is_usable(&manifest, current.is_some())?;
    let changes = changes::of(config, &place, current.as_ref().map(Verified::manifest), &policy);
    // The policy before the manifest that names it, also after a loss of power.
    let sync = || {
        let synced = File::open(to).and_then(|directory| directory.sync_all());
        synced.map_err(|error| trouble("write", to, &error))
    };
    write(&place.artifact_path(&manifest.digest), &policy)?;
    sync()?;
    write(&place.manifest_path(), &key.sign(&manifest))?;
    sync()?;
    Ok(format!(
        "{changes}{what}; published to {} as version {version} of the fleet {}, valid until {}, signed with the key {}\n",
        target.shown,
        manifest.fleet,
        shown(manifest.expires),
        hex::encode(key.public().id()),
    ))
}

impl Args {
    fn name(&self, config: &Config) -> Result<Name, Failure> {
        let configured = config.fleet.as_ref().map(|fleet| fleet.name.as_str());
        let Some(name) = self.fleet.as_deref().or(configured) else {
            return Err(Failure::Usage(
                "the fleet has no name; specify it with --fleet, or in [fleet] of the configuration"
                    .to_owned(),
            ));
        };
        name.parse()
            .map_err(|error| Failure::Usage(format!("`{name}` cannot be the name of a fleet: {error}")))
    }

    /// The times of issue and of expiry, seconds since 1970 UTC.
    fn times(&self) -> Result<(u64, u64), Failure> {
        let now = match self.at.as_deref() {
            None => Timestamp::now(),
            Some(text) => absolute(text).ok_or_else(|| {
                Failure::Usage(format!(
                    "--at: `{text}` is not a time; write 2027-06-30 or 2027-06-30T12:00:00Z"
                ))
            })?,
        };
        let expires =
            expiry(&self.expires, now).map_err(|why| Failure::Usage(format!("--expires: {why}")))?;
        let seconds = |time: Timestamp| u64::try_from(time.as_second()).unwrap_or_default();
        Ok((seconds(now), seconds(expires)))
    }

    /// Refuses a new version that no proxy would take at this time. A first one may have expired: nothing is replaced.
    fn is_usable(&self, manifest: &Manifest, replaces: bool) -> Result<(), Failure> {
        let now = u64::try_from(Timestamp::now().as_second()).unwrap_or_default();
        let version = manifest.version;
        if manifest.issued > now.saturating_add(MOST_EARLY) {
            return Err(Failure::Usage(format!(
                "--at is more than an hour in the future, so proxies would refuse version {version} until then; nothing was published"
            )));
        }
        if replaces && manifest.expires <= now {
            return Err(Failure::Usage(format!(
                "version {version} would have expired {}, so proxies would refuse it; choose a later --expires; nothing was published",
                shown(manifest.expires)
            )));
        }
        Ok(())
    }

    /// The version to publish after the current one.
    fn version(&self, current: Option<u64>, to: &Path) -> Result<u64, Failure> {
        if self.number == "next" {
            // Version 1 again would be refused by every proxy that had a higher one.
            if current.is_none() && has_policies(to) {
                return Err(Failure::Usage(format!(
                    "`{}` has compiled policies but no manifest, so the next version is not known; restore the manifest, or specify --version",
                    to.display()
                )));
            }
            return Ok(current.unwrap_or_default().saturating_add(1));
        }
        let number: u64 = self.number.parse().map_err(|_| {
            Failure::Usage(format!(
                "--version: `{}` is neither a number nor `next`",
                self.number
            ))
        })?;
        let Some(current) = current else { return Ok(number) };
        if number < current {
            return Err(Failure::Usage(format!(
                "version {current} is published, so proxies refuse version {number}; to go back, publish the old policy as `--version next`"
            )));
        }
        if number - current > MOST_AHEAD {
            return Err(Failure::Usage(format!(
                "version {number} is more than {MOST_AHEAD} ahead of version {current}, so proxies refuse it"
            )));
        }
        Ok(number)
    }
}

fn read_key(file: &Path) -> Result<FleetKey, Failure> {
    FleetKey::read(file).map_err(|error| match error {
        KeyError::Io { .. } | KeyError::NoRandomness => Failure::trouble(error),
        KeyError::Open { .. } | KeyError::NotAKey { .. } => Failure::Usage(error.to_string()),
    })
}

/// The keys whose manifests the fleet accepts: those of the configuration, if it has a fleet, otherwise the publisher's own.
fn accepted(config: &Config, own: &PublicKey, file: &Path) -> Result<Vec<VerifyingKey>, Failure> {
    let Some(fleet) = &config.fleet else {
        return Ok(vec![VerifyingKey(own.to_bytes())]);
    };
    if !fleet.public_keys.contains(own) {
        return Err(Failure::Usage(format!(
            "[fleet] public_keys does not list the public key of `{}`, so proxies would refuse the manifest; add \"{own}\"; nothing was written",
            file.display()
        )));
    }
    Ok(crate::fleet::verifying_keys(fleet))
}

/// Whether a directory has compiled policies.
fn has_policies(directory: &Path) -> bool {
    let mut entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries.any(|entry| {
        entry
            .path()
            .extension()
            .is_some_and(|extension| extension == "twp")
    })
}

/// The manifest that is published now. One that nobody accepted must not decide the next version.
fn current(place: &Published, keys: &[VerifyingKey]) -> Result<Option<Verified>, Failure> {
    let path = place.manifest_path();
    if matches!(path.try_exists(), Ok(false)) {
        return Ok(None);
    }
    let bytes = place.manifest().map_err(Failure::trouble)?;
    let read = Verified::read(&bytes, keys);
    read.map(Some).map_err(|error| {
        Failure::Trouble(format!(
            "`{}` is published already, and cannot be used: {error}; list its key in [fleet] public_keys if it was changed, or remove the file",
            path.display()
        ))
    })
}

pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    compile::write(bytes, path).map_err(|error| trouble("write", path, &error))
}

pub(super) fn trouble(doing: &str, path: &Path, error: &dyn std::fmt::Display) -> Failure {
    Failure::Trouble(format!("cannot {doing} `{}`: {error}", path.display()))
}
