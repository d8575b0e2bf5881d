//! Writes entries to the stream that it lacks.

use std::collections::HashMap;

use tokenward_engine::control::Put;
use tokenward_engine::{Engine, EngineError};
use tokenward_fleet::Digest;
use tokenward_fleet::revocation::Revocation;
use tokenward_fleet::signature::VerifyingKey;

/// Attempts for one entry, if others write at the same time.
const ATTEMPTS: u32 = 5;

/// Writes signed entries, one after the other, so that their order stays. Returns how many the stream lacked. `hidden` has the
/// places of entries that count for nothing, and are replaced.
pub(super) async fn write_back(
    engine: &Engine,
    entries: Vec<(Digest, Vec<u8>)>,
    hidden: &HashMap<Digest, u64>,
    keys: &[VerifyingKey],
) -> Result<usize, EngineError> {
    let mut written = 0;
    for (hash, bytes) in entries {
        let replaces = hidden.get(&hash).copied().unwrap_or_default();
        if put(engine, &hash, bytes, replaces, keys).await?.is_new {
            written += 1;
        }
    }
    Ok(written)
}

/// Where a revocation is in the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) sequence: u64,
    /// Whether it was not there before.
    pub(super) is_new: bool,
}

/// Stores one entry. An entry at its subject that counts for nothing is replaced; a valid one stays.
pub(super) async fn put(
    engine: &Engine,
    hash: &Digest,
    bytes: Vec<u8>,
    mut replaces: u64,
    keys: &[VerifyingKey],
) -> Result<Place, EngineError> {
    let fleet = engine.names().fleet();
    for _ in 0..ATTEMPTS {
        match engine.put_revocation(hash, bytes.clone(), replaces).await? {
            Put::Stored(sequence) => {
                return Ok(Place {
                    sequence,
                    is_new: true,
                });
            }
            Put::There(stored) => {
                let read = Revocation::read(&stored.bytes, fleet, keys);
                if read.is_ok_and(|entry| entry.hash == *hash) {
                    return Ok(Place {
                        sequence: stored.sequence,
                        is_new: false,
                    });
                }
                replaces = stored.sequence;
            }
        }
    }
    Err(EngineError::Conflict(engine.names().revocation(hash)))
}
