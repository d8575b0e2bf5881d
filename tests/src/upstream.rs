//! An upstream that records every request, by the plainest HTTP/1.1 there is.

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// Bodies are kept up to this size, in bytes; larger ones are counted.
const KEPT: usize = 64 << 10;
const PIECE: usize = 16 << 10;
const UNAUTHORIZED: &[u8] = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n";

/// A request as it arrived.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// The method.
    pub method: String,
    /// The request target, as on the wire.
    pub target: String,
    /// Header fields in order, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The first 64 KiB of the body, transfer coding removed.
    pub body: Vec<u8>,
    /// The body's whole length, in bytes.
    pub length: u64,
}

impl Seen {
    /// Every value of a header, by its lower-case name.
    #[must_use]
    pub fn values(&self, name: &str) -> Vec<&str> {
        self.headers
            .iter()
            .filter(|(have, _)| have == name)
            .map(|(_, value)| value.as_str())
            .collect()
    }
}

#[derive(Debug, Default)]
struct State {
    seen: Mutex<Vec<Seen>>,
    read: AtomicU64,
    written: AtomicU64,
    open: AtomicU64,
    released: AtomicBool,
    stopped: AtomicBool,
    /// The only `Authorization` that is accepted; any, if there is none.
    accepted: Option<String>,
}

impl State {
    fn accepts(&self, request: &Seen) -> bool {
        self.accepted
            .as_deref()
            .is_none_or(|accepted| request.values("authorization") == [accepted])
    }
}

/// A recording upstream. It answers 200 with `METHOD target` as text and these fields: `X-Upstream-Target` (the target) and
/// `Set-Cookie`. The target chooses other conduct:
///
/// * `…/endless`: a chunked body without an end;
/// * `…/hold`: reads nothing of the body until [`Upstream::release`];
/// * `…/early`: answers 413 at once, reading nothing of the body, and closes;
/// * `…/unauthorized`: 401;
/// * `…/drop`: closes without an answer.
#[derive(Debug)]
pub struct Upstream {
    port: u16,
    state: Arc<State>,
}

impl Upstream {
    /// Starts on a free port.
    ///
    /// # Panics
    /// There is none.
    #[must_use]
    pub fn start() -> Self {
        Self::with(State::default())
    }

    /// Starts one that answers 401 unless `Authorization` has this value, as a product that checks credentials itself.
    ///
    /// # Panics
    /// As [`Upstream::start`].
    #[must_use]
    pub fn accepting(authorization: &str) -> Self {
        Self::with(State {
            accepted: Some(authorization.to_owned()),
            ..State::default()
        })
    }

    fn with(state: State) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(state);
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if shared.stopped.load(Ordering::SeqCst) {
                    return;
                }
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || {
                    shared.open.fetch_add(1, Ordering::SeqCst);
                    // A connection that breaks is the other side's affair; the test sees what was recorded.
                    let _ = converse(&shared, stream);
                    shared.open.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        Self { port, state }
    }

    /// Its port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Every request so far whose head arrived whole, in the order of their heads.
    ///
    /// # Panics
    /// A connection's thread has panicked.
    #[must_use]
    pub fn seen(&self) -> Vec<Seen> {
        self.state.seen.lock().unwrap().clone()
    }

    /// How many requests have arrived.
    ///
    /// # Panics
    /// A connection's thread has panicked.
    #[must_use]
    pub fn count(&self) -> usize {
        self.state.seen.lock().unwrap().len()
    }

    /// Body bytes read so far, over all requests.
    #[must_use]
    pub fn read(&self) -> u64 {
        self.state.read.load(Ordering::SeqCst)
    }

    /// Bytes of endless bodies written so far.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.state.written.load(Ordering::SeqCst)
    }

    /// Connections open now.
    #[must_use]
    pub fn open(&self) -> u64 {
        self.state.open.load(Ordering::SeqCst)
    }

    /// Lets `…/hold` read on.
    pub fn release(&self) {
        self.state.released.store(true, Ordering::SeqCst);
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.state.stopped.store(true, Ordering::SeqCst);
        self.state.released.store(true, Ordering::SeqCst);
        // Wakes the accepting thread; if it is gone already, so much the better.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
    }
}

