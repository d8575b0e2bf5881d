//! A hash for tables whose entries nobody but the operator chooses.
//!
//! The standard library's hash withstands keys that are chosen to collide. These tables are made at the start, and look-ups do
//! not change them. So a hash of a few instructions a byte is enough (FNV-1a, 64 bits).

use std::hash::{BuildHasherDefault, Hasher};

/// The hash of tables by name.
pub(super) type NameHash = BuildHasherDefault<Fnv>;

/// FNV-1a.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_published_function() {
        for (text, expected) in [("", 0xcbf2_9ce4_8422_2325), ("a", 0xaf63_dc4c_8601_ec8c)] {
            let mut hash = Fnv::default();
            hash.write(text.as_bytes());
            assert_eq!(hash.finish(), expected, "{text}");
        }
    }
}
