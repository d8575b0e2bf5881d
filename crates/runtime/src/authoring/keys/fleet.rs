//! The fleet key: signs manifests, which say which compiled policy the proxies of a fleet load. It stays offline.

use std::path::Path;

use ring::signature::Ed25519KeyPair;
use tokenward_compiler::seal::PublicKey;
use tokenward_fleet::manifest::Manifest;
use tokenward_fleet::revocation::Revocation;

use super::ed25519::{key_pair, public, signature};
use super::file::{KeyError, generate, publish, read};

const WORD: &str = "tokenward-fleet-key";

/// Signs manifests: Ed25519 (RFC 8032).
pub struct FleetKey(Ed25519KeyPair);

impl FleetKey {
    /// Makes a key in a new file, and its public key in a file next to it that ends in `.pub`.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn generate(path: &Path) -> Result<Self, KeyError> {
        let key = Self(key_pair(&*generate(path, WORD)?)?);
        publish(path, &key.public())?;
        Ok(key)
    }

    /// Reads a key from a file.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        Ok(Self(key_pair(&*read(path, WORD, "a fleet key")?)?))
    }

    /// Gives the public key that verifies its signatures.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        public(&self.0)
    }

    /// Encodes and signs a manifest.
    #[must_use]
    pub fn sign(&self, manifest: &Manifest) -> Vec<u8> {
        manifest.signed(self.public().id(), |body| signature(&self.0, body))
    }

    /// Encodes and signs a revocation.
    #[must_use]
    pub fn sign_revocation(&self, entry: &Revocation) -> Vec<u8> {
        entry.signed(self.public().id(), |body| signature(&self.0, body))
    }
}
