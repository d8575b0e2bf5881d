//! Keys and manifests of tests.

use ring::signature::{Ed25519KeyPair, KeyPair};

use crate::manifest::Manifest;
use crate::release::Release;
use crate::revocation::Revocations;
use crate::signature::VerifyingKey;

/// The time of the tests' manifests.
pub(crate) const NOW: u64 = 1_796_083_200;

pub(crate) struct Signer(Ed25519KeyPair);

impl Signer {
    pub(crate) fn new(seed: u8) -> Self {
        Self(Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap())
    }

    pub(crate) fn public(&self) -> VerifyingKey {
        VerifyingKey(self.0.public_key().as_ref().try_into().unwrap())
    }

    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).as_ref().try_into().unwrap()
    }

    pub(crate) fn manifest(&self, manifest: &Manifest) -> Vec<u8> {
        manifest.signed(self.public().id(), |body| self.sign(body))
    }
}

pub(crate) fn manifest(version: u64) -> Manifest {
    Manifest {
        fleet: "main".parse().unwrap(),
        version,
        digest: [7; 32],
        length: 18_344,
        least: Release([0, 1, 0]),
        issued: NOW,
        expires: NOW + 7 * 86_400,
        revocations: Revocations::first(),
    }
}
