//! Digests.

/// A SHA-256.
pub type Digest = [u8; 32];
