//! Tables by the hash of a secret.
//!
//! SHA-256 spreads its results evenly, so that eight bytes of one are enough to find its place in a table. Someone who chooses
//! secrets could choose these bytes. Therefore they are multiplied by a random number of the table, and both halves of the product count.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, Hasher, RandomState};

use tokenward_pdp::secret::SecretHash;

/// A table by the hash of a secret.
pub(crate) type SecretMap<V> = HashMap<SecretHash, V, Spread>;

/// A set of hashes of secrets.
pub(crate) type SecretSet = HashSet<SecretHash, Spread>;

/// The hash function of one table.
#[derive(Clone, Debug)]
pub(crate) struct Spread {
    random: u64,
}

/// The hash of a key so far.
#[derive(Debug)]
pub(crate) struct Spreading {
    random: u64,
    hash: u64,
}

impl Default for Spread {
    fn default() -> Self {
        // An even multiplier would lose bits.
        let random = RandomState::new().hash_one(0) | 1;
        Self { random }
    }
}

impl BuildHasher for Spread {
    type Hasher = Spreading;

    fn build_hasher(&self) -> Spreading {
        Spreading {
            random: self.random,
            hash: 0,
        }
    }
}

impl Hasher for Spreading {
    fn write(&mut self, bytes: &[u8]) {
        let begin = bytes.first_chunk().map_or(0, |begin| u64::from_le_bytes(*begin));
        let product = u128::from(self.hash ^ begin ^ self.random) * u128::from(self.random);
        let [low, high] = [product, product >> 64].map(|half| u64::try_from(half & u128::from(u64::MAX)));
        // The highest bits of the lower half become the lowest ones: they depend on all bits of the key.
        self.hash = low.unwrap_or_default().rotate_left(12) ^ high.unwrap_or_default();
    }

    /// The length of a key, which all have in common.
    fn write_usize(&mut self, _: usize) {}

    fn finish(&self) -> u64 {
        self.hash
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_begin_alike_for_others_are_spread() {
        let mut table = SecretMap::default();
        for n in 0..4096_u64 {
            let mut key = [0; 32];
            // The bytes that are looked at differ only in their highest bits.
            key[..8].copy_from_slice(&(n << 52).to_le_bytes());
            table.insert(key, n);
        }
        let places: HashSet<u64> = table
            .keys()
            .map(|key| table.hasher().hash_one(key) & 4095)
            .collect();
        // Of 4096 random places, 63 % are expected to be taken.
        assert!(places.len() > 2048, "{}", places.len());
        assert!(table.iter().all(|(key, n)| table.get(key) == Some(n)));
    }

    #[test]
    fn tables_differ_in_their_places() {
        let [one, other] = [Spread::default(), Spread::default()];
        assert_ne!(one.hash_one([7_u8; 32]), other.hash_one([7_u8; 32]));
    }
}
