//! HTTP/1 (RFC 9112) without I/O: clients' bytes to requests, answers to bytes.
//!
//! [`parse::Parser`] is the only reader of a client's HTTP/1: its results have one reading, and it finds the beginning
//! and the end of each head and body. [`encode::AnswerHead`] writes answers. Sockets, deadlines and the order of calls
//! belong to `serve::http1`. [`response`] reads what upstreams answer.

pub mod chunk;
pub mod encode;
pub mod head;
pub mod parse;
pub mod pieces;
pub mod queue;
pub mod raw;
pub mod response;
mod violation;

#[cfg(test)]
mod tests;

pub use head::WireHead;
pub use queue::{BodyError, BodyStream};
pub use violation::Violation;
