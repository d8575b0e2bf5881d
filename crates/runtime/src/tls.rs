//! TLS: certificates and keys from files, and connections to servers.

mod files;
mod upstream;

pub(crate) use files::{Pair, TlsError, provider};
pub(crate) use upstream::{client_config, https_connector};
