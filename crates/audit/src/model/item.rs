//! The items of the chain, each with its own sequence number.

use std::collections::HashMap;
use std::net::IpAddr;

use crate::model::packed::PackedRecord;
use crate::model::record::Outcome;

/// One stored thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Item {
    /// A call's decision.
    Decision(PackedRecord),
    /// A call's end.
    Ended(Ended),
    /// An event of the store itself.
    Event(Event),
}

/// An outcome, and when it was handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ended {
    /// Time when the outcome was handed over, milliseconds since 1970 UTC. With the call's duration it shows about where the
    /// decision is.
    pub(crate) at_ms: i64,
    /// The outcome.
    pub(crate) outcome: Outcome,
    /// Sequence number of the decision, if the writer still knew it. It is stored in place of the id, and takes a sixth of the
    /// space.
    pub(crate) decision: Option<u64>,
}

impl Ended {
    /// Sequence number of the decision: as stored, or by the id of its call among `decisions`.
    pub(crate) fn decision_in(&self, decisions: &HashMap<[u8; 16], u64>) -> Option<u64> {
        self.decision
            .or_else(|| decisions.get(&self.outcome.request_id).copied())
    }
}

/// An event of the store itself, in the chain with the calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A process opened the store. Calls before it that have no outcome will never have one.
    Opened {
        /// When, milliseconds since 1970 UTC.
        time_ms: i64,
    },
    /// Calls that were counted instead of stored.
    Counted {
        /// Why they were not stored.
        what: Counted,
        /// How many.
        count: u64,
        /// First of them, milliseconds since 1970 UTC.
        from_ms: i64,
        /// Last of them, milliseconds since 1970 UTC.
        to_ms: i64,
    },
    /// Calls of one token that a limit refused, and that were counted instead of stored.
    OverLimit {
        /// Name of the token.
        token: String,
        /// How many.
        count: u64,
        /// First of them, milliseconds since 1970 UTC.
        from_ms: i64,
        /// Last of them, milliseconds since 1970 UTC.
        to_ms: i64,
    },
    /// A period was deleted because of its age.
    Cut {
        /// When, milliseconds since 1970 UTC.
        time_ms: i64,
        /// Name of the period.
        period: String,
        /// Last entry of the period; 0 if it could not be read.
        last: u64,
        /// Chain hash of the period's last block, which the first block of the next period continues.
        hash: [u8; 32],
    },
    /// Somebody did something at the admin listener.
    Admin {
        /// When, milliseconds since 1970 UTC.
        time_ms: i64,
        /// Who: the name of a person, or the way of admission.
        who: String,
        /// Address that the request came from.
        client: IpAddr,
        /// Name of the action, such as `login` or `revoke`.
        action: String,
        /// The object of the action, and a reason if one was given; may be empty.
        text: String,
    },
    /// The high-water mark of a fleet: the highest version of the policy that this proxy took, or that it was set back to.
    FleetMark {
        /// When, milliseconds since 1970 UTC.
        time_ms: i64,
        /// Name of the fleet.
        fleet: String,
        /// The version.
        version: u64,
        /// SHA-256 of the manifest; zeros after a rewind.
        manifest: [u8; 32],
        /// Why the mark was set back by hand; empty if a manifest was taken or the mark was only stated again.
        why: String,
    },
    /// An end was missing, or another trouble that a reader of the audit should know.
    Trouble {
        /// When, milliseconds since 1970 UTC.
        time_ms: i64,
        /// One sentence.
        text: String,
    },
}

/// Why calls were counted instead of stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Counted {
    /// No token was recognised, and the minute's quota was used up.
    Outsiders,
    /// The token that was recognised did not work for the caller, and the minute's quota of such calls was used up.
    RefusedTokens,
    /// The disk failed, and the caller let them pass by its setting.
    Unrecorded,
    /// Outcomes given up because queue or disk did not keep up.
    LostOutcomes,
    /// Buffered records given up because the disk failed.
    LostRecords,
}

impl Event {
    /// When, milliseconds since 1970 UTC.
    pub fn time_ms(&self) -> i64 {
        match self {
            Self::Opened { time_ms }
            | Self::Cut { time_ms, .. }
            | Self::Admin { time_ms, .. }
            | Self::FleetMark { time_ms, .. }
            | Self::Trouble { time_ms, .. } => *time_ms,
            Self::Counted { to_ms, .. } | Self::OverLimit { to_ms, .. } => *to_ms,
        }
    }
}

impl Item {
    /// Approximate size in memory, bytes, as the queue counts it.
    pub(crate) fn weight(&self) -> usize {
        let own = size_of::<Self>();
        match self {
            Self::Decision(record) => own + record.heap_bytes(),
            Self::Ended(_) => own,
            Self::Event(Event::Trouble { text, .. } | Event::OverLimit { token: text, .. }) => {
                own + text.len()
            }
            Self::Event(Event::Admin {
                who, action, text, ..
            }) => own + who.len() + action.len() + text.len(),
            Self::Event(Event::FleetMark { fleet, why, .. }) => own + fleet.len() + why.len(),
            Self::Event(_) => own,
        }
    }
}
