//! Tokenward's audit store. It records every call durably before the call goes upstream, chains the records by hashes, and
//! answers queries.
//!
//! The store knows neither HTTP nor policy. A call is recorded in two parts: the caller waits for its [`Record`] before the
//! call, and hands over its [`Outcome`] afterwards without waiting.
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
//!     lacking: None,
//!     unread: None,
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
//! One thread writes (`writer`). It takes all queued items (`writer/queue`), encodes them as few blocks (`format`) that
//! continue the chain of hashes, and puts the blocks on disk (`period/database`). Then it answers the callers. A UTC day is one
//! period (`period`), or several: one for each opening of the store. Retention deletes whole periods. An `index` in each
//! period saves queries from reading: Bloom filters show which runs of blocks may contain a value (`index/bloom`), and counts
//! show how many calls have the same token, line, reason and hour (`index/counts`). Reading does not open the database: blocks
//! are found in the files (`period/files`), so that [`Reader`] works while another process has the store open.
//!
//! Modules import only downwards: `handle` and `tools`, `writer` and `reader`, `query` and `integrity`, `store`, `index`,
//! `period`, `format`, and last `model`, `disk`, `config` and `error`.
//!
//! # Invariants
//!
//! - An append that was answered `Stored` is on disk, also after a power cut.
//! - A sequence number is never reused, even after a failure or a loss of data.
//! - Opening never fails or panics because files are damaged or cannot be read. Files of an earlier opening are never
//!   written again: each opening begins a new period.
//! - Every wait is bounded: of callers, of memory and of closing.

#![cfg_attr(not(feature = "store"), allow(dead_code, reason = "the store uses them"))]

mod config;
#[cfg(feature = "store")]
mod disk;
#[cfg(feature = "store")]
mod error;
#[cfg(feature = "store")]
mod format;
#[cfg(feature = "store")]
mod handle;
#[cfg(feature = "store")]
mod index;
#[cfg(feature = "store")]
mod integrity;
mod model;
#[cfg(feature = "store")]
mod period;
#[cfg(feature = "store")]
mod query;
#[cfg(feature = "store")]
mod reader;
#[cfg(feature = "store")]
mod store;
#[cfg(test)]
mod tests;
#[cfg(feature = "store")]
mod tools;
#[cfg(feature = "store")]
mod writer;

pub use config::{Config, Durability, OnFailure};
#[cfg(feature = "store")]
pub use disk::private_file::{
    Exposed, PrivateFileError, is_own_group, read_private, read_private_file, read_private_text,
};
#[cfg(feature = "store")]
pub use error::{AppendError, DiskError, KeyError, OpenError, QueryError};
#[cfg(feature = "store")]
pub use handle::{OpenReport, Store};
#[cfg(feature = "store")]
pub use integrity::findings::{Fault, Finding, Verified};
#[cfg(feature = "store")]
pub use integrity::keys::{NotPublic, PublicKey, SigningKey};
#[cfg(feature = "store")]
pub use model::entry::{Appended, Entry, Sequence};
pub use model::evidence::{Constraint, Held, Kept, Lacking, LineRef, LineText, NodeKind, NodeValue, Tried};
#[cfg(feature = "store")]
pub use model::filter::{Filter, Page};
#[cfg(feature = "store")]
pub use model::item::{Counted, Event};
#[cfg(feature = "store")]
pub use model::packed::PackedRecord;
pub use model::record::{End, Outcome, Record, RecordRef, Verdict};
#[cfg(feature = "store")]
pub use model::url_pattern::{PatternError, UrlPattern};
#[cfg(feature = "store")]
pub use period::database::is_panic_caught;
#[cfg(feature = "store")]
pub use query::left_out::LeftOut;
#[cfg(feature = "store")]
pub use query::usage::{LineKey, Tally, Usage};
#[cfg(feature = "store")]
pub use reader::{Blocks, Reader};
#[cfg(feature = "store")]
pub use store::lock::in_use;
#[cfg(feature = "store")]
pub use tools::backup::{Copied, CopyError};
#[cfg(feature = "store")]
pub use tools::salvage::{SalvageError, Salvaged, is_store, salvage};
#[cfg(feature = "store")]
pub use writer::stats::StoreStats;
