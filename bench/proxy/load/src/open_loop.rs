//! Requests at fixed times.

use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use crate::{Failure, response};

/// Set when standard input ends, for load without a fixed time.
static ENDED: AtomicBool = AtomicBool::new(false);

/// Load of a fixed rate.
pub(crate) struct Plan {
    port: u16,
    requests: Vec<Vec<u8>>,
    rate: f64,
    seconds: f64,
    connections: u32,
}

impl Plan {
    /// Reads the numbers of the command line. If the time is `stdin`, the load ends with standard input.
    pub(crate) fn read(
        port: &str,
        requests: Vec<Vec<u8>>,
        rate: &str,
        seconds: &str,
        connections: &str,
    ) -> Result<Self, Failure> {
        let (rate, connections) = (rate.parse()?, connections.parse()?);
        let seconds = if seconds == "stdin" {
            thread::spawn(|| {
                let _ended = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
                ENDED.store(true, Ordering::Relaxed);
            });
            f64::INFINITY
        } else {
            seconds.parse()?
        };
        Ok(Self {
            port: port.parse()?,
            requests,
            rate,
            seconds,
            connections,
        })
    }
}

/// A request that was sent.
pub(crate) struct Call {
    due: SystemTime,
    pub(crate) took: Duration,
    pub(crate) answered: bool,
}

/// Sends the requests in turn. Returns all calls, in no particular order.
pub(crate) fn run(plan: &Plan) -> Result<Vec<Call>, Failure> {
    let lead = Duration::from_millis(100);
    let (begun, clock) = (Instant::now() + lead, SystemTime::now() + lead);
    thread::scope(|scope| {
        let lanes: Vec<_> = (0..plan.connections)
            .map(|lane| scope.spawn(move || run_lane(plan, lane, begun, clock)))
            .collect();
        let mut all = Vec::new();
        for lane in lanes {
            all.extend(lane.join().map_err(|_| "a thread panicked")??);
        }
        Ok(all)
    })
}

/// Sends every request that is due on one of the connections.
fn run_lane(plan: &Plan, lane: u32, begun: Instant, clock: SystemTime) -> Result<Vec<Call>, Failure> {
    let mut connection = Some(Connection::open(plan.port)?);
    let mut calls = Vec::new();
    let mut number = lane as usize;
    loop {
        let due = Duration::from_secs_f64(number as f64 / plan.rate);
        if due.as_secs_f64() >= plan.seconds {
            return Ok(calls);
        }
        let at = begun + due;
        thread::sleep(at.saturating_duration_since(Instant::now()));
        if ENDED.load(Ordering::Relaxed) {
            return Ok(calls);
        }
        let request = plan
            .requests
            .get(number % plan.requests.len())
            .ok_or("there is no request")?;
        let mut open = connection.take().map_or_else(|| Connection::open(plan.port), Ok);
        let answered = open.as_mut().is_ok_and(|open| open.call(request).is_ok());
        connection = open.ok().filter(|_| answered);
        calls.push(Call {
            due: clock + due,
            took: at.elapsed(),
            answered,
        });
        number += plan.connections as usize;
    }
}

/// Writes a line for each call, in order of time.
pub(crate) fn write_log(calls: &[Call], file: &Path) -> Result<(), Failure> {
    let mut lines: Vec<_> = calls
        .iter()
        .map(|call| {
            (
                call.due
                    .duration_since(SystemTime::UNIX_EPOCH)
                    .unwrap_or_default()
                    .as_micros(),
                call,
            )
        })
        .collect();
    lines.sort_unstable_by_key(|(due, _)| *due);
    let mut log = BufWriter::new(File::create(file)?);
    for (due, call) in lines {
        writeln!(log, "{due} {} {}", call.took.as_micros(), u8::from(call.answered))?;
    }
    Ok(log.flush()?)
}

struct Connection {
    stream: TcpStream,
    answers: BufReader<TcpStream>,
}

impl Connection {
    fn open(port: u16) -> Result<Self, Failure> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_nodelay(true)?;
        Ok(Self {
            answers: BufReader::new(stream.try_clone()?),
            stream,
        })
    }

    fn call(&mut self, request: &[u8]) -> Result<(), Failure> {
        self.stream.write_all(request)?;
        response::read(&mut self.answers)
    }
}
