//! Tokenward's audit store: every call, durable before it goes upstream, chained, answering questions.
//!
//! It knows neither HTTP nor policy. A call is recorded in two parts: a [`Record`] before it, for which
//! the caller waits, an [`Outcome`] after it, for which nobody does.
//!
//! ```
//! use std::net::{IpAddr, Ipv4Addr};
//! use tokenward_audit::{Config, End, Filter, Outcome, Page, Record, Store, Verdict};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let directory = tempfile::tempdir()?;
//! # let path = directory.path().join("audit");
//! # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
//! let store = Store::open(Config::at(path))?;
//! let record = Record {
//!     time_ms: 1_795_521_600_000,
//!     request_id: [7; 16],
//!     client_request_id: None,
//!     token: Some("ci-comments".into()),
//!     user: Some("svc-ci".into()),
//!     on_behalf_of: None,
//!     client: IpAddr::V4(Ipv4Addr::LOCALHOST),
//!     method: "POST".into(),
//!     url: "https://jira.example.com/rest/api/2/issue/KANBAN-100/comment".into(),
//!     line: None,
//!     verdict: Verdict::Deny,
//!     reason: "no-line".into(),
//!     policy: "4f2a".into(),
//!     request_bytes: Some(120),
//!     decision_ns: 900,
//!     authenticated: true,
//!     nodes: Vec::new(),
//!     tried: Vec::new(),
//! };
//! runtime.block_on(store.append(record))?; // now it is on disk
//! store.append_outcome(Outcome {
//!     request_id: [7; 16],
//!     status: Some(403),
//!     upstream_status: None,
//!     sent_bytes: 0,
//!     received_bytes: 0,
//!     total_us: 150,
//!     upstream_us: None,
//!     end: End::Complete,
//! })?;
//!
//! let denied = Filter { verdict: Some(Verdict::Deny), ..Filter::default() };
//! assert_eq!(store.query(&denied, Page::default())?.len(), 1);
//! assert!(store.verify()?.is_sound());
//! store.close()?;
//! # Ok(())
//! # }
//! ```
//!
//! # How it is made
//!
//! One thread writes (`writer`): it takes all that waits (`queue`), encodes it as few blocks
//! (`content`, `block`) that continue the chain of hashes, puts them on disk (`store`, the only
//! file that names the database), then answers those who wait. A UTC day is a database of its own
//! (`period`), or several, one for each opening of the store; retention deletes them whole. IndexWriter it
//! stands what saves questions from reading: which runs of blocks may have a value (`summary`), and how
//! many calls had what (`sums`). Who only reads needs no database: blocks are found in the files
//! (`files`), so that [`Reader`] works beside a process that has the store open.
//!
//! # Invariants
//!
//! - An append that was answered `Stored` is on disk, also after a power cut.
//! - A place is never given twice, whatever failed or was lost.
//! - No damage of files, and no error of reading them, makes opening fail or panic. Files of an earlier opening are never
//!   written again: a new period begins beside them.
//! - Nothing waits without bound: neither a caller, nor memory, nor closing.

mod config;
mod disk;
mod error;
mod format;
mod handle;
mod index;
mod integrity;
mod model;
mod period;
mod query;
mod reader;
mod store;
#[cfg(test)]
mod tests;
mod tools;
mod writer;

pub use config::{Config, Durability, OnFailure};
pub use error::{AppendError, DiskError, KeyError, OpenError, QueryError};
pub use handle::{OpenReport, Store};
pub use integrity::findings::{Fault, Finding, Verified};
pub use integrity::keys::{NotPublic, PublicKey, SigningKey};
pub use model::entry::{Appended, Entry, Sequence};
pub use model::evidence::{Constraint, Held, Kept, LineRef, NodeKind, NodeValue, Tried};
pub use model::filter::{Filter, Page};
pub use model::item::{Counted, Event};
pub use model::record::{End, Outcome, Record, Verdict};
pub use model::url_pattern::{PatternError, UrlPattern};
pub use period::database::is_panic_caught;
pub use query::left_out::LeftOut;
pub use query::usage::{LineKey, Tally, Usage};
pub use reader::{Blocks, Reader};
pub use store::lock::in_use;
pub use tools::backup::{Copied, CopyError};
pub use tools::salvage::{SalvageError, Salvaged, is_store, salvage};
pub use writer::stats::StoreStats;
