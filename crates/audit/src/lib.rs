//! Tokenward's audit store.

mod block;
mod bytes;
mod config;
mod content;
mod decode;
mod entry;
mod error;
mod handle;
mod item;
mod period;
mod query;
mod queue;
mod quota;
mod record;
mod recover;
mod retention;
mod salvage;
mod scan;
mod shelf;
mod space;
mod stats;
mod store;
#[cfg(test)]
mod tests;
mod texts;
mod verify;
mod walk;
mod writer;

pub use config::{Config, Durability, OnFailure};
pub use entry::{Appended, Entry, Sequence};
pub use error::{AppendError, DiskError, OpenError, QueryError};
pub use handle::{OpenReport, Store};
pub use item::{Counted, Event};
pub use query::{Filter, Page};
pub use record::{End, LineRef, Outcome, Record, Verdict};
pub use stats::StoreStats;
pub use verify::{Fault, Finding, Verified};
