//! The call upstream, and its answer on the way back.

mod answer;
mod body;
mod cache;
mod client;
mod fields;
mod location;

pub(crate) use answer::{UpstreamBody, UpstreamEnd};
pub(crate) use body::{Meter, READ_AHEAD, RequestBody};
pub use client::UpstreamError;
pub(crate) use client::{Upstream, UpstreamSettings, forward};
