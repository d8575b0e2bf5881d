//! Open-loop load: requests at fixed times, whatever the answers take, over connections that are kept.
//!
//!     proxy-load calls PORT SECRET PATH RATE SECONDS CONNECTIONS
//!     proxy-load syncs DIRECTORY COUNT
//!
//! The first prints `sent N p50 T p90 T p99 T p999 T`, in microseconds: the time from when a request was due to its whole answer, so
//! that a server that holds the sender up does not hide it. A thread for each connection: timers of an event loop are too
//! coarse. The second prints the same of writes of 4 KiB to a file of that size, each with fdatasync.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["calls", port, secret, path, rate, seconds, connections] => {
            let head = format!(
                "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {secret}\r\n\r\n"
            );
            calls(port.parse()?, &head, rate.parse()?, seconds.parse()?, connections.parse()?)
        }
        ["syncs", directory, count] => syncs(Path::new(directory), count.parse()?),
        _ => Err("see the source's first lines".into()),
    }
}

fn calls(port: u16, head: &str, rate: f64, seconds: f64, connections: u32) -> Result<(), Failure> {
    let begun = Instant::now() + Duration::from_millis(100);
    let mut took = thread::scope(|scope| {
        let lanes: Vec<_> = (0..connections)
            .map(|lane| {
                scope.spawn(move || {
                    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
                    stream.set_nodelay(true)?;
                    let mut answers = BufReader::new(stream.try_clone()?);
                    let mut took = Vec::new();
                    let every = f64::from(connections) / rate;
                    let mut due = f64::from(lane) / rate;
                    while due < seconds {
                        let at = begun + Duration::from_secs_f64(due);
                        thread::sleep(at.saturating_duration_since(Instant::now()));
                        stream.write_all(head.as_bytes())?;
                        answer(&mut answers)?;
                        took.push(at.elapsed());
                        due += every;
                    }
                    Ok::<_, Failure>(took)
                })
            })
            .collect();
        let mut all = Vec::new();
        for lane in lanes {
            all.extend(lane.join().map_err(|_| "a thread panicked")??);
        }
        Ok::<_, Failure>(all)
    })?;
    print(&mut took);
    Ok(())
}

/// Reads one answer, which must be 200 and say its length.
fn answer(from: &mut impl BufRead) -> Result<(), Failure> {
    let mut line = String::new();
    from.read_line(&mut line)?;
    if !line.starts_with("HTTP/1.1 200 ") {
        return Err(format!("answered {line:?}").into());
    }
    let mut length = 0;
    loop {
        line.clear();
        from.read_line(&mut line)?;
        if line == "\r\n" {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse()?;
        }
    }
    std::io::copy(&mut from.take(length), &mut std::io::sink())?;
    Ok(())
}

fn syncs(directory: &Path, count: u32) -> Result<(), Failure> {
    let path = directory.join("proxy-load-syncs");
    let file = File::options().create_new(true).write(true).open(&path)?;
    let mut took = Vec::new();
    for n in 0..count + 1 {
        let begun = Instant::now();
        file.write_all_at(&[7; 4096], 0)?;
        file.sync_data()?;
        // The first makes the file's block.
        if n > 0 {
            took.push(begun.elapsed());
        }
    }
    std::fs::remove_file(path)?;
    print(&mut took);
    Ok(())
}

fn print(took: &mut [Duration]) {
    took.sort_unstable();
    let at = |share: usize| took.get(took.len() * share / 1000).map_or(0, Duration::as_micros);
    println!("sent {} p50 {} p90 {} p99 {} p999 {}", took.len(), at(500), at(900), at(990), at(999));
}
