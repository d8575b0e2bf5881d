//! What a fleet keeps in NATS JetStream: policies, revocations, proofs of freshness, the audit's blocks.
//!
//! - [`connect`]: servers, TLS, deadlines, and the least version of a server.
//! - [`names`]: streams and subjects of a fleet.
//! - [`streams`]: the settings that the streams need, and where those of a server differ.
//! - [`control`]: manifests, revocations and proofs.
//! - [`policy`]: compiled policies, in pieces.
//!
//! The engine is not trusted. What it holds is signed or chained, and what it loses is written back.

pub mod connect;
pub mod control;
mod error;
pub mod names;
pub mod policy;
pub mod streams;

pub use connect::{Engine, Settings};
pub use error::EngineError;
pub use names::Names;
