//! TLS on both sides.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokenward_pdp::config::{Config, TlsFiles};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::harness::{Behind, PATIENCE, SECRET, Scene, request, token, until};
use crate::tls::provider;

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// An authority of a test's own.
pub(in crate::serve) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(in crate::serve) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// A certificate for this name and its key, in PEM.
    fn certify(&self, name: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        (certificate.pem(), key.serialize_pem())
    }

    /// The same in files of this folder.
    pub(in crate::serve) fn files(&self, folder: &Path, name: &str) -> TlsFiles {
        let (certificate, key) = self.certify(name);
        let files = TlsFiles {
            certificate: folder.join(format!("{name}.pem")),
            key: folder.join(format!("{name}.key")),
        };
        std::fs::write(&files.certificate, certificate).unwrap();
        std::fs::write(&files.key, key).unwrap();
        // A key that other users can read is refused.
        std::fs::set_permissions(&files.key, Permissions::from_mode(0o600)).unwrap();
        files
    }

    fn roots(&self) -> Arc<RootCertStore> {
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone()).unwrap();
        Arc::new(roots)
    }

    /// A client that trusts this authority, and offers these protocols.
    pub(super) fn client(&self, protocols: &[&[u8]]) -> ClientConfig {
        let mut config = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(self.roots())
            .with_no_client_auth();
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
        config
    }

    /// A server with a certificate for `name`, that wants one of a client's if `asks`.
    fn server(&self, name: &str, asks: bool) -> ServerConfig {
        use rustls::pki_types::pem::PemObject;
        let (certificate, key) = self.certify(name);
        let builder = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .unwrap();
        let builder = if asks {
            let verifier = WebPkiClientVerifier::builder_with_provider(self.roots(), provider());
            builder.with_client_cert_verifier(verifier.build().unwrap())
        } else {
            builder.with_no_client_auth()
        };
        let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
        builder.with_single_cert(chain, key).unwrap()
    }
}

/// A handshake with the proxy, for `name`.
pub(super) async fn connect(
    scene: &Scene,
    config: ClientConfig,
    name: &str,
) -> std::io::Result<TlsStream<TcpStream>> {
    let socket = TcpStream::connect(scene.running().proxy_addr()).await.unwrap();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, socket).await
}

/// A proxy with TLS for `localhost`.
pub(super) fn scene(
    authority: &Authority,
    upstream: &Behind,
    change: impl FnOnce(&mut Config),
) -> (Scene, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let files = authority.files(folder.path(), "localhost");
    let policy = token("t", SECRET, "user = \"u\"", "/rest/.*");
    let scene = Scene::with(upstream.addr, &policy, |config| {
        config.server.tls = Some(files);
        change(config);
    });
    (scene, folder)
}

/// As [`scene`], with this policy.
pub(super) fn scene_with(
    authority: &Authority,
    upstream: &Behind,
    policy: &str,
) -> (Scene, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let files = authority.files(folder.path(), "localhost");
    let scene = Scene::with(upstream.addr, policy, |config| config.server.tls = Some(files));
    (scene, folder)
}

async fn answer(stream: &mut TlsStream<TcpStream>, request: &str) -> String {
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut answer))
        .await
        .expect("an answer in time")
        .unwrap();
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn requests_pass_within_tls() {
    let upstream = Behind::answering(OK).await;
    let authority = Authority::new();
    let (scene, _folder) = scene(&authority, &upstream, |_| {});
    for protocols in [vec![], vec![&b"http/1.1"[..]]] {
        let mut client = connect(&scene, authority.client(&protocols), "localhost")
            .await
            .unwrap();
        let answer = answer(&mut client, &request("GET /rest/a", "Connection: close\r\n")).await;
        assert!(
            answer.starts_with("HTTP/1.1 200") && answer.ends_with("ok"),
            "{answer}"
        );
    }
    // What is no TLS, or speaks no protocol of ours, gets no answer, and is counted.
    let mut plain = scene.connect().await;
    plain.send(&request("GET /rest/a", "")).await;
    let end = plain.end().await.unwrap_or_default();
    assert!(!end.starts_with(b"HTTP"), "{end:?}");
    connect(&scene, authority.client(&[b"spdy/3"]), "localhost")
        .await
        .unwrap_err();
    scene
        .counted(&["tokenward_bad_framing_total{reason=\"tls-handshake\"} 2"])
        .await;
    assert_eq!(upstream.heads().len(), 2);
}

