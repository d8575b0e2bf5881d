//! A `tokenward` that runs beside a test.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "what fails here fails the test"
)]

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

// One text for the crates' tests and for those that cross crates, which depend on this crate.
#[path = "../../../../tests/src/ports.rs"]
mod ports;

/// A started `tokenward`, ended with the test.
pub(crate) struct Running(pub(crate) Child);

impl Running {
    pub(crate) fn start(directory: &Path, arguments: &[&str]) -> Self {
        let child = Command::new(env!("CARGO_BIN_EXE_tokenward"))
            .args(arguments)
            .current_dir(directory)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        Self(child.unwrap())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// An address for a proxy to listen at, and the tables of the configuration that say so.
pub(crate) fn listening() -> (SocketAddr, String) {
    let (port, admin) = ports::free_ports();
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let tables = format!("[server]\nlisten = '{address}'\n[admin]\nlisten = '127.0.0.1:{admin}'\n");
    (address, tables)
}

/// Makes a call without a token, as soon as someone listens, which must be answered so.
pub(crate) fn call(address: SocketAddr, path: &str) {
    let begun = Instant::now();
    let mut connection = loop {
        match TcpStream::connect(address) {
            Ok(connection) => break connection,
            Err(error) => assert!(begun.elapsed() < Duration::from_secs(20), "{error}"),
        }
        thread::sleep(Duration::from_millis(10));
    };
    write!(
        connection,
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
}
