//! HTTP/1 (RFC 9112) without I/O: clients' bytes to requests, answers to bytes.
//!
//! [`parse::Parser`] is the only reader of a client's HTTP/1: its results have one reading, and it finds the beginning
//! and the end of each head and body. [`encode::AnswerHead`] writes answers. Sockets, deadlines and the order of calls
//! belong to `serve::http1`. [`response`] reads what upstreams answer.

pub(crate) mod chunk;
pub(crate) mod encode;
pub(crate) mod head;
pub(crate) mod parse;
pub(crate) mod pieces;
pub(crate) mod queue;
pub(crate) mod raw;
pub(crate) mod response;
mod violation;

#[cfg(test)]
mod tests;

pub(crate) use head::WireHead;
pub(crate) use queue::{BodyError, BodyStream};
pub(crate) use violation::Violation;
