//! The whole proxy in process: raw bytes in, a scripted upstream behind.

mod address;
mod admin;
mod calls;
mod evidence;
mod explain;
mod frames;
mod harness;
mod http1;
mod http2;
mod http2_load;
mod limits;
mod links;
mod load;
mod masked;
mod nasty_http2;
mod order;
mod ordinary;
mod records;
mod reuse;
mod revoked;
mod streams;
mod telemetry;
pub(super) mod tls;
mod told;
mod upstreams;
