//! A fleet whose source is an HTTPS server, also one that misbehaves.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use sha2::{Digest, Sha256};
use tokenward_testbed::{Ran, eventually};

use super::{Fleet, write_private};
use crate::tokenward::run;

const TOKEN: &str = "s3cret-token-of-the-fleet";

/// How a server answers.
#[derive(Clone)]
enum Manner {
    /// With the files, to requests with the token. Their SHA-256 is their tag.
    Right,
    /// The same, but compiled policies come byte by byte, without an end.
    Slow,
    /// It ends the connection before TLS.
    Away,
    /// It reads the request, and writes nothing.
    Silent,
    /// With these bytes.
    Says(String),
    /// With a head, and bytes without an end.
    Endless,
}

/// An HTTPS server of a test's own on 127.0.0.1.
struct Server(Arc<State>);

struct State {
    url: String,
    directory: PathBuf,
    manner: Mutex<Manner>,
    heads: Mutex<Vec<String>>,
}

impl Server {
    /// Serves a directory as `/fleet`, and writes its authority to a file.
    fn start(directory: &Path, ca_file: &Path) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        fs::write(ca_file, authority.pem()).unwrap();
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &authority).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let chain = vec![CertificateDer::from_pem_slice(certificate.pem().as_bytes()).unwrap()];
        let key = PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).unwrap();
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
        let config = Arc::new(config);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let state = Arc::new(State {
            url: format!("https://{}/fleet", listener.local_addr().unwrap()),
            directory: directory.to_owned(),
            manner: Mutex::new(Manner::Right),
            heads: Mutex::default(),
        });
        let serving = Arc::clone(&state);
        std::thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                let (state, config) = (Arc::clone(&serving), Arc::clone(&config));
                std::thread::spawn(move || {
                    if !matches!(*state.manner.lock().unwrap(), Manner::Away) {
                        let connection = ServerConnection::new(config).unwrap();
                        // A client that goes away is not an error.
                        let _ = state.answer(StreamOwned::new(connection, socket));
                    }
                });
            }
        });
        Self(state)
    }

    fn set(&self, manner: Manner) {
        *self.0.manner.lock().unwrap() = manner;
    }

    /// The heads of the requests so far.
    fn heads(&self) -> Vec<String> {
        self.0.heads.lock().unwrap().clone()
    }
}

impl State {
    fn answer(&self, mut stream: StreamOwned<ServerConnection, std::net::TcpStream>) -> std::io::Result<()> {
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") {
            stream.read_exact(&mut byte)?;
            head.extend(byte);
        }
        let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
        self.heads.lock().unwrap().push(head.clone());
        let manner = self.manner.lock().unwrap().clone();
        match manner {
            Manner::Right | Manner::Slow => {
                let (answer, body) = self.file(&head);
                stream.write_all(answer.as_bytes())?;
                if matches!(manner, Manner::Slow) && head.contains(".twp ") {
                    for byte in body.iter().cycle() {
                        stream.write_all(&[*byte])?;
                        std::thread::sleep(Duration::from_secs(1));
                    }
                }
                stream.write_all(&body)?;
            }
            Manner::Away => {}
            Manner::Silent => {
                // Until the client has had enough.
                let _ = stream.read(&mut byte);
            }
            Manner::Says(text) => stream.write_all(text.as_bytes())?,
            Manner::Endless => {
                stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")?;
                loop {
                    stream.write_all(b"10\r\n0123456789abcdef\r\n")?;
                }
            }
        }
        stream.conn.send_close_notify();
        stream.flush()
    }

    /// Head and body of the answer to a request for a file.
    fn file(&self, head: &str) -> (String, Vec<u8>) {
        let status = |status: &str| {
            (
                format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n"),
                Vec::new(),
            )
        };
        if !head.contains(&format!("\r\nauthorization: bearer {TOKEN}\r\n")) {
            return status("401 Unauthorized");
        }
        let path = head.split(' ').nth(1).unwrap();
        let name = path.strip_prefix("/fleet/").unwrap();
        let Ok(bytes) = fs::read(self.directory.join(name)) else {
            return status("404 Not Found");
        };
        let tag = format!("\"{}\"", hex::encode(Sha256::digest(&bytes)));
        if head.contains(&format!("\r\nif-none-match: {tag}\r\n")) {
            return status("304 Not Modified");
        }
        let length = bytes.len();
        (
            format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nETag: {tag}\r\n\r\n"),
            bytes,
        )
    }
}

