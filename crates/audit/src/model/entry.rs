//! What the store gives back: entries with their place in the chain.

use crate::model::record::{Outcome, Record};

/// Place of an entry in the store: from 1, growing, never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Sequence(pub u64);

impl std::fmt::Display for Sequence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// What became of an append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Appended {
    /// It is on disk, at this place.
    Stored(Sequence),
    /// It is queued (`Durability::Buffered`).
    Queued,
    /// It was over the outsiders' quota, and counted instead.
    Counted,
}

/// One call as the store knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Place of the record.
    pub sequence: Sequence,
    /// The decision.
    pub record: Record,
    /// How it ended; absent while the call is under way, and for good if the proxy stopped first.
    pub outcome: Option<Outcome>,
    /// Whether that will never be known: the process that would have told it is gone.
    pub is_lost: bool,
}
