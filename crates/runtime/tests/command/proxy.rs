//! Starts a proxy beside a test, and calls it.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokenward_testbed::{Running, eventually, free_ports};

use crate::tokenward::tokenward;

/// Starts `tokenward serve` with the configuration of a directory. [`call`] waits until it listens.
pub(crate) fn serve(directory: &Path) -> Running {
    tokenward(directory, &["serve"]).start()
}

/// An address for a proxy to listen at, and the tables of the configuration that say so.
pub(crate) fn listening() -> (SocketAddr, String) {
    let (port, admin) = free_ports();
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let tables = format!("[server]\nlisten = '{address}'\n[admin]\nlisten = '127.0.0.1:{admin}'\n");
    (address, tables)
}

/// Makes a call without a token, as soon as someone listens, and expects 401.
pub(crate) fn call(address: SocketAddr, path: &str) {
    let mut connection = eventually("the proxy listens", || TcpStream::connect(address).ok());
    write!(
        connection,
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
}

/// Makes a call with Basic credentials; the whole response.
pub(crate) fn call_with(address: SocketAddr, path: &str, credentials: &str) -> String {
    let mut connection = eventually("the proxy listens", || TcpStream::connect(address).ok());
    let credentials = STANDARD.encode(credentials);
    write!(
        connection,
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Basic {credentials}\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    answer
}