impl Fleet {
    /// A fleet whose source is a server of the directory `out`, with a version in it.
    fn behind_server() -> (Self, Server) {
        let fleet = Self::new();
        fleet.publish("out", &[]);
        let server = Server::start(&fleet.path("out"), &fleet.path("ca.pem"));
        write_private(&fleet.path("token"), format!("{TOKEN}\n").as_bytes());
        fleet.ask(&server.0.url, "ca_file = 'ca.pem'\ntoken_file = 'token'\n");
        (fleet, server)
    }

    /// Configures another source.
    fn ask(&self, url: &str, more: &str) {
        self.configure(&["one", "two"], more);
        let path = self.path("tokenward.toml");
        let text = fs::read_to_string(&path).unwrap();
        fs::write(path, text.replace("source = 'out'", &format!("source = '{url}'"))).unwrap();
    }

    fn verify(&self) -> Ran {
        run(self.root(), &["fleet", "verify"])
    }
}

#[test]
fn versions_are_taken_from_an_https_server_and_an_outage_changes_nothing() {
    let (fleet, server) = Fleet::behind_server();
    // Also a log of everything has no token.
    let text = fs::read_to_string(fleet.path("tokenward.toml")).unwrap();
    fs::write(
        fleet.path("tokenward.toml"),
        format!("{text}[log]\nlevel = 'trace'\n"),
    )
    .unwrap();
    let checked = run(fleet.root(), &["config", "check"]);
    assert!(
        checked.out.contains("main: version 1, expires"),
        "{}",
        checked.out
    );
    assert!(
        checked.out.contains(".twp: 1 token"),
        "{}{}",
        checked.out,
        checked.err
    );
    let mut proxy = fleet.start();
    assert!(fleet.allows("a") && !fleet.allows("b"));
    fs::create_dir(fleet.path("old")).unwrap();
    for entry in fs::read_dir(fleet.path("out")).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), fleet.path("old").join(entry.file_name())).unwrap();
    }
    fleet.allow("b");
    fleet.publish("out", &[]);
    fleet.takes(2);
    eventually("policy in force", || fleet.allows("b").then_some(()));
    // What has not changed is not sent again.
    let asked = server.heads().len();
    eventually("a condition", || {
        let heads = server.heads();
        let after = heads.get(asked..)?;
        after
            .iter()
            .any(|head| head.contains("\r\nif-none-match: \""))
            .then_some(())
    });
    // The same rules hold as for a directory.
    fleet.offer("old");
    fleet.refuses("version 1 is lower than version 2", 2);
    server.set(Manner::Away);
    fleet.refuses("/fleet/manifest`: ", 2);
    assert!(fleet.allows("b"));
    proxy.stop();
    let ran = proxy.wait();
    assert!(ran.err.contains("manifest taken"), "{}", ran.err);
    assert!(!ran.err.contains(TOKEN) && !ran.out.contains(TOKEN));
    // A restart needs no server, and does not wait for one.
    for manner in [Manner::Away, Manner::Silent] {
        server.set(manner);
        let mut proxy = fleet.start();
        assert!(fleet.allows("b"));
        proxy.stop();
    }
    server.set(Manner::Right);
    let mut proxy = fleet.start();
    fleet.allow("c");
    fleet.publish("out", &["--version", "3"]);
    fleet.takes(3);
    // A stop does not wait for a policy that never ends.
    server.set(Manner::Slow);
    fleet.publish("out", &["--version", "4"]);
    let policies = || {
        let heads = server.heads();
        heads.iter().filter(|head| head.contains(".twp ")).count()
    };
    let before = policies();
    eventually("version 4 is read", || (policies() > before).then_some(()));
    proxy.stop();
}

