//! Ed25519 key pairs and signatures.

use ring::signature::{Ed25519KeyPair, KeyPair};
use tokenward_compiler::seal::PublicKey;

use super::file::KeyError;

pub(super) fn key_pair(seed: &[u8; 32]) -> Result<Ed25519KeyPair, KeyError> {
    Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| KeyError::NoRandomness)
}

pub(super) fn public(pair: &Ed25519KeyPair) -> PublicKey {
    // INVARIANT: an Ed25519 public key has 32 bytes.
    PublicKey::from_bytes(pair.public_key().as_ref().try_into().unwrap_or_default())
}

pub(super) fn signature(pair: &Ed25519KeyPair, message: &[u8]) -> [u8; 64] {
    let mut bytes = [0; 64];
    // INVARIANT: an Ed25519 signature has 64 bytes.
    for (to, from) in bytes.iter_mut().zip(pair.sign(message).as_ref()) {
        *to = *from;
    }
    bytes
}