#[tokio::test]
async fn a_certificate_that_changed_is_taken_up() {
    let upstream = Behind::answering(OK).await;
    let (old, new) = (Authority::new(), Authority::new());
    let (scene, folder) = scene(&old, &upstream, |_| {});
    let mut under_way = connect(&scene, old.client(&[]), "localhost").await.unwrap();
    new.files(folder.path(), "localhost");
    timeout(PATIENCE, async {
        while connect(&scene, new.client(&[]), "localhost").await.is_err() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    })
    .await
    .expect("the new certificate comes into use");
    connect(&scene, old.client(&[]), "localhost").await.unwrap_err();
    let answer = answer(&mut under_way, &request("GET /rest/a", "Connection: close\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

/// An upstream behind TLS that answers every connection's first request. It ends the connection with `close_notify` if it
/// `notifies`.
async fn tls_upstream(config: ServerConfig, answer: &'static str, notifies: bool) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(socket).await else {
                continue;
            };
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let Ok(byte) = stream.read_u8().await else { break };
                head.push(byte);
            }
            let answer = answer.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
            let _ = stream.write_all(answer.as_bytes()).await;
            if notifies {
                let _ = stream.shutdown().await;
            } else {
                let _ = stream.get_mut().0.shutdown().await;
            }
        }
    });
    port
}

/// A proxy for an upstream behind TLS, which trusts `authority`.
fn behind_tls(
    authority: &Authority,
    port: u16,
    change: impl FnOnce(&mut Config, &Path),
) -> (Scene, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let policy = token("t", SECRET, "user = \"u\"", "/rest/.*");
    let scene = Scene::with("127.0.0.1:1".parse().unwrap(), &policy, |config| {
        config.upstream.urls = vec![format!("https://localhost:{port}")];
        config.upstream.ca_file = Some(folder.path().join("ca.pem"));
        std::fs::write(folder.path().join("ca.pem"), authority.0.pem()).unwrap();
        change(config, folder.path());
    });
    (scene, folder)
}

/// The status of a call to an upstream that has a certificate of `authority` for `name`, and the reason.
async fn call(
    authority: &Authority,
    name: &str,
    asks: bool,
    change: impl FnOnce(&mut Config, &Path),
) -> (u16, String) {
    let port = tls_upstream(authority.server(name, asks), OK, true).await;
    let (scene, _folder) = behind_tls(authority, port, change);
    let reply = scene.ask(&request("GET /rest/a", "")).await;
    match reply.status {
        200 => (200, reply.body),
        status => (status, reply.reason()),
    }
}

#[tokio::test]
async fn the_upstream_must_prove_who_it_is() {
    let authority = Authority::new();
    let passed = (200, "ok".to_owned());
    let refused = (502, "upstream-unreachable".to_owned());
    assert_eq!(call(&authority, "localhost", false, |_, _| {}).await, passed);
    assert_eq!(
        call(&authority, "elsewhere.test", false, |_, _| {}).await,
        refused
    );
    let stranger = Authority::new();
    let trusts_others =
        |_: &mut Config, folder: &Path| std::fs::write(folder.join("ca.pem"), stranger.0.pem()).unwrap();
    assert_eq!(call(&authority, "localhost", false, trusts_others).await, refused);
}

/// Without `close_notify`, anyone on the way may have ended the connection early.
#[tokio::test]
async fn a_response_up_to_the_end_of_tls_is_complete_only_with_close_notify() {
    const ANSWER: &str = "HTTP/1.1 200 OK\r\n\r\nok";
    let authority = Authority::new();
    for (notifies, end) in [(true, "complete"), (false, "upstream-failed")] {
        let port = tls_upstream(authority.server("localhost", false), ANSWER, notifies).await;
        let (scene, _folder) = behind_tls(&authority, port, |_, _| {});
        let mut client = scene.connect().await;
        client
            .send(&request("GET /rest/a", "Connection: close\r\n"))
            .await;
        let sent = client.end().await.unwrap_or_default();
        assert_eq!(sent.ends_with(b"0\r\n\r\n"), notifies);
        assert_eq!(scene.only_entry().await["outcome"]["end"], end);
    }
}

#[tokio::test]
async fn the_proxy_proves_who_it_is_where_it_is_asked() {
    let authority = Authority::new();
    let with_own = |config: &mut Config, folder: &Path| {
        config.upstream.client_certificate = Some(authority.files(folder, "proxy"));
    };
    assert_eq!(
        call(&authority, "localhost", true, with_own).await,
        (200, "ok".to_owned())
    );
    let (status, _) = call(&authority, "localhost", true, |_, _| {}).await;
    assert_eq!(status, 502);
}

#[tokio::test]
async fn a_client_that_goes_away_within_tls_ends_its_call() {
    let upstream = Behind::new(|_, stream| async move {
        std::future::pending::<()>().await;
        Some(stream)
    })
    .await;
    let authority = Authority::new();
    let (scene, _folder) = scene(&authority, &upstream, |_| {});
    let mut client = connect(&scene, authority.client(&[]), "localhost").await.unwrap();
    client
        .write_all(request("GET /rest/a", "").as_bytes())
        .await
        .unwrap();
    until(|| upstream.heads().len() == 1).await;
    drop(client);
    assert_eq!(scene.only_entry().await["outcome"]["end"], "client-gone");
}
