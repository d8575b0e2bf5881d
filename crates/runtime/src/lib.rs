//! The enforcing proxy: reads each request once, has the compiled policy decide it, records it, and forwards the
//! request that was judged. The `tokenward` command is the binary of this crate.

pub mod admin;
pub mod admin_secret;
mod audit_json;
pub mod authoring;
mod buffers;
mod call;
pub mod cli;
pub mod config;
pub mod config_file;
mod curl;
#[doc(hidden)]
pub mod fuzzing;
mod git;
mod hardening;
pub mod identity;
mod limiter;
pub mod live;
mod metrics;
mod network;
mod ownership;
pub mod pep;
mod problem;
pub mod proxy;
pub mod request;
pub mod respond;
pub mod secret;
pub mod serve;
pub mod telemetry;
mod testing;
mod text;
mod tls;
pub mod value_key;
mod wire;
