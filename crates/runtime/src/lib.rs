//! The enforcing proxy: reads each request once, has the compiled policy decide it, records it, and forwards
//! what was judged. The `tokenward` command is the binary of this crate.

pub mod admin;
mod audit_json;
pub mod cli;
pub mod config;
pub mod demo;
pub mod edit;
#[doc(hidden)]
pub mod fuzzing;
mod git;
pub mod identity;
pub mod keys;
pub mod live;
pub mod pep;
mod problem;
pub mod proxy;
pub mod request;
pub mod respond;
pub mod secret;
pub mod serve;
mod snippet;
pub mod telemetry;
mod text;
mod tls;
mod wire;
