//! A proxy on free ports, a raw client, and an upstream that does what a test says.

use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokenward_pdp::config::{Config, Methods};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::timeout;

use crate::serve::{Running, start};

/// Nothing in these tests takes so long unless it hangs.
pub(super) use tokenward_testbed::PATIENCE;

/// The secret of the token `t` of user `u`.
pub(super) const SECRET: &str = "twd_secret-of-t";

/// One token's entry.
pub(super) fn token(name: &str, secret: &str, more: &str, lines: &str) -> String {
    let hash = hex::encode(tokenward_pdp::secret::hash(secret));
    format!(
        "[[token]]\nname = \"{name}\"\nsecret_hash = \"sha256:{hash}\"\nexpires = 2099-01-01T00:00:00Z\n{more}\nlimit_to = '''\n{lines}\n'''\n"
    )
}

/// Replaces a policy file in one step, as editors and git do. A proxy on a busy machine would see a file that is being written without
/// its tokens.
pub(super) fn replace_file(file: impl AsRef<Path>, text: impl AsRef<[u8]>) {
    let new = file.as_ref().with_extension("new");
    std::fs::write(&new, text).unwrap();
    std::fs::rename(&new, file).unwrap();
}

/// A proxy under test, with its files.
pub(super) struct Scene {
    pub(super) folder: tempfile::TempDir,
    pub(super) running: Option<Running>,
    pub(super) config: Config,
}

impl Scene {
    /// A proxy for this upstream with a token `t` that has these lines.
    pub(super) fn new(upstream: SocketAddr, lines: &str) -> Self {
        Self::with(upstream, &token("t", SECRET, "user = \"u\"", lines), |_| {})
    }

    pub(super) fn with(upstream: SocketAddr, policy: &str, change: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let policies = folder.path().join("policies");
        std::fs::create_dir(&policies).unwrap();
        std::fs::write(policies.join("a.toml"), policy).unwrap();
        let mut config = Config {
            policies,
            audit: tokenward_audit::Config::at(folder.path().join("audit")),
            ..Config::default()
        };
        config.server.listen = "127.0.0.1:0".parse().unwrap();
        config.server.workers = 1;
        config.admin.listen = "127.0.0.1:0".parse().unwrap();
        config.admin.secret_file = folder.path().join("admin.secret");
        config.upstream.urls = vec![format!("http://{upstream}")];
        config.auth.methods = Methods::Both;
        change(&mut config);
        let running = start(config.clone()).unwrap();
        Self {
            folder,
            running: Some(running),
            config,
        }
    }

    /// Stops the proxy and starts it again with the same files.
    pub(super) fn restart(&mut self) {
        self.running.take().unwrap().stop().unwrap();
        self.restart_stopped();
    }

    /// Starts it again with the same files, once it was stopped.
    pub(super) fn restart_stopped(&mut self) {
        self.running = Some(start(self.config.clone()).unwrap());
    }

    pub(super) fn running(&self) -> &Running {
        self.running.as_ref().unwrap()
    }

    pub(super) async fn connect(&self) -> Client {
        Client(TcpStream::connect(self.running().proxy_addr()).await.unwrap())
    }

    /// The answer to one request on a connection of its own.
    pub(super) async fn ask(&self, request: &str) -> Reply {
        let mut client = self.connect().await;
        client.send(request).await;
        client.reply().await
    }

    /// A GET to the admin listener, with the secret.
    pub(super) async fn admin(&self, path: &str) -> Reply {
        let secret = std::fs::read_to_string(self.folder.path().join("admin.secret")).unwrap();
        let mut client = Client(TcpStream::connect(self.running().admin_addr()).await.unwrap());
        client
            .send(&format!(
                "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer {}\r\n\r\n",
                secret.trim()
            ))
            .await;
        client.reply().await
    }

    /// Waits until the metrics have one of these lines: a client may see what was done with it before it is counted.
    pub(super) async fn counted(&self, lines: &[&str]) {
        let there = async {
            loop {
                let metrics = self.admin("/metrics").await.body;
                if metrics.lines().any(|line| lines.contains(&line)) {
                    break;
                }
            }
        };
        timeout(PATIENCE, there)
            .await
            .unwrap_or_else(|_| panic!("the metrics come to have one of {lines:?}"));
    }

    /// The audit, oldest first, once `enough` of it.
    pub(super) async fn audit_when(
        &self,
        enough: impl Fn(&[serde_json::Value]) -> bool,
    ) -> Vec<serde_json::Value> {
        timeout(PATIENCE, async {
            loop {
                let reply = self.admin("/v1/audit?order=oldest").await;
                let entries: Vec<_> = reply
                    .body
                    .lines()
                    .map(|line| serde_json::from_str(line).unwrap())
                    .collect();
                if enough(&entries) {
                    return entries;
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        })
        .await
        .expect("the audit has what is expected")
    }

    /// The audit's only entry, ended.
    pub(super) async fn only_entry(&self) -> serde_json::Value {
        let entries = self
            .audit_when(|entries| entries.len() == 1 && !entries[0]["outcome"].is_null())
            .await;
        entries[0].clone()
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            let stopped = running.stop();
            if !std::thread::panicking() {
                stopped.unwrap();
            }
        }
    }
}

/// A request of token `t` with these further header lines.
pub(super) fn request(line: &str, more: &str) -> String {
    format!("{line} HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nAuthorization: Bearer {SECRET}\r\n{more}\r\n")
}

/// A connection as a client's.
pub(super) struct Client(pub(super) TcpStream);

#[derive(Debug, Clone)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) body: String,
}

