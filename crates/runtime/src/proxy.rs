//! The call upstream, and its answer on the way back.

mod addresses;
mod answer;
mod body;
mod budget;
mod cache;
mod client;
mod exchange;
mod fields;
mod health;
mod links;
mod location;
mod output;
mod pool;
mod references;
mod settings;
mod stream;

pub(crate) use addresses::Addresses;
pub(crate) use answer::{Answer, AnswerBody, UpstreamBody};
pub(crate) use body::{BodyPace, READ_AHEAD, RequestBody};
pub(crate) use budget::BodyBudget;
pub(crate) use client::{NotForwarded, Upstream, forward};
pub(crate) use health::{HealthChecks, ask_once};
pub(crate) use output::Output;
pub use settings::UpstreamError;
pub(crate) use settings::UpstreamSettings;
