//! A ready call with a token, in several languages: to a URL that the token may call, with a body if a line needs one.
//!
//! `sample` finds texts that a regexp matches, `witness` combines them to calls and keeps the first that the proxy
//! would allow, and each file named after a language formats it.

mod curl;
mod http;
mod javascript;
mod languages;
mod parts;
mod postman;
mod powershell;
mod python;
mod sample;
mod witness;

pub(crate) use languages::Language;
pub(crate) use parts::{Scheme, Secret, Snippet, VARIABLE};
pub(crate) use witness::{Asked, Call, witness};

#[cfg(test)]
mod tests;
