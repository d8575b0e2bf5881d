//! A client that sends what it is told, byte for byte, and reads whole answers.

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

use crate::{PATIENCE, TestToken};

/// A request to be sent.
#[derive(Clone, Debug)]
pub struct Call {
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: Option<Vec<u8>>,
}

impl Call {
    /// A request without a body.
    #[must_use]
    pub fn new(method: &str, target: &str) -> Self {
        Self {
            method: method.to_owned(),
            target: target.to_owned(),
            headers: Vec::new(),
            body: None,
        }
    }

    /// A GET.
    #[must_use]
    pub fn get(target: &str) -> Self {
        Self::new("GET", target)
    }

    /// A POST of JSON.
    #[must_use]
    pub fn post_json(target: &str, body: &str) -> Self {
        Self::new("POST", target)
            .header("Content-Type", "application/json")
            .body(body.as_bytes())
    }

    /// Adds a header line.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets the body, sent with `Content-Length`.
    #[must_use]
    pub fn body(mut self, body: &[u8]) -> Self {
        self.body = Some(body.to_vec());
        self
    }

    /// Shows the token as Basic, with its user.
    #[must_use]
    pub fn basic(self, token: &TestToken) -> Self {
        self.header("Authorization", &token.basic())
    }

    /// Shows the token as Bearer.
    #[must_use]
    pub fn bearer(self, token: &TestToken) -> Self {
        self.header("Authorization", &token.bearer())
    }

    /// The bytes on the wire, for the given `Host`.
    #[must_use]
    pub fn bytes(&self, host: &str) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\nHost: {host}\r\n", self.method, self.target);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if let Some(body) = &self.body {
            head.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(self.body.as_deref().unwrap_or_default());
        bytes
    }
}

/// A whole answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Header fields in order, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, transfer coding removed.
    pub body: Vec<u8>,
}

impl Answer {
    /// The first value of a header, by its lower-case name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(have, _)| have == name)
            .map(|(_, value)| value.as_str())
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A member of the JSON body.
    ///
    /// # Panics
    /// The body is not JSON.
    #[must_use]
    pub fn json(&self, name: &str) -> serde_json::Value {
        let value: serde_json::Value =
            serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()));
        value.get(name).cloned().unwrap_or_default()
    }
}

/// One connection to the proxy.
#[derive(Debug)]
pub struct Client {
    stream: BufReader<TcpStream>,
    host: String,
}

impl Client {
    /// Connects to a port of 127.0.0.1.
    ///
    /// # Panics
    /// Nobody listens there.
    #[must_use]
    pub fn connect(port: u16) -> Self {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("the proxy accepts a connection");
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self {
            stream: BufReader::new(stream),
            host: format!("127.0.0.1:{port}"),
        }
    }

    /// Sends a request and reads its final answer, leaving the connection open.
    ///
    /// # Panics
    /// No whole answer comes.
    pub fn send(&mut self, call: &Call) -> Answer {
        self.try_send(call)
            .unwrap_or_else(|error| panic!("no answer to {} {}: {error}", call.method, call.target))
    }

    /// As [`Client::send`].
    ///
    /// # Errors
    /// The connection broke, or nothing came in time.
    pub fn try_send(&mut self, call: &Call) -> std::io::Result<Answer> {
        self.write(&call.bytes(&self.host))?;
        self.answer(call.method == "HEAD")
    }

    /// Sends bytes as they are.
    ///
    /// # Errors
    /// The connection broke.
    pub fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.stream.get_mut().write_all(bytes)
    }

    /// Reads and forgets until the connection ends or nothing has come for a while.
    ///
    /// # Panics
    /// The time is zero.
    pub fn drain(&mut self, quiet: Duration) {
        self.stream.get_ref().set_read_timeout(Some(quiet)).unwrap();
        let mut buffer = [0; 4096];
        while matches!(self.stream.read(&mut buffer), Ok(1..)) {}
        self.stream.get_ref().set_read_timeout(Some(PATIENCE)).unwrap();
    }

    /// Reads body bytes as they come, after [`Client::head`]: at most `buffer.len()`, 0 at the end of the connection.
    ///
    /// # Errors
    /// The connection broke, or nothing came in time.
    pub fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.stream.read(buffer)
    }

    /// Reads the head of a final answer.
    ///
    /// # Errors
    /// The connection ended or broke before it.
    pub fn head(&mut self) -> std::io::Result<Answer> {
        loop {
            let first = self.line()?;
            let status = first.split(' ').nth(1).and_then(|code| code.parse().ok());
            let status = status.ok_or_else(|| broken(&format!("status line {first:?}")))?;
            let mut headers = Vec::new();
            loop {
                let line = self.line()?;
                if line.is_empty() {
                    break;
                }
                let (name, value) = line.split_once(':').ok_or_else(|| broken(&line))?;
                headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
            }
            if status >= 200 {
                return Ok(Answer {
                    status,
                    headers,
                    body: Vec::new(),
                });
            }
        }
    }

    /// Reads a whole final answer.
    ///
    /// # Errors
    /// The connection ended or broke within it.
    pub fn answer(&mut self, to_head: bool) -> std::io::Result<Answer> {
        let mut answer = self.head()?;
        if to_head || answer.status == 204 || answer.status == 304 {
            return Ok(answer);
        }
        if answer.header("transfer-encoding").is_some() {
            answer.body = self.chunks()?;
        } else if let Some(length) = answer.header("content-length") {
            let length = length.parse().map_err(|_| broken(length))?;
            answer.body = vec![0; length];
            self.stream.read_exact(&mut answer.body)?;
        } else {
            self.stream.read_to_end(&mut answer.body)?;
        }
        Ok(answer)
    }

    fn chunks(&mut self) -> std::io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let line = self.line()?;
            let size = u64::from_str_radix(&line, 16).map_err(|_| broken(&line))?;
            self.stream.by_ref().take(size).read_to_end(&mut body)?;
            let end = self.line()?;
            if !end.is_empty() {
                return Err(broken(&end));
            }
            if size == 0 {
                return Ok(body);
            }
        }
    }

    fn line(&mut self) -> std::io::Result<String> {
        let mut line = String::new();
        if self.stream.read_line(&mut line)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        Ok(line.trim_end_matches(['\r', '\n']).to_owned())
    }
}

fn broken(what: &str) -> std::io::Error {
    std::io::Error::new(std::io::ErrorKind::InvalidData, what.to_owned())
}
