//! TLS: certificates and keys from files, and connections to servers.

mod files;

pub use files::TlsError;
pub(crate) use files::{Pair, certificates, contents, provider};
