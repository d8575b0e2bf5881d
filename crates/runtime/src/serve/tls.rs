//! TLS towards clients: the certificate, loaded again when its files change.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use arc_swap::ArcSwap;
use jiff::Timestamp;
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{ClientHello, ResolvesServerCert, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::{RootCertStore, ServerConfig};
use tokenward_pdp::config::{Admin, TlsFiles};

use crate::hardening;
use crate::tls::{Expiry, Pair, TlsError, certificates, contents, provider};

/// Interval at which the files are read. They are small; comparing times and sizes would miss changes behind links.
const PERIOD: Duration = Duration::from_secs(1);

/// HTTP/2, as it is named in ALPN (RFC 7301).
pub(super) const H2: &[u8] = b"h2";

/// The active certificate.
struct Current(ArcSwap<CertifiedKey>);

impl std::fmt::Debug for Current {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Current")
    }
}

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.load_full())
    }
}

/// An order to the thread that watches the files.
enum Order {
    Reload,
    Stop,
}

/// The certificate from the files, watched until this is dropped.
pub(super) struct Certificate {
    config: Arc<ServerConfig>,
    orders: Sender<Order>,
    watch: Option<JoinHandle<()>>,
}

impl Certificate {
    /// Loads the certificate, and watches its files on a thread of its own.
    ///
    /// # Errors
    /// The files do not contain a certificate with its key.
    pub(super) fn load(files: TlsFiles) -> Result<Self, TlsError> {
        let protocols = vec![H2.to_vec(), b"http/1.1".to_vec()];
        Self::load_with(files, WebPkiClientVerifier::no_client_auth(), protocols)
    }

    /// Loads the certificate of the admin listener, which may ask clients for theirs. The listener adds its protocol itself.
    ///
    /// # Errors
    /// The files do not contain a certificate with its key, or no authorities.
    pub(super) fn load_admin(admin: &Admin) -> Result<Option<Self>, TlsError> {
        let Some(files) = admin.tls.clone() else {
            return Ok(None);
        };
        let clients = match &admin.client_certificates {
            None => WebPkiClientVerifier::no_client_auth(),
            Some(people) => client_verifier(&people.ca_file)?,
        };
        Self::load_with(files, clients, Vec::new()).map(Some)
    }

    fn load_with(
        files: TlsFiles,
        clients: Arc<dyn ClientCertVerifier>,
        protocols: Vec<Vec<u8>>,
    ) -> Result<Self, TlsError> {
        let pair = Pair::read(&files)?;
        let certified = pair.certified(&files)?;
        log_expiry(&certified, &files);
        let current = Arc::new(Current(ArcSwap::from_pointee(certified)));
        let unusable = |source| TlsError::Unusable {
            path: files.certificate.clone(),
            source,
        };
        // TLS 1.2 and 1.3; rustls does not support older versions.
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(unusable)?
            .with_client_cert_verifier(clients)
            .with_cert_resolver(Arc::<Current>::clone(&current));
        config.alpn_protocols = protocols;
        let (orders, received) = mpsc::channel();
        let watch = thread::Builder::new()
            .name("certificate-watch".to_owned())
            .spawn(move || {
                let seen = pair.digest();
                drop(pair);
                watch_files(&current, &files, &received, seen);
            })
            .ok();
        if watch.is_none() {
            tracing::error!("cannot start a thread: a changed certificate is loaded only at a restart");
        }
        Ok(Self {
            config: Arc::new(config),
            orders,
            watch,
        })
    }

    /// Reads the files again, changed or not, and logs the result. Does not wait for it.
    pub(super) fn reload(&self) {
        let _ = self.orders.send(Order::Reload);
    }

    /// Gives the configuration for handshakes.
    pub(super) fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.config)
    }
}

/// Verifies certificates of people, who may also present none.
fn client_verifier(ca_file: &Path) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    let unusable = |source| TlsError::Unusable {
        path: ca_file.to_owned(),
        source,
    };
    let mut roots = RootCertStore::empty();
    for certificate in certificates(&contents(ca_file)?, ca_file)? {
        roots.add(certificate).map_err(unusable)?;
    }
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider());
    let verifier = builder.allow_unauthenticated().build();
    verifier.map_err(|error| unusable(rustls::Error::General(error.to_string())))
}

impl Drop for Certificate {
    fn drop(&mut self) {
        let _ = self.orders.send(Order::Stop);
        if let Some(watch) = self.watch.take() {
            let _ = watch.join();
        }
    }
}

/// Looks at the files periodically and at request, until it is told to stop.
fn watch_files(current: &Current, files: &TlsFiles, orders: &Receiver<Order>, seen: [u8; 32]) {
    let mut seen = Some(seen);
    loop {
        seen = match orders.recv_timeout(PERIOD) {
            Err(RecvTimeoutError::Timeout) => look(current, files, seen),
            Ok(Order::Reload) => reload(current, files),
            Ok(Order::Stop) | Err(RecvTimeoutError::Disconnected) => return,
        };
    }
}

