//! The proxy's part in a fleet: it reads signed manifests from the fleet's source and puts their compiled policies in force
//! (SEMANTICS section 8). `tokenward_fleet` has the rules; this module has the files, the clocks and the threads.
//!
//! Before a version takes effect, its high-water mark is on disk and in the chain of the audit. Beside the audit store, the
//! directory `<store>.fleet` has the mark, and the last manifest with its compiled policy, so that a restart needs no source.

mod chain;
mod check;
mod clocks;
mod decided;
pub(crate) mod engine;
mod error;
mod files;
mod follower;
mod member;
pub(crate) mod published;
mod remote;
mod source;
mod status;
#[cfg(test)]
mod tests;

pub(crate) use chain::{event, last_mark, rewound};
pub(crate) use check::check;
pub(crate) use clocks::{now_ms, own_release};
pub use error::FleetError;
pub(crate) use files::Files;
pub(crate) use follower::Follower;
pub(crate) use member::{Fleet, verifying_keys};
pub(crate) use source::Source;
pub(crate) use status::{FleetStatus, shown};
