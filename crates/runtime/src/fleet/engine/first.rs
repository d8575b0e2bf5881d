//! What a start reads from the engine: the revocations, and the manifest with its policy if the proxy has none of its own.

use tokenward_engine::{Engine, EngineError};
use tokenward_fleet::manifest::Verified;
use tokenward_fleet::name::Name;
use tokenward_fleet::revocation::Revocation;
use tokenward_fleet::signature::VerifyingKey;
use tokenward_pdp::config::{Fleet, FleetEngine};

use super::held::Held;
use super::known::Known;
use super::settings::{block_on, connect};

/// Reads all revocations into `known`, and, if `held` is given, manifest and policy into it.
///
/// # Errors
/// The engine does not answer, or has no policy.
pub(crate) fn first(
    fleet: &Fleet,
    engine: &FleetEngine,
    known: &Known,
    held: Option<(&Held, &[VerifyingKey])>,
) -> Result<(), EngineError> {
    let revoking: Vec<_> = engine
        .revoking_keys
        .iter()
        .map(|key| VerifyingKey(key.to_bytes()))
        .collect();
    block_on(async {
        let connected = connect(fleet, engine).await?;
        let name = connected.names().fleet().clone();
        revocations(&connected, &name, &revoking, known).await?;
        if let Some((held, keys)) = held {
            published(&connected, held, keys).await?;
        }
        Ok(())
    })
}

/// Reads the revocations of the stream, in its order.
async fn revocations(
    engine: &Engine,
    fleet: &Name,
    keys: &[VerifyingKey],
    known: &Known,
) -> Result<(), EngineError> {
    for (hash, stored) in engine.revocations().await? {
        if let Ok(entry) = Revocation::read(&stored.bytes, fleet, keys)
            && entry.hash == hash
        {
            known.apply(&entry, &stored.bytes);
        }
    }
    Ok(())
}

/// Reads the manifest, and its policy if a key of the fleet signed it.
async fn published(engine: &Engine, held: &Held, keys: &[VerifyingKey]) -> Result<(), EngineError> {
    let Some(stored) = engine.manifest().await? else {
        return Err(EngineError::Content(
            "NATS has no manifest of this fleet yet; publish with `tokenward publish --to nats`".to_owned(),
        ));
    };
    let bytes = stored.bytes.to_vec();
    // Only a signed length bounds what is read.
    if let Ok(verified) = Verified::read(&bytes, keys) {
        let manifest = verified.manifest();
        let policy = engine.policy(&manifest.digest, manifest.length).await?;
        held.keep(manifest.digest, policy);
    }
    held.offer(bytes);
    Ok(())
}