/// Loads the files if they have changed since the last look. Each state of them is reported once.
fn look(current: &Current, files: &TlsFiles, seen: Option<[u8; 32]>) -> Option<[u8; 32]> {
    match Pair::read(files) {
        Ok(pair) if seen == Some(pair.digest()) => seen,
        Ok(pair) => Some(take(current, files, &pair)),
        Err(error) => {
            if seen.is_some() {
                report_kept(&error);
            }
            None
        }
    }
}

/// Loads the files, and reports the result in any case.
fn reload(current: &Current, files: &TlsFiles) -> Option<[u8; 32]> {
    match Pair::read(files) {
        Ok(pair) => Some(take(current, files, &pair)),
        Err(error) => {
            report_kept(&error);
            None
        }
    }
}

/// Uses a pair from the next handshake on. Gives its digest.
fn take(current: &Current, files: &TlsFiles, pair: &Pair) -> [u8; 32] {
    let certificate = files.certificate.display();
    match pair.certified(files) {
        Ok(certified) if certified.cert == current.0.load().cert => {
            tracing::info!(%certificate, "certificate unchanged");
        }
        Ok(certified) => {
            log_expiry(&certified, files);
            current.0.store(Arc::new(certified));
            tracing::info!(%certificate, "certificate replaced");
        }
        // While the two files are being replaced, they do not form a pair.
        Err(error) => report_kept(&error),
    }
    pair.digest()
}

/// Logs that the server's own certificate has expired, or will soon.
fn log_expiry(certified: &CertifiedKey, files: &TlsFiles) {
    if let Some(certificate) = certified.cert.first() {
        Expiry::of(certificate, Timestamp::now()).log(&files.certificate);
    }
}

fn report_kept(error: &TlsError) {
    tracing::error!(
        error = format!("{error}{}", hardening::advice(error)),
        "cannot load the changed certificate, keeping the current one"
    );
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::serve::tests::tls::Authority;

    #[test]
    fn a_pair_that_cannot_be_used_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (Authority::new(), Authority::new());
        let files = one.files(folder.path(), "a.test");
        let pair = Pair::read(&files).unwrap();
        let current = Current(ArcSwap::from_pointee(pair.certified(&files).unwrap()));
        let shown = || current.0.load().cert.clone();
        let (first, good_key) = (shown(), std::fs::read(&files.key).unwrap());
        let mut seen = look(&current, &files, Some(pair.digest()));
        assert_eq!(shown(), first);
        let other = two.files(&folder.path().join("."), "b.test");
        let other_key = std::fs::read(other.key).unwrap();
        for broken in [&other_key[..], b"nothing", b"-----BEGIN PRIVATE KEY-----\nAAAA\n"] {
            std::fs::write(&files.key, broken).unwrap();
            seen = look(&current, &files, seen);
            assert_eq!(shown(), first);
        }
        std::fs::remove_file(&files.key).unwrap();
        seen = look(&current, &files, seen);
        assert_eq!(shown(), first);
        // The rest of a pair that was written in two steps.
        std::fs::copy(other.certificate, &files.certificate).unwrap();
        std::fs::write(&files.key, good_key).unwrap();
        std::fs::set_permissions(&files.key, Permissions::from_mode(0o600)).unwrap();
        seen = look(&current, &files, seen);
        assert_eq!(shown(), first);
        std::fs::write(&files.key, other_key).unwrap();
        // A key that other users can read is not used.
        std::fs::set_permissions(&files.key, Permissions::from_mode(0o644)).unwrap();
        seen = look(&current, &files, seen);
        assert_eq!(shown(), first);
        std::fs::set_permissions(&files.key, Permissions::from_mode(0o600)).unwrap();
        look(&current, &files, seen);
        assert_ne!(shown(), first);
    }

    #[test]
    fn what_is_wrong_with_the_files_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let files = Authority::new().files(folder.path(), "a.test");
        std::fs::set_permissions(&files.key, Permissions::from_mode(0o604)).unwrap();
        let told = Certificate::load(files.clone())
            .map(|_| ())
            .unwrap_err()
            .to_string();
        assert!(told.contains("a.test.key`: other users can read"), "{told}");
        std::fs::set_permissions(&files.key, Permissions::from_mode(0o600)).unwrap();
        std::fs::write(&files.certificate, "").unwrap();
        let told = Certificate::load(files.clone())
            .map(|_| ())
            .unwrap_err()
            .to_string();
        assert!(told.contains("a.test.pem` has no certificate in PEM"), "{told}");
        std::fs::remove_file(&files.key).unwrap();
        let told = Certificate::load(files).map(|_| ()).unwrap_err().to_string();
        assert!(
            told.contains("cannot read") && told.contains("a.test.key"),
            "{told}"
        );
    }
}
