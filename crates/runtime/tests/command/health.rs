//! `[health] listen` and `tokenward health`.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use tokenward_testbed::{eventually, free_ports};

use crate::policy::token;
use crate::proxy::listening;
use crate::tokenward::{run, tokenward};

/// Writes a policy and a configuration with these tables.
fn configured(directory: &Path, more: &str) {
    fs::create_dir(directory.join("policies")).unwrap();
    let text = token("one", "01", "", "[get]/rest/x");
    fs::write(directory.join("policies/tokens.toml"), text).unwrap();
    let (_, tables) = listening();
    fs::write(directory.join("tokenward.toml"), format!("{tables}{more}")).unwrap();
}

/// Sends a request; the response.
fn ask(address: SocketAddr, request: &str) -> String {
    let mut connection = eventually("it listens", || TcpStream::connect(address).ok());
    write!(connection, "{request} HTTP/1.1\r\nHost: {address}\r\n\r\n").unwrap();
    let mut answer = String::new();
    // The listener closes each connection after one response.
    connection.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn the_health_listener_tells_live_and_ready_and_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let (port, _) = free_ports();
    configured(path, &format!("[health]\nlisten = '0.0.0.0:{port}'\n"));
    let ran = run(path, &["health"]);
    assert_eq!(ran.code, 3, "{}", ran.err);
    let mut process = tokenward(path, &["serve"]).start();
    let ran = run(path, &["health", "--wait", "20s"]);
    assert_eq!((ran.code, ran.out.as_str()), (0, "ready\n"), "{}", ran.err);
    let ran = run(path, &["health", "--live"]);
    assert_eq!((ran.code, ran.out.as_str()), (0, "live\n"), "{}", ran.err);
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let secret = fs::read_to_string(path.join(".tokenward/admin.secret")).unwrap();
    for (request, status, ends) in [
        ("GET /livez", 200, "live\n"),
        ("GET /readyz", 200, "ready\n"),
        ("HEAD /readyz", 200, "\r\n\r\n"),
        ("POST /readyz", 405, ""),
        ("GET /metrics", 404, ""),
        ("GET /healthz", 404, ""),
        ("GET /v1/audit", 404, ""),
        ("POST /v1/revoke", 404, ""),
        ("GET /", 404, ""),
    ] {
        let line = format!(
            "{request} HTTP/1.1\r\nAuthorization: Bearer {}\r\nX:",
            secret.trim()
        );
        for request in [request, &line] {
            let answer = ask(address, request);
            assert!(
                answer.starts_with(&format!("HTTP/1.1 {status} ")) && answer.ends_with(ends),
                "{request}: {answer}"
            );
            assert!(!answer.contains("policy"), "{answer}");
        }
    }
    process.stop();
    assert_eq!(run(path, &["health"]).code, 3);
}

/// Connections without a request do not hold the listener's few places.
#[test]
fn silent_connections_are_closed() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let (port, _) = free_ports();
    configured(path, &format!("[health]\nlisten = '127.0.0.1:{port}'\n"));
    let _process = tokenward(path, &["serve"]).start();
    assert_eq!(run(path, &["health", "--wait", "20s"]).code, 0);
    let silent: Vec<TcpStream> = (0..80)
        .map(|_| TcpStream::connect(("127.0.0.1", port)).unwrap())
        .collect();
    assert_eq!(run(path, &["health", "--wait", "20s"]).code, 0);
    for mut connection in silent {
        connection
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        let mut answer = Vec::new();
        let _ = connection.read_to_end(&mut answer).expect("it is closed");
    }
}

#[test]
fn without_a_health_listener_the_admin_listener_is_asked() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    configured(path, "");
    let _process = tokenward(path, &["serve"]).start();
    let ran = run(path, &["health", "--wait", "20s"]);
    assert_eq!((ran.code, ran.out.as_str()), (0, "ready\n"), "{}", ran.err);
    assert_eq!(run(path, &["health", "--live"]).out, "live\n");
}

#[test]
fn an_answer_of_another_program_is_not_health() {
    let directory = tempfile::tempdir().unwrap();
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = other.local_addr().unwrap();
    fs::write(
        directory.path().join("tokenward.toml"),
        format!("[health]\nlisten = '{address}'\n"),
    )
    .unwrap();
    let answering = std::thread::spawn(move || {
        let (mut connection, _) = other.accept().unwrap();
        let mut head = [0; 16];
        connection.read_exact(&mut head).unwrap();
        connection
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
            .unwrap();
    });
    let ran = run(directory.path(), &["health"]);
    answering.join().unwrap();
    assert_eq!(ran.code, 3);
    assert!(ran.err.contains("another program answered"), "{}", ran.err);
}

#[test]
fn two_listeners_at_one_port_are_an_error() {
    let directory = tempfile::tempdir().unwrap();
    configured(directory.path(), "");
    let file = directory.path().join("tokenward.toml");
    fs::write(&file, "[health]\nlisten = '0.0.0.0:8081'\n").unwrap();
    let ran = run(directory.path(), &["health"]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.err
            .contains("`listen` of [health] overlaps with that of [admin]"),
        "{}",
        ran.err
    );
}
