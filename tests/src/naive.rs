//! Readers that share no code with what they check: the plainest reading of JSON, of HTTP/1 and of request targets.

pub mod http;
pub mod json;
pub mod target;
