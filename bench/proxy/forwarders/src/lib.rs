//! Arguments and TLS configuration that both forwarders share.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

/// Any failure ends the forwarder.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Name and value of the header that tells the upstream the user, as Tokenward and the other peers send it.
pub const USER: (&str, &str) = ("x-forwarded-user", "svc");

/// The command line: `PORT UPSTREAM-PORT WORKERS [CERTIFICATE KEY]`.
pub struct Arguments {
    /// Port of 127.0.0.1 to listen on.
    pub port: u16,
    /// Port of 127.0.0.1 of the upstream.
    pub upstream: u16,
    /// Number of worker threads.
    pub workers: usize,
    /// TLS with HTTP/2, if the command line names a certificate and a key.
    pub tls: Option<ServerConfig>,
}

impl Arguments {
    /// Reads the command line, and the files that it names.
    pub fn read() -> Result<Self, Failure> {
        let words: Vec<String> = std::env::args().skip(1).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let (port, upstream, workers, tls) = match words.as_slice() {
            [port, upstream, workers] => (port, upstream, workers, None),
            [port, upstream, workers, certificate, key] => {
                (port, upstream, workers, Some(tls(certificate, key)?))
            }
            _ => return Err("usage: PORT UPSTREAM-PORT WORKERS [CERTIFICATE KEY]".into()),
        };
        Ok(Self {
            port: port.parse()?,
            upstream: upstream.parse()?,
            workers: workers.parse()?,
            tls,
        })
    }
}

/// Returns a configuration that resumes sessions by tickets, as nginx, HAProxy and Envoy do.
fn tls(certificate: &str, key: &str) -> Result<ServerConfig, Failure> {
    let chain = CertificateDer::pem_file_iter(certificate)?.collect::<Result<Vec<_>, _>>()?;
    let key = PrivateKeyDer::from_pem_file(key)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.ticketer = rustls::crypto::ring::Ticketer::new()?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}
