//! TLS: certificates and keys from files, and connections to servers.

mod expiry;
mod files;
mod pinned;
mod upstream;

pub(crate) use expiry::Expiry;
pub(crate) use files::{Pair, TlsError, certificates, contents, provider};
pub(crate) use pinned::pinned_connector;
pub(crate) use upstream::{client_config, https_connector};
