//! The audit's JSON: the wire form of records, events and reports, kept apart from the store's own types.

mod entry;
mod events;
pub(crate) mod reasons;
mod report;
pub(crate) mod story;

pub(crate) use entry::json_line;
pub(crate) use events::EventLine;
pub(crate) use report::{Counts, LineName, UsageReport, UsedBy, VerifyReport};
