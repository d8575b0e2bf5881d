//! Responses that name the upstream's own address, as the operator of a proxy learns of them.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread;

use sha2::{Digest, Sha256};
use tempfile::TempDir;
use tokenward_testbed::eventually;

use crate::policy::token;
use crate::proxy::{call_with, listening};
use crate::tokenward::tokenward;

const SECRET: &str = "twd_abcdefghijklmnopqrstuvwxyz012345z592xh";

/// An upstream whose responses name its own address: in the body, in a redirect, or in another header.
fn upstream() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let own = listener.local_addr().unwrap();
    thread::spawn(move || {
        for connection in listener.incoming() {
            let connection = connection.unwrap();
            thread::spawn(move || answer(connection, own));
        }
    });
    own
}

fn answer(mut connection: TcpStream, own: SocketAddr) {
    let mut lines = BufReader::new(connection.try_clone().unwrap()).lines();
    while let Some(Ok(request)) = lines.next() {
        lines
            .by_ref()
            .map_while(Result::ok)
            .take_while(|line| !line.is_empty())
            .for_each(drop);
        let body = format!("{{\"self\":\"http://{own}/rest/a\"}}");
        let length = body.len();
        let answer = if request.contains("/rest/body") {
            format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
            )
        } else if request.contains("/rest/redirect") {
            format!("HTTP/1.1 302 Found\r\nLocation: http://{own}/rest/b\r\nContent-Length: 0\r\n\r\n")
        } else {
            format!("HTTP/1.1 200 OK\r\nX-Next: http://{own}/rest/b\r\nContent-Length: 0\r\n\r\n")
        };
        if connection.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

#[test]
fn the_upstreams_own_address_is_logged_once_with_the_remedy() {
    let directory = TempDir::new().unwrap();
    let path = directory.path();
    let (address, tables) = listening();
    let policy =
        token("ci", "01", "", "/rest/.*").replace(&"01".repeat(32), &hex::encode(Sha256::digest(SECRET)));
    fs::create_dir(path.join("policies")).unwrap();
    fs::write(path.join("policies/tokens.toml"), policy).unwrap();
    let url = format!(
        "[upstream]\nurl = 'http://{}'\npublic_url = 'http://{address}'\n",
        upstream()
    );
    fs::write(path.join("tokenward.toml"), format!("{tables}{url}")).unwrap();
    let log = || fs::read_to_string(path.join("log")).unwrap();
    let mut process = tokenward(path, &["serve"]).start_with_log(File::create(path.join("log")).unwrap());
    let shown = "a response shows the upstream's own address";
    let rewritten = "a redirect or link in a header named the upstream's own address";
    let credentials = format!("svc:{SECRET}");

    // A redirect is rewritten, so that it shows nothing to the client.
    for _ in 0..3 {
        let answer = call_with(address, "/rest/redirect", &credentials);
        assert!(
            answer.contains(&format!("location: http://{address}/rest/b\r\n")),
            "{answer}"
        );
    }
    let line = eventually(rewritten, || {
        log()
            .lines()
            .find(|line| line.contains(rewritten))
            .map(str::to_owned)
    });
    assert!(
        line.contains("configure the public URL as the base URL of the upstream"),
        "{line}"
    );
    assert!(!log().contains(shown), "{}", log());

    for path in ["/rest/body", "/rest/header", "/rest/body", "/rest/redirect"] {
        assert!(
            !call_with(address, path, &credentials).contains("problem+json"),
            "{path}"
        );
    }
    let line = eventually(shown, || {
        log().lines().find(|line| line.contains(shown)).map(str::to_owned)
    });
    assert!(
        line.contains("rewrite_links = true") && line.contains("tokenward_upstream_address_shown_total"),
        "{line}"
    );
    // The log is complete once the process has ended.
    process.stop();
    let count = |text| log().matches(text).count();
    assert_eq!((count(shown), count(rewritten)), (1, 1), "{}", log());
}
