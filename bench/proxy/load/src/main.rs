//! Load on a proxy whose requests come at fixed times, load of short TLS connections, and the disk's own figures.
//!
//!     proxy-load calls PORT SECRET PATH RATE SECONDS CONNECTIONS
//!     proxy-load send PORT REQUESTS RATE SECONDS CONNECTIONS [LOG]
//!     proxy-load resumed PORT REQUESTS AUTHORITY SECONDS CONNECTIONS
//!     proxy-load syncs DIRECTORY COUNT
//!
//! `calls` and `send` are open loop: each request is sent when it is due, however long responses take, over connections that are kept.
//! They print `sent N lost N p50 T p90 T p99 T p999 T`, in microseconds. The time of a request begins when it is due, so a server that
//! holds the sender up does not hide it. `calls` sends one GET, and fails if a response is not 2xx. `send` sends the requests of a
//! file in turn and counts those without a 2xx response. If its SECONDS is `stdin`, it ends with standard input. Its LOG gets a line
//! for each request: when it was due, in microseconds of the Unix time, how long it took, and 1 if it was answered, otherwise 0.
//!
//! `resumed` is closed loop: each request has its own TLS connection, which resumes the session of the one before. It prints
//! `sent N resumed N micros T`; AUTHORITY is the certificate, in PEM, that signed the server's.
//!
//! `syncs` prints `sent N lost 0 p50 T …` of writes of 4 KiB to a file of that size, each with fdatasync.
//!
//! A thread for each connection: timers of an event loop are too coarse. In a file of requests, a line with its length in bytes
//! precedes each request.

mod open_loop;
mod requests;
mod response;
mod resumed;
mod syncs;

use std::path::Path;
use std::time::Duration;

use open_loop::Plan;

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["calls", port, secret, path, rate, seconds, connections] => {
            let request = format!(
                "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {secret}\r\n\r\n"
            );
            let plan = Plan::read(port, vec![request.into_bytes()], rate, seconds, connections)?;
            let calls = open_loop::run(&plan)?;
            let lost = calls.iter().filter(|call| !call.answered).count();
            if lost > 0 {
                return Err(format!("{lost} of {} requests were not answered with 2xx", calls.len()).into());
            }
            print(calls.iter().map(|call| call.took).collect(), 0);
            Ok(())
        }
        ["send", port, file, rate, seconds, connections, log @ ..] => {
            let plan = Plan::read(port, requests::read(Path::new(file))?, rate, seconds, connections)?;
            let calls = open_loop::run(&plan)?;
            if let [log] = log {
                open_loop::write_log(&calls, Path::new(log))?;
            }
            let lost = calls.iter().filter(|call| !call.answered).count();
            print(calls.iter().map(|call| call.took).collect(), lost);
            Ok(())
        }
        ["resumed", port, file, authority, seconds, connections] => resumed::run(
            port.parse()?,
            &requests::read(Path::new(file))?,
            Path::new(authority),
            Duration::from_secs_f64(seconds.parse()?),
            connections.parse()?,
        ),
        ["syncs", directory, count] => {
            print(syncs::run(Path::new(directory), count.parse()?)?, 0);
            Ok(())
        }
        _ => Err("see the source's first lines".into()),
    }
}

/// Prints the number of requests, of lost ones, and percentiles of all.
fn print(mut took: Vec<Duration>, lost: usize) {
    took.sort_unstable();
    let at = |share: usize| took.get(took.len() * share / 1000).map_or(0, Duration::as_micros);
    println!(
        "sent {} lost {lost} p50 {} p90 {} p99 {} p999 {}",
        took.len(),
        at(500),
        at(900),
        at(990),
        at(999)
    );
}
