//! Revokes a secret on all proxies: the signed entry goes to the stream, and the proxies' proofs show who has applied it.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::StreamExt;
use tokenward_engine::{Engine, EngineError};
use tokenward_fleet::Digest;
use tokenward_fleet::name::Name;
use tokenward_fleet::proof::Proof;
use tokenward_fleet::signature::VerifyingKey;
use tokenward_pdp::config::{Fleet, FleetEngine};
use tokio::time::{Instant, timeout_at};

use super::settings::{block_on, connect};
use super::write_back::put;

/// A proxy whose last proof is older does not belong to the fleet any more.
const GONE: i64 = 86_400;

/// Which proxies have applied a revocation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// Proxies that have applied it.
    pub(crate) applied: Vec<Name>,
    /// Proxies that did not say so in time, with the age of their last proof in seconds.
    pub(crate) missing: Vec<(Name, i64)>,
}

/// Stores signed entries in the stream, and waits until all proxies have applied them, but not longer than `patience`. `stored` is
/// called for each entry that the stream has.
///
/// # Errors
/// The engine does not store an entry.
pub(crate) fn revoke(
    fleet: &Fleet,
    engine: &FleetEngine,
    entries: &[(Digest, Vec<u8>)],
    patience: Duration,
    stored: &dyn Fn(&Digest),
) -> Result<Outcome, EngineError> {
    let keys: Vec<_> = engine
        .revoking_keys
        .iter()
        .map(|key| VerifyingKey(key.to_bytes()))
        .collect();
    block_on(async {
        let engine = connect(fleet, engine).await?;
        // Subscribed before, so that no proof is missed.
        let doing = "subscribing to proofs";
        let subscribed = engine.client().subscribe(engine.names().proofs()).await;
        let mut proofs = subscribed.map_err(|error| EngineError::failed(doing)(error.into()))?;
        let mut nodes = nodes(&engine).await?;
        let mut last = 0;
        for (hash, bytes) in entries {
            last = last.max(put(&engine, hash, bytes.clone(), 0, &keys).await?.sequence);
            stored(hash);
        }
        let until = Instant::now() + patience;
        while nodes.values().any(|(applied, _)| *applied < last) {
            let Ok(Some(message)) = timeout_at(until, proofs.next()).await else {
                break;
            };
            if let Ok(proof) = Proof::read(&message.payload)
                && engine.names().proof(&proof.node) == message.subject.as_str()
            {
                let (applied, age) = nodes.entry(proof.node).or_default();
                (*applied, *age) = ((*applied).max(proof.applied), 0);
            }
        }
        let mut outcome = Outcome::default();
        for (node, (applied, age)) in nodes {
            if applied >= last {
                outcome.applied.push(node);
            } else {
                outcome.missing.push((node, age));
            }
        }
        Ok(outcome)
    })
}

/// The proxies of the fleet: how far each is, and the age of its last proof.
async fn nodes(engine: &Engine) -> Result<BTreeMap<Name, (u64, i64)>, EngineError> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    let mut nodes = BTreeMap::new();
    for (node, stored) in engine.proofs().await? {
        let age = now.saturating_sub(stored.time).max(0);
        if let Ok(proof) = Proof::read(&stored.bytes)
            && proof.node == node
            && age < GONE
        {
            nodes.insert(node, (proof.applied, age));
        }
    }
    Ok(nodes)
}
