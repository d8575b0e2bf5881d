//! The end of the chain of blocks: which entry and which hash the next block continues.

/// Sequence numbers skipped after a damaged end of the chain: more than can have been lost unnoticed, so that none is reused.
const GAP: u64 = 1 << 20;

/// Most blocks of one commit. If a commit failed, the next period may continue a block so far before its end.
pub(crate) const COMMIT_BLOCKS: usize = 1024;

/// A chain hash.
pub(crate) type Hash = [u8; 32];

/// The end of the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Chain {
    /// Sequence number of the next entry.
    pub(crate) next: u64,
    /// Hash of the last block.
    pub(crate) hash: Hash,
}

impl Chain {
    /// The same end, followed by sequence numbers that no lost entry can have had.
    pub(crate) fn after_gap(self) -> Self {
        Self {
            next: self.next.saturating_add(GAP),
            ..self
        }
    }
}