fn converse(state: &State, stream: TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut out = stream.try_clone()?;
    let mut input = BufReader::new(stream);
    while let Some(request) = head(&mut input)? {
        let slot = {
            let mut seen = state.seen.lock().unwrap();
            seen.push(request.clone());
            seen.len() - 1
        };
        let path = request.target.split('?').next().unwrap_or_default();
        match path.rsplit('/').next().unwrap_or_default() {
            "drop" => return Ok(()),
            "early" => {
                out.write_all(
                    b"HTTP/1.1 413 Payload Too Large\r\nContent-Length: 5\r\nConnection: close\r\n\r\nearly",
                )?;
                return lingering_close(&out, &mut input);
            }
            "hold" => {
                while !state.released.load(Ordering::SeqCst) {
                    std::thread::sleep(std::time::Duration::from_millis(2));
                }
            }
            _ => {}
        }
        let (kept, length) = body(state, &request, &mut input, &mut out)?;
        {
            let mut seen = state.seen.lock().unwrap();
            if let Some(entry) = seen.get_mut(slot) {
                entry.body = kept;
                entry.length = length;
            }
        }
        match path.rsplit('/').next().unwrap_or_default() {
            "endless" => return endless(state, &mut out),
            _ if !state.accepts(&request) => out.write_all(UNAUTHORIZED)?,
            "unauthorized" => out.write_all(UNAUTHORIZED)?,
            _ => {
                let text = format!("{} {}\n", request.method, request.target);
                let body = if request.method == "HEAD" {
                    ""
                } else {
                    text.as_str()
                };
                let answer = format!(
                    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-Upstream-Target: {}\r\nSet-Cookie: s=1\r\nContent-Length: {}\r\n\r\n{body}",
                    request.target,
                    text.len()
                );
                out.write_all(answer.as_bytes())?;
            }
        }
    }
    Ok(())
}

/// Closes so that the answer arrives although the peer still sends: a plain close would reset the connection.
fn lingering_close(out: &TcpStream, input: &mut BufReader<TcpStream>) -> std::io::Result<()> {
    out.shutdown(std::net::Shutdown::Write)?;
    let mut buffer = vec![0; PIECE];
    while input.read(&mut buffer)? > 0 {}
    Ok(())
}

fn endless(state: &State, out: &mut TcpStream) -> std::io::Result<()> {
    out.write_all(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nTransfer-Encoding: chunked\r\n\r\n",
    )?;
    let mut chunk = format!("{PIECE:x}\r\n").into_bytes();
    chunk.resize(chunk.len() + PIECE, b'x');
    chunk.extend_from_slice(b"\r\n");
    while !state.stopped.load(Ordering::SeqCst) {
        out.write_all(&chunk)?;
        state
            .written
            .fetch_add(u64::try_from(PIECE).unwrap(), Ordering::SeqCst);
    }
    Ok(())
}

/// The next request's head, or `None` at the end of the connection.
fn head(input: &mut BufReader<TcpStream>) -> std::io::Result<Option<Seen>> {
    let mut line = String::new();
    if input.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace().map(str::to_owned);
    let mut request = Seen {
        method: words.next().unwrap_or_default(),
        target: words.next().unwrap_or_default(),
        ..Seen::default()
    };
    loop {
        let mut line = String::new();
        if input.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let line = line.trim_end_matches(['\r', '\n']);
        if line.is_empty() {
            return Ok(Some(request));
        }
        if let Some((name, value)) = line.split_once(':') {
            request
                .headers
                .push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
}

/// Reads the body: its first bytes, and its whole length.
fn body(
    state: &State,
    request: &Seen,
    input: &mut BufReader<TcpStream>,
    out: &mut TcpStream,
) -> std::io::Result<(Vec<u8>, u64)> {
    let mut kept = Vec::new();
    if request
        .values("expect")
        .iter()
        .any(|value| value.eq_ignore_ascii_case("100-continue"))
    {
        out.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    if let Some(length) = request.values("content-length").first() {
        let length = length.parse().map_err(|_| std::io::ErrorKind::InvalidData)?;
        piecewise(state, input, length, &mut kept)?;
        return Ok((kept, length));
    }
    if request.values("transfer-encoding").is_empty() {
        return Ok((kept, 0));
    }
    let mut whole = 0;
    loop {
        let mut line = String::new();
        input.read_line(&mut line)?;
        let size = u64::from_str_radix(line.trim_end(), 16).map_err(|_| std::io::ErrorKind::InvalidData)?;
        piecewise(state, input, size, &mut kept)?;
        whole += size;
        input.read_line(&mut line)?;
        if size == 0 {
            return Ok((kept, whole));
        }
    }
}

fn piecewise(
    state: &State,
    input: &mut BufReader<TcpStream>,
    mut left: u64,
    kept: &mut Vec<u8>,
) -> std::io::Result<()> {
    let mut buffer = vec![0; PIECE];
    while left > 0 {
        let want = PIECE.min(usize::try_from(left).unwrap_or(PIECE));
        let piece = buffer.get_mut(..want).unwrap_or_default();
        let got = input.read(piece)?;
        if got == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        let room = KEPT.saturating_sub(kept.len()).min(got);
        kept.extend_from_slice(piece.get(..room).unwrap_or_default());
        let got = u64::try_from(got).unwrap_or_default();
        left -= got;
        state.read.fetch_add(got, Ordering::SeqCst);
    }
    Ok(())
}
