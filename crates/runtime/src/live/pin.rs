//! The compiled policies that may be loaded, by their SHA-256: those of a fleet's manifests, and no other file at their place.

use std::sync::{Mutex, PoisonError};

use sha2::{Digest, Sha256};

/// The digests of the compiled policies that may be loaded.
#[derive(Debug, Default)]
pub(crate) struct Pin(Mutex<Vec<[u8; 32]>>);

impl Pin {
    /// Admits these and no others.
    pub(crate) fn set(&self, digests: &[[u8; 32]]) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = digests.to_vec();
    }

    /// Whether a compiled policy of these bytes may be loaded.
    pub(super) fn admits(&self, bytes: &[u8]) -> bool {
        let digest: [u8; 32] = Sha256::digest(bytes).into();
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .contains(&digest)
    }
}
