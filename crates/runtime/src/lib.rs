//! The enforcing proxy: reads each request once, has the compiled policy decide it, records it, and forwards the
//! request that was judged. The `tokenward` command is the binary of this crate.

pub mod admin;
pub mod admin_secret;
mod audit_json;
pub mod authoring;
mod call;
mod capture;
pub mod cli;
pub mod config_file;
mod console;
pub mod fleet;
#[doc(hidden)]
pub mod fuzzing;
mod git;
mod hardening;
pub mod identity;
mod limiter;
pub mod live;
mod metrics;
mod network;
pub mod new_secret;
mod ownership;
pub mod pep;
pub mod proxy;
pub mod respond;
mod secret_table;
pub mod serve;
pub mod telemetry;
mod tls;
pub mod value_key;
