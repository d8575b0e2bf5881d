//! The rules of a fleet of proxies (SEMANTICS section 8), as pure functions over bytes and injected clocks.
//!
//! - [`manifest`]: the signed description of one version of the policy, with one form of bytes.
//! - [`accept`]: the decision whether a proxy takes a manifest.
//! - [`mark`]: the high-water mark, which keeps a proxy from going back.
//! - [`revocation`]: signed revocations, one for each hash, and the head that a manifest names.
//! - [`proof`]: what a proxy appends to the stream to show that it has applied all before.
//! - [`freshness`]: the age of the last proof, and the time that manifests expire by.
//!
//! Files, sockets, threads and clocks belong to the callers.

pub mod accept;
mod digest;
pub mod freshness;
pub mod manifest;
pub mod mark;
pub mod name;
pub mod proof;
pub mod release;
pub mod revocation;
pub mod signature;
#[cfg(test)]
mod testing;
mod text;

pub use digest::Digest;
