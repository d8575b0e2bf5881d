//! The files of a certificate and its key.

use std::path::PathBuf;

use super::fields::Fields;
use super::value;

/// A certificate and its private key, in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate, then those of the authorities between it and the root.
    pub certificate: PathBuf,
    /// Path of the private key: PKCS #8, PKCS #1 or SEC 1.
    pub key: PathBuf,
}

/// Reads the files of a certificate chain and its key. Both must be given, or neither.
pub(super) fn files(it: &mut Fields<'_>, certificate: &'static str, key: &'static str) -> Option<TlsFiles> {
    let chain = it.optional(certificate, value::path);
    let secret = it.optional(key, value::path);
    for (one, other) in [(certificate, key), (key, certificate)] {
        if it.has(one) && !it.has(other) {
            it.complain(&[one], format!("`{other}` is required when `{one}` is set"));
        }
    }
    Some(TlsFiles {
        certificate: chain?,
        key: secret?,
    })
}