impl Reply {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    pub(super) fn reason(&self) -> String {
        let problem: serde_json::Value =
            serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("{self:?}"));
        problem["reason"].as_str().unwrap().to_owned()
    }
}

impl Client {
    pub(super) async fn send(&mut self, bytes: &str) {
        self.0.write_all(bytes.as_bytes()).await.unwrap();
    }

    pub(super) async fn head(&mut self) -> (u16, String) {
        let head = timeout(PATIENCE, head(&mut self.0))
            .await
            .expect("a head in time");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        (status.unwrap_or_else(|| panic!("no status in {head:?}")), head)
    }

    /// A whole answer, by its framing.
    pub(super) async fn reply(&mut self) -> Reply {
        let (status, head) = self.head().await;
        let mut reply = Reply {
            status,
            head,
            body: String::new(),
        };
        let body = timeout(PATIENCE, async {
            if let Some(length) = reply.header("content-length") {
                let mut body = vec![0; length.parse().unwrap()];
                self.0.read_exact(&mut body).await.unwrap();
                body
            } else if reply.header("transfer-encoding").is_some() {
                self.chunks().await
            } else if reply.status == 204 || reply.status == 304 {
                Vec::new()
            } else {
                let mut body = Vec::new();
                self.0.read_to_end(&mut body).await.unwrap();
                body
            }
        });
        reply.body = String::from_utf8(body.await.expect("a body in time")).unwrap();
        reply
    }

    async fn chunks(&mut self) -> Vec<u8> {
        let mut body = Vec::new();
        loop {
            let size = line(&mut self.0).await;
            let size = usize::from_str_radix(size.trim(), 16).unwrap();
            let mut chunk = vec![0; size + 2];
            self.0.read_exact(&mut chunk).await.unwrap();
            chunk.truncate(size);
            body.extend(chunk);
            if size == 0 {
                return body;
            }
        }
    }

    /// Waits for the end of the connection; `Err` if it is a reset.
    pub(super) async fn end(&mut self) -> std::io::Result<Vec<u8>> {
        let mut rest = Vec::new();
        timeout(PATIENCE, self.0.read_to_end(&mut rest))
            .await
            .expect("an end in time")
            .map(|_| rest)
    }
}

async fn line(stream: &mut TcpStream) -> String {
    let mut line = String::new();
    while !line.ends_with("\r\n") {
        line.push(char::from(stream.read_u8().await.unwrap()));
    }
    line
}

/// Everything up to the empty line; what there was if the stream ends before.
pub(super) async fn head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8_lossy(&head).into_owned()
}

/// An address at which nobody listens. It stays bound as long as this stands: another test, which runs in a process of
/// its own beside this one, would be given the port otherwise and answer there.
pub(super) struct Nobody {
    pub(super) addr: SocketAddr,
    _held: TcpSocket,
}

impl Nobody {
    pub(super) fn new() -> Self {
        // Without SO_REUSEADDR, unlike a listener, so that no other socket may share the port.
        let held = TcpSocket::new_v4().unwrap();
        held.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        let addr = held.local_addr().unwrap();
        Self { addr, _held: held }
    }
}

/// An upstream: for each request head on each connection it runs the script.
pub(super) struct Behind {
    pub(super) addr: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
    connections: Arc<AtomicUsize>,
}

impl Behind {
    /// `script` gets the head and the stream after it, and gives the stream back to have the next request read.
    pub(super) async fn new<F, R>(script: F) -> Self
    where
        F: Fn(String, TcpStream) -> R + Clone + Send + 'static,
        R: Future<Output = Option<TcpStream>> + Send,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let behind = Self {
            addr,
            heads: Arc::default(),
            connections: Arc::default(),
        };
        let (heads, connections) = (Arc::clone(&behind.heads), Arc::clone(&behind.connections));
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                connections.fetch_add(1, Ordering::SeqCst);
                let (script, heads) = (script.clone(), Arc::clone(&heads));
                tokio::spawn(async move {
                    loop {
                        let text = head(&mut stream).await;
                        if text.is_empty() {
                            return;
                        }
                        heads.lock().unwrap().push(text.clone());
                        match script(text, stream).await {
                            Some(next) => stream = next,
                            None => return,
                        }
                    }
                });
            }
        });
        behind
    }

    /// Answers every request with these bytes, bodies by `Content-Length` being read first.
    pub(super) async fn answering(answer: &'static str) -> Self {
        Self::new(move |head, mut stream| async move {
            let length = field(&head, "content-length").map_or(0, |length| length.parse().unwrap());
            stream.read_exact(&mut vec![0; length]).await.unwrap();
            stream.write_all(answer.as_bytes()).await.unwrap();
            Some(stream)
        })
        .await
    }

    /// The heads so far.
    pub(super) fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }

    /// Connections so far.
    pub(super) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// A field of a raw head.
pub(super) fn field<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then_some(value.trim())
    })
}

/// Waits until it holds.
pub(super) async fn until(holds: impl Fn() -> bool) {
    timeout(PATIENCE, async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    })
    .await
    .expect("it comes to hold");
}
