//! The call upstream, and its answer on the way back.

mod addresses;
mod answer;
mod body;
mod cache;
mod client;
mod fields;
mod health;
mod links;
mod location;
mod tls;

pub(crate) use addresses::Addresses;
pub(crate) use answer::UpstreamBody;
pub(crate) use body::{BodyPace, Meter, READ_AHEAD, RequestBody};
pub use client::UpstreamError;
pub(crate) use client::{Upstream, UpstreamSettings, forward};
pub(crate) use health::HealthChecks;
pub(crate) use tls::https_connector;
