//! Publishing to the servers of the configuration: the same as to a directory, which is filled from the servers before and copied
//! to them afterwards. The manifest is stored only if the servers still have the one that was read.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use tokenward_engine::control::Stored;
use tokenward_engine::{Engine, EngineError};
use tokenward_fleet::Digest;
use tokenward_fleet::manifest::Verified;
use tokenward_fleet::revocation::{Revocation, Revocations};
use tokenward_fleet::signature::VerifyingKey;
use tokenward_pdp::config::{Config, FleetEngine};

use super::version::{Args, Target, publish as publish_to, trouble, write};
use crate::cli::failure::Failure;
use crate::cli::fleet::{of_engine, with_engine};
use crate::fleet::engine::{block_on, connect};
use crate::fleet::published::Published;
use crate::fleet::verifying_keys;

/// Publishes to the servers. Returns what was done.
pub(super) fn publish(args: &Args, config: &Config) -> Result<String, Failure> {
    let (fleet, settings) = with_engine(config)?;
    if args.fleet.as_ref().is_some_and(|name| *name != fleet.name) {
        return Err(Failure::Usage(
            "--fleet names another fleet than [fleet] of the configuration, whose servers are used"
                .to_owned(),
        ));
    }
    let keys = verifying_keys(fleet);
    let copy = Copy::new()?;
    let place = Published::at(&copy.0);
    // What is published now.
    let read = block_on(async {
        let engine = connect(fleet, settings).await?;
        read(&engine, &keys, settings).await
    });
    let (before, policy, revocations) = read.map_err(of_engine)?;
    if let Some(stored) = &before {
        write(&place.manifest_path(), &stored.bytes)?;
    }
    if let Some((digest, policy)) = &policy {
        write(&place.artifact_path(digest), policy)?;
    }
    let target = Target {
        directory: &copy.0,
        shown: "NATS",
        revocations,
    };
    let text = publish_to(args, config, &target)?;
    // The policy before the manifest that names it.
    let bytes = place.manifest().map_err(Failure::trouble)?;
    let verified = Verified::read(&bytes, &keys).map_err(Failure::trouble)?;
    let policy = place.artifact(verified.manifest()).map_err(Failure::trouble)?;
    let is_new = before
        .as_ref()
        .is_none_or(|before| before.bytes.as_ref() != bytes.as_slice());
    let stored = block_on(async {
        let engine = connect(fleet, settings).await?;
        engine.put_policy(&verified.manifest().digest, &policy).await?;
        if is_new {
            let replaces = before.as_ref().map_or(0, |before| before.sequence);
            engine.put_manifest(bytes, replaces).await?;
        }
        Ok(())
    });
    stored.map_err(of_engine)?;
    Ok(text)
}

/// Reads the manifest, its policy if it is there, and the head of the revocations that count.
async fn read(
    engine: &Engine,
    keys: &[VerifyingKey],
    settings: &FleetEngine,
) -> Result<(Option<Stored>, Option<(Digest, Vec<u8>)>, Digest), EngineError> {
    let manifest = engine.manifest().await?;
    let verified = manifest
        .as_ref()
        .and_then(|stored| Verified::read(&stored.bytes, keys).ok());
    let policy = match &verified {
        // Without it, the changes cannot be shown, and it is written again.
        Some(verified) => {
            let manifest = verified.manifest();
            let policy = engine.policy(&manifest.digest, manifest.length).await;
            policy.ok().map(|policy| (manifest.digest, policy))
        }
        None => None,
    };
    let revoking: Vec<_> = settings
        .revoking_keys
        .iter()
        .map(|key| VerifyingKey(key.to_bytes()))
        .collect();
    let mut revocations = Revocations::default();
    for (hash, stored) in engine.revocations().await? {
        if let Ok(entry) = Revocation::read(&stored.bytes, engine.names().fleet(), &revoking)
            && entry.hash == hash
        {
            revocations.apply(&entry);
        }
    }
    Ok((manifest, policy, revocations.head()))
}

/// A directory that only this user can read, until it is dropped.
struct Copy(PathBuf);

impl Copy {
    fn new() -> Result<Self, Failure> {
        let mut random = [0; 8];
        getrandom::fill(&mut random).map_err(|error| Failure::Trouble(format!("no randomness: {error}")))?;
        let path = std::env::temp_dir().join(format!("tokenward-publish-{}", hex::encode(random)));
        let made = DirBuilder::new().mode(0o700).create(&path);
        made.map_err(|error| trouble("create", Path::new(&path), &error))?;
        Ok(Self(path))
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