#[test]
fn a_server_that_misbehaves_is_refused_within_bounds() {
    let (fleet, server) = Fleet::behind_server();
    let verified = fleet.verify();
    assert_eq!(verified.code, 0, "{}", verified.err);
    let other = Server::start(&fleet.path("out"), &fleet.path("other.pem"));
    let head = "HTTP/1.1 200 OK\r\n";
    let says = |text: String| Manner::Says(text);
    for (manner, why) in [
        (
            says(format!(
                "HTTP/1.1 302 Found\r\nLocation: {}/manifest\r\nContent-Length: 0\r\n\r\n",
                other.0.url
            )),
            "redirects (302 Found), which is not followed",
        ),
        (
            says("HTTP/1.1 304 Not Modified\r\n\r\n".to_owned()),
            "responded with 304",
        ),
        (
            says("HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n".to_owned()),
            "responded with 500",
        ),
        (
            says(format!("{head}Content-Length: 99999999999\r\n\r\nx")),
            "more than 1024 bytes",
        ),
        (Manner::Endless, "more than 1024 bytes"),
        (
            says(format!("{head}Content-Length: 9\r\n\r\nx")),
            "end of file before message length reached",
        ),
        (
            says(format!(
                "{head}Content-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx"
            )),
            "sends it compressed",
        ),
        (says("SSH-2.0-x\r\n\r\n".to_owned()), "invalid HTTP version"),
        (
            says(format!("{head}X: {}\r\n\r\n", "y".repeat(1_000_000))),
            "message head is too large",
        ),
        (Manner::Away, "client error (Connect)"),
        (Manner::Silent, "no complete response within 10 s"),
    ] {
        server.set(manner);
        let ran = fleet.verify();
        ran.ends(3, &[why]);
        assert!(!ran.err.contains(TOKEN), "{}", ran.err);
    }
    // What is not a manifest, or has another policy, is judged as from a directory.
    server.set(says(format!("{head}Content-Length: 1\r\n\r\nx")));
    assert_eq!(fleet.verify().code, 1);
    server.set(Manner::Right);
    let policy = fs::read_dir(fleet.path("out"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().is_some_and(|extension| extension == "twp"))
        .unwrap();
    let mut bytes = fs::read(&policy).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&policy, &bytes).unwrap();
    fleet
        .verify()
        .ends(1, &["is not the compiled policy", "its SHA-256 is"]);
    bytes.push(0);
    fs::write(&policy, &bytes).unwrap();
    fleet.verify().ends(3, &["the response has more than"]);
    fs::remove_file(&policy).unwrap();
    fleet.verify().ends(3, &[".twp`: the server responded with 404"]);
    assert!(other.heads().is_empty(), "{:?}", other.heads());
}

#[test]
fn only_the_configured_authority_and_a_private_token_count() {
    let (fleet, server) = Fleet::behind_server();
    let _other = Server::start(&fleet.path("out"), &fleet.path("other.pem"));
    let url = server.0.url.clone();
    let files = "ca_file = 'ca.pem'\ntoken_file = 'token'\n";
    fleet.ask(&url, "ca_file = 'other.pem'\ntoken_file = 'token'\n");
    fleet.verify().ends(3, &["invalid peer certificate"]);
    fleet.ask(&url, "ca_file = 'none.pem'\n");
    fleet
        .verify()
        .ends(3, &["TLS to the server of the fleet", "none.pem"]);
    // The token.
    fleet.ask(&url, "ca_file = 'ca.pem'\n");
    fleet
        .verify()
        .ends(3, &["401 Unauthorized", "check `token_file`"]);
    fleet.ask(&url, files);
    fs::set_permissions(fleet.path("token"), fs::Permissions::from_mode(0o644)).unwrap();
    fleet.verify().ends(3, &["cannot use the token", "(mode 644)"]);
    fs::set_permissions(fleet.path("token"), fs::Permissions::from_mode(0o600)).unwrap();
    for wrong in ["", "two words", "two\r\nlines: x"] {
        write_private(&fleet.path("token"), wrong.as_bytes());
        let ran = fleet.verify();
        ran.ends(3, &["it must have one line with a token"]);
        assert!(wrong.is_empty() || !ran.err.contains(wrong), "{}", ran.err);
    }
    write_private(&fleet.path("token"), TOKEN.as_bytes());
    assert_eq!(fleet.verify().code, 0);
    // It goes only to the source that it was configured for.
    let asked = server.heads().len();
    let elsewhere = url.replace("/fleet", "/fleet/x");
    let ran = run(
        fleet.root(),
        &["fleet", "verify", &elsewhere, "--ca-file", "ca.pem"],
    );
    ran.ends(3, &["401 Unauthorized"]);
    let heads = server.heads();
    assert!(
        heads.len() > asked && !heads[asked].contains("authorization"),
        "{heads:?}"
    );
    // The configuration.
    for (source, more, why) in [
        (
            "http://127.0.0.1/fleet",
            "",
            "must be a directory or an https:// URL",
        ),
        (
            "https://u:hidden@127.0.0.1/fleet",
            "",
            "must not contain a name or a password",
        ),
        (
            "https://127.0.0.1/fleet?x=hidden",
            "",
            "a plain path, without a query",
        ),
        (
            "out",
            "ca_file = 'ca.pem'\n",
            "`ca_file` needs a `source` of https://",
        ),
        (
            "out",
            "token_file = 'token'\n",
            "`token_file` needs a `source` of https://",
        ),
    ] {
        fleet.ask(source, more);
        let ran = run(fleet.root(), &["config", "check"]);
        ran.ends(2, &[why]);
        assert!(!ran.err.contains("hidden"), "{}", ran.err);
    }
}
