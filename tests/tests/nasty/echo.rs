//! An upstream that keeps every byte it gets, and cuts messages by a reader of its own.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use tokenward_tests::naive::http::{Message, take};

/// By this field a client tells an answer of the upstream from one of the proxy.
pub(crate) const MARK: &str = "x-echo";
/// By this field it finds what came of its request.
pub(crate) const CASE: &str = "x-case";

#[derive(Debug)]
pub(crate) struct Echo {
    port: u16,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    messages: Mutex<Vec<Message>>,
    stopped: AtomicBool,
}

impl Echo {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared::default());
        let ours = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if ours.stopped.load(Ordering::SeqCst) {
                    return;
                }
                let ours = Arc::clone(&ours);
                std::thread::spawn(move || converse(&ours, stream));
            }
        });
        Self { port, shared }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Takes out what arrived with this number in its [`CASE`] field.
    pub(crate) fn take(&self, case: u64) -> Vec<Message> {
        let case = case.to_string();
        let mut messages = self.shared.messages.lock().unwrap();
        let wanted = |message: &Message| message.values(CASE).contains(&case.as_bytes());
        let (taken, left) = messages.drain(..).partition(wanted);
        *messages = left;
        taken
    }

    /// Takes out all that nobody has taken.
    pub(crate) fn leftovers(&self) -> Vec<Message> {
        std::mem::take(&mut self.shared.messages.lock().unwrap())
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        // Wakes the accepting thread; if it is gone already, so much the better.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
    }
}

fn converse(shared: &Shared, mut stream: TcpStream) {
    let keep = |message: Message| shared.messages.lock().unwrap().push(message);
    let mut bytes = Vec::new();
    let mut buffer = vec![0; 16 << 10];
    loop {
        while let Some((message, length)) = take(&bytes) {
            bytes.drain(..length);
            let text = if message.method == "HEAD" { "" } else { "echo" };
            let answer = format!("HTTP/1.1 200 OK\r\n{MARK}: 1\r\nContent-Length: 4\r\n\r\n{text}");
            keep(message);
            if stream.write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
        match stream.read(&mut buffer) {
            Ok(length @ 1..) => bytes.extend_from_slice(buffer.get(..length).unwrap_or_default()),
            _ => break,
        }
    }
    if !bytes.is_empty() {
        keep(Message {
            head: bytes,
            faults: vec!["cut off"],
            ..Message::default()
        });
    }
}
