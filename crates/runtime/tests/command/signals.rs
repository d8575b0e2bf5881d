//! Signals to a running proxy.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use rcgen::{CertificateParams, KeyPair};
use rustix::process::{Pid, Signal, kill_process};
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use tokenward_testbed::{Running, eventually};

use crate::policy::token;
use crate::proxy::listening;
use crate::tokenward::tokenward;

/// A proxy, and its log.
struct Proxy {
    directory: tempfile::TempDir,
    process: Running,
}

impl Proxy {
    fn start() -> Self {
        let (_, tables) = listening();
        Self::start_in(tempfile::tempdir().unwrap(), &tables)
    }

    /// Starts a proxy in a directory that may have further files.
    fn start_in(directory: tempfile::TempDir, configuration: &str) -> Self {
        let path = directory.path();
        fs::create_dir(path.join("policies")).unwrap();
        write_policy(path, "one");
        fs::write(path.join("tokenward.toml"), configuration).unwrap();
        let log = File::create(path.join("log")).unwrap();
        let process = tokenward(path, &["serve"]).start_with_log(log);
        let proxy = Self { directory, process };
        proxy.logs_after(0, "serving");
        proxy
    }

    fn log(&self) -> String {
        fs::read_to_string(self.directory.path().join("log")).unwrap()
    }

    fn logs_after(&self, from: usize, text: &str) -> String {
        eventually(text, || {
            let log = self.log();
            let line = log.get(from..)?.lines().find(|line| line.contains(text));
            line.map(str::to_owned)
        })
    }

    /// Sends SIGHUP, and waits until the log has a new line with this text.
    fn reloads(&self, text: &str) -> String {
        let from = self.log().len();
        let process = Pid::from_raw(i32::try_from(self.process.id()).unwrap()).unwrap();
        kill_process(process, Signal::HUP).unwrap();
        self.logs_after(from, text)
    }
}

fn write_policy(directory: &Path, name: &str) {
    let text = token(name, "01", "", "[get]/rest/x");
    fs::write(directory.join("policies/tokens.toml"), text).unwrap();
}

#[test]
fn sighup_reloads_the_policy_and_never_ends_the_process() {
    let mut proxy = Proxy::start();
    let line = proxy.reloads("policy unchanged");
    assert!(line.contains("tokens=1"), "{line}");
    let broken = proxy.directory.path().join("policies/broken.toml");
    fs::write(&broken, "[[token]]\nname = \"x\"\n").unwrap();
    // The failure is reported at each request, also if the files have not changed since.
    for _ in 0..2 {
        proxy.reloads("policy not replaced");
    }
    fs::remove_file(broken).unwrap();
    proxy.reloads("policy unchanged");
    let configuration = proxy.directory.path().join("tokenward.toml");
    let text = fs::read_to_string(&configuration).unwrap();
    fs::write(&configuration, format!("{text}[log]\nlevel = 'warn'\n")).unwrap();
    proxy.reloads("the configuration file has changed; restart the proxy");
    assert!(proxy.process.ended().is_none());
    proxy.process.stop();
}

/// Writes a new certificate with its key, and returns it.
fn renew(directory: &Path) -> CertificateDer<'static> {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = params.self_signed(&key).unwrap();
    fs::write(directory.join("cert.pem"), certificate.pem()).unwrap();
    let key_file = directory.join("key.pem");
    fs::write(&key_file, key.serialize_pem()).unwrap();
    fs::set_permissions(key_file, fs::Permissions::from_mode(0o600)).unwrap();
    certificate.der().clone()
}

/// A connection to the proxy, for several calls.
struct Connection(StreamOwned<ClientConnection, TcpStream>);

impl Connection {
    /// Connects, with trust in these certificates.
    fn open(address: SocketAddr, trusted: &[&CertificateDer<'static>]) -> Self {
        let mut roots = RootCertStore::empty();
        trusted
            .iter()
            .for_each(|root| roots.add((*root).clone()).unwrap());
        let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = "localhost".try_into().unwrap();
        let connection = ClientConnection::new(Arc::new(config), name).unwrap();
        let mut connection = Self(StreamOwned::new(connection, TcpStream::connect(address).unwrap()));
        connection.call();
        connection
    }

    /// Makes a call without a token, and expects 401.
    fn call(&mut self) {
        self.0
            .write_all(b"GET /rest/x HTTP/1.1\r\nHost: localhost\r\n\r\n")
            .unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            self.0.read_exact(&mut byte).unwrap();
            head.extend(byte);
        }
        let head = String::from_utf8(head).unwrap().to_lowercase();
        assert!(head.starts_with("http/1.1 401"), "{head}");
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .unwrap();
        let mut body = vec![0; length.parse().unwrap()];
        self.0.read_exact(&mut body).unwrap();
    }

    /// The certificate that the proxy showed.
    fn certificate(&self) -> CertificateDer<'static> {
        self.0.conn.peer_certificates().unwrap()[0].clone().into_owned()
    }
}

#[test]
fn sighup_takes_a_renewed_certificate_and_keeps_connections_and_a_working_pair() {
    let directory = tempfile::tempdir().unwrap();
    let (address, tables) = listening();
    let first = renew(directory.path());
    let tls = "[server.tls]\ncertificate = 'cert.pem'\nkey = 'key.pem'\n";
    let mut proxy = Proxy::start_in(directory, &format!("{tables}{tls}"));
    let path = proxy.directory.path().to_owned();
    proxy.reloads("certificate unchanged");
    let mut old = Connection::open(address, &[&first]);
    assert_eq!(old.certificate(), first);

    // The proxy may see the renewed files before the signal.
    let from = proxy.log().len();
    let second = renew(&path);
    proxy.reloads("certificate");
    proxy.logs_after(from, "certificate replaced");
    let both = [&first, &second];
    assert_eq!(Connection::open(address, &both).certificate(), second);
    old.call();

    // A key of another certificate, no certificate, and no file.
    let certificate = fs::read(path.join("cert.pem")).unwrap();
    let breaks: [&dyn Fn(); 3] = [
        &|| {
            renew(&path);
            fs::write(path.join("cert.pem"), &certificate).unwrap();
        },
        &|| fs::write(path.join("cert.pem"), "nothing\n").unwrap(),
        &|| fs::remove_file(path.join("cert.pem")).unwrap(),
    ];
    for break_it in breaks {
        break_it();
        let line = proxy.reloads("cannot load the changed certificate, keeping the current one");
        assert!(line.contains("cert.pem") || line.contains("key.pem"), "{line}");
    }
    old.call();
    // Each signal reports it, also if nothing has changed since.
    proxy.reloads("cannot load the changed certificate, keeping the current one");
    let mut new = Connection::open(address, &both);
    assert_eq!(new.certificate(), second);

    let third = renew(&path);
    let from = proxy.log().len();
    proxy.reloads("certificate");
    let all = [&first, &second, &third];
    eventually("the third certificate", || {
        (Connection::open(address, &all).certificate() == third).then_some(())
    });
    assert!(proxy.log().len() > from);
    old.call();
    new.call();
    assert!(proxy.process.ended().is_none());
    proxy.process.stop();
}
