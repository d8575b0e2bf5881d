//! The whole proxy in process: raw bytes in, a scripted upstream behind.

mod address;
mod admin;
mod calls;
mod frames;
mod harness;
mod http2;
mod looked;
mod order;
mod revoked;
mod streams;
pub(super) mod tls;
mod upstreams;
