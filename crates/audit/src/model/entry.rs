//! Entries, as the store returns them.

use crate::model::record::{Outcome, Record};

/// Sequence number of an entry: from 1, ascending, never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Sequence(pub u64);

impl std::fmt::Display for Sequence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// Result of an append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Appended {
    /// The record is on disk, with this sequence number.
    Stored(Sequence),
    /// The record is queued (`Durability::Buffered`).
    Queued,
    /// The record exceeded the quota of its kind of callers, and was counted instead.
    Counted,
}

/// One call as the store knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Sequence number of the record.
    pub sequence: Sequence,
    /// The decision.
    pub record: Record,
    /// How the call ended; absent while the call is in progress, and for good if the proxy stopped first.
    pub outcome: Option<Outcome>,
    /// Whether the outcome will never be known, because the process that would have recorded it is gone.
    pub is_lost: bool,
}

impl Entry {
    /// A call after its decision, before its outcome.
    pub(crate) fn decided(sequence: Sequence, record: Record) -> Self {
        Self {
            sequence,
            record,
            outcome: None,
            is_lost: false,
        }
    }

    /// Joins the outcome, which may have been stored without the call's id.
    pub(crate) fn end(&mut self, outcome: &Outcome) {
        let request_id = self.record.request_id;
        self.outcome = Some(Outcome {
            request_id,
            ..*outcome
        });
    }
}
