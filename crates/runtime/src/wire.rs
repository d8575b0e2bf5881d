//! HTTP/1 (RFC 9112) without I/O: clients' bytes to requests, answers to bytes.
//!
//! [`parse::Parser`] is the only reader of a client's HTTP/1: what it hands on has one reading, and it knows where each
//! head and each body begins and ends. [`encode::AnswerHead`] writes answers. Sockets, deadlines and the order of calls
//! are `serve::http1`'s.

pub(crate) mod chunk;
pub(crate) mod encode;
pub(crate) mod head;
pub(crate) mod parse;
pub(crate) mod queue;
pub(crate) mod raw;
mod violation;

#[cfg(test)]
mod tests;

pub(crate) use head::WireHead;
pub(crate) use queue::{BodyError, BodyStream};
pub(crate) use violation::Violation;
