//! The audit's JSON: the wire form of records, events and reports, kept apart from the store's own types.

mod report;

pub(crate) use report::{Counts, LineName, UsageReport, UsedBy, VerifyReport};
