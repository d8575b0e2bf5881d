//! A proxy with few file descriptors, and a client that wants all of them.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokenward_testbed::{Invocation, eventually};
use tokio::net::TcpSocket;

use crate::policy::{hash, token};
use crate::proxy::listening;
use crate::tokenward::BINARY;

const DESCRIPTORS: &str = "400";
const CONNECTIONS: usize = 500;

/// An upstream that answers calls of `/rest/free`, and leaves all others without an answer.
fn upstream() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        let mut silent = Vec::new();
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            let mut head = [0; 1024];
            let read = connection.read(&mut head).unwrap_or_default();
            if String::from_utf8_lossy(&head[..read]).contains("/rest/free") {
                let _ = connection
                    .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            } else {
                silent.push(connection);
            }
        }
    });
    port
}

fn policy(name: &str, secret: &str, more: &str) -> String {
    let of_secret = format!("sha256:{}", hex::encode(tokenward_pdp::secret::hash(secret)));
    token(name, "01", more, "/rest/.*").replace(&hash("01"), &of_secret)
}

/// Makes a call with the other token, from another address.
fn call_from_elsewhere(address: SocketAddr) -> String {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, 2], 0).into()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let connected = runtime.block_on(socket.connect(address)).unwrap();
    let mut connection = connected.into_std().unwrap();
    connection.set_nonblocking(false).unwrap();
    let credentials = STANDARD.encode("svc:twd_other");
    write!(
        connection,
        "GET /rest/free HTTP/1.1\r\nHost: {address}\r\nAuthorization: Basic {credentials}\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn a_token_that_wants_all_descriptors_holds_up_neither_others_nor_its_revocation() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    fs::create_dir(path.join("policies")).unwrap();
    let file = path.join("policies/greedy.toml");
    fs::write(&file, policy("greedy", "twd_greedy", "")).unwrap();
    fs::write(path.join("policies/other.toml"), policy("other", "twd_other", "")).unwrap();
    let (address, tables) = listening();
    let upstream = upstream();
    fs::write(
        path.join("tokenward.toml"),
        format!("{tables}[upstream]\nurl = 'http://127.0.0.1:{upstream}'\n"),
    )
    .unwrap();
    let limited = format!("ulimit -n {DESCRIPTORS} && exec '{BINARY}' serve");
    let mut proxy = Invocation::new("/bin/sh", path)
        .arguments(&["-c", &limited])
        .start();
    eventually("the proxy serves", || {
        TcpStream::connect(address).is_ok().then_some(())
    });
    let credentials = STANDARD.encode("svc:twd_greedy");
    let calls: Vec<TcpStream> = (0..CONNECTIONS)
        .filter_map(|_| {
            let mut call = TcpStream::connect(address).ok()?;
            write!(
                call,
                "GET /rest/a HTTP/1.1\r\nHost: {address}\r\nAuthorization: Basic {credentials}\r\n\r\n"
            )
            .ok()?;
            Some(call)
        })
        .collect();
    // Another token is served, while the first one waits for what it cannot get.
    let answer = call_from_elsewhere(address);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    // The file revokes it in time, and ends the calls that the upstream has.
    let began = Instant::now();
    fs::write(&file, policy("greedy", "twd_greedy", "revoked = true")).unwrap();
    let ended = eventually("a call in progress ends", || {
        calls.iter().find_map(|mut call| {
            call.set_nonblocking(true).unwrap();
            let mut answer = [0; 4096];
            match call.read(&mut answer) {
                Ok(read) => Some(String::from_utf8_lossy(&answer[..read]).into_owned())
                    .filter(|answer| answer.contains("\"revoked\"")),
                Err(error) => {
                    assert!(
                        error.kind() == ErrorKind::WouldBlock || error.kind() == ErrorKind::ConnectionReset
                    );
                    None
                }
            }
        })
    });
    let took = began.elapsed();
    assert!(ended.starts_with("HTTP/1.1 401"), "{ended}");
    assert!(took < Duration::from_secs(5), "{took:?}");
    drop(calls);
    proxy.stop();
}
