//! Certificates and keys in PEM files.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use memchr::memmem;
use rustls::Error::InconsistentKeys;
use rustls::crypto::CryptoProvider;
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use sha2::{Digest, Sha256};
use tokenward_audit::{Exposed, PrivateFileError, read_private};
use tokenward_pdp::config::TlsFiles;
use zeroize::{Zeroize, Zeroizing};

/// Reason why TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("cannot read `{}`: {source}", .path.display())]
    Unreadable {
        /// Path of the file.
        path: PathBuf,
        /// Reason for the failure.
        source: io::Error,
    },
    /// Other users can read or change the file of a private key.
    #[error("cannot use the private key `{}`: {exposed}", .path.display())]
    Open {
        /// Path of the file.
        path: PathBuf,
        /// Permissions of the file.
        exposed: Exposed,
    },
    /// A file does not contain the expected PEM section.
    #[error("`{}` has no {what} in PEM: {source}", .path.display())]
    Pem {
        /// Path of the file.
        path: PathBuf,
        /// The expected section.
        what: &'static str,
        /// Error of the PEM parser.
        source: pem::Error,
    },
    /// Certificate and key are not usable, or do not match.
    #[error("cannot use the certificate `{}`: {source}", .path.display())]
    Unusable {
        /// Path of the certificate's file.
        path: PathBuf,
        /// Reason for the failure.
        source: rustls::Error,
    },
    /// The system has no trusted authorities, or they cannot be read.
    #[error("cannot read the system's trusted authorities ({0}); set `ca_file`")]
    NoRoots(String),
}

/// Gives the cryptography provider for TLS on both sides.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// Contents of a certificate's and its key's file.
pub(crate) struct Pair {
    chain: Vec<u8>,
    key: Zeroizing<Vec<u8>>,
}

impl Pair {
    /// Reads certificate and key.
    ///
    /// # Errors
    /// One of the files cannot be read, or other users can read or change the key.
    pub(crate) fn read(files: &TlsFiles) -> Result<Self, TlsError> {
        let mut chain = contents(&files.certificate)?;
        // Some tools write both to one file. Then it is a secret, even if the key is configured in another one.
        if memmem::find(&chain, b"PRIVATE KEY-----").is_some() {
            chain.zeroize();
            chain = private_contents(&files.certificate)?.to_vec();
        }
        Ok(Self {
            chain,
            key: private_contents(&files.key)?,
        })
    }

    /// Returns a digest of both, to notice a change without keeping the key's text in memory.
    pub(crate) fn digest(&self) -> [u8; 32] {
        let length = (self.chain.len() as u64).to_be_bytes();
        let digest = Sha256::new_with_prefix(length).chain_update(&self.chain);
        digest.chain_update(self.key.as_slice()).finalize().into()
    }

    /// Parses the certificates (the server's first) and the key, and checks that they belong together.
    ///
    /// # Errors
    /// The files contain no usable certificates or key.
    pub(crate) fn certified(&self, files: &TlsFiles) -> Result<CertifiedKey, TlsError> {
        let key = PrivateKeyDer::from_pem_slice(&self.key).map_err(|source| TlsError::Pem {
            path: files.key.clone(),
            what: "private key",
            source,
        })?;
        let key = Zeroizing::new(key);
        let chain = certificates(&self.chain, &files.certificate)?;
        let unusable = |source| TlsError::Unusable {
            path: files.certificate.clone(),
            source,
        };
        // `CertifiedKey::from_der` does the same, but drops the key without overwriting it.
        let certified = CertifiedKey::new(chain, any_supported_type(&key).map_err(unusable)?);
        match certified.keys_match() {
            Ok(()) | Err(InconsistentKeys(rustls::InconsistentKeys::Unknown)) => Ok(certified),
            Err(error) => Err(unusable(error)),
        }
    }
}

/// Reads a file.
///
/// # Errors
/// The file cannot be read.
pub(crate) fn contents(path: &Path) -> Result<Vec<u8>, TlsError> {
    std::fs::read(path).map_err(|source| TlsError::Unreadable {
        path: path.to_owned(),
        source,
    })
}

fn private_contents(path: &Path) -> Result<Zeroizing<Vec<u8>>, TlsError> {
    read_private(path).map_err(|error| match error {
        PrivateFileError::Io(source) => TlsError::Unreadable {
            path: path.to_owned(),
            source,
        },
        PrivateFileError::Exposed(exposed) => TlsError::Open {
            path: path.to_owned(),
            exposed,
        },
    })
}

/// Parses the certificates in a file's bytes, at least one.
///
/// # Errors
/// There are no certificates, or one is malformed.
pub(crate) fn certificates(bytes: &[u8], path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(bytes).collect();
    found
        .and_then(|found| {
            if found.is_empty() {
                Err(pem::Error::NoItemsFound)
            } else {
                Ok(found)
            }
        })
        .map_err(|source| TlsError::Pem {
            path: path.to_owned(),
            what: "certificate",
            source,
        })
}
