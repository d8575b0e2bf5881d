//! The end of the chain of blocks: which entry and which hash the next block continues.

/// Places skipped where the end of the chain was damaged: more than can have been lost unseen, so that
/// none is given twice.
const GAP: u64 = 1 << 20;

/// A chain hash.
pub(crate) type Hash = [u8; 32];

/// Where the chain ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Chain {
    /// Place of the next entry.
    pub(crate) next: u64,
    /// Hash of the last block.
    pub(crate) hash: Hash,
}

impl Chain {
    /// The same end, and places after it that nothing lost can have had.
    pub(crate) fn after_gap(self) -> Self {
        Self {
            next: self.next.saturating_add(GAP),
            ..self
        }
    }
}
