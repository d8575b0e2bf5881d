//! Policies whose proofs once took too long or were given up: time and memory to compare two versions, or to check one.
//!
//!     cargo run --release -p tokenward-compiler --example settled -- [row]
//!
//! Each row runs in a process of its own, which is stopped after two minutes. Times are CPU times of the proofs, without
//! compiling; memory is the process's peak beyond what the compiled policies take (Linux only). With a name, only the rows
//! whose name contains it are measured. The exit code is 1 if a row is slow or not settled.

#![allow(clippy::panic, reason = "a program that measures may fail like this")]

#[allow(unreachable_pub, reason = "shared with a test")]
#[path = "../benches/proofs/mod.rs"]
mod proofs;

use std::{
    process::{Command, ExitCode, Stdio},
    time::{Duration, Instant},
};

use proofs::{ROWS, Row};

/// A row that takes longer is stopped.
const PATIENCE: Duration = Duration::from_secs(120);

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    match (arguments.next().as_deref(), arguments.next()) {
        (Some("--one"), Some(name)) => {
            if let Some(row) = Row::named(&name) {
                println!("{}", measured(row));
            }
            ExitCode::SUCCESS
        }
        (wanted, _) => all(wanted.unwrap_or_default()),
    }
}

fn all(wanted: &str) -> ExitCode {
    let mut failed = false;
    println!(
        "{:<42} {:>20} {:>16} {:>22}",
        "", "CPU", "memory", "thousands of steps"
    );
    for row in ROWS.iter().filter(|row| row.name.contains(wanted)) {
        let line = in_process(row.name);
        let mut numbers = line.split(' ').map_while(|part| part.parse::<u64>().ok());
        let mut next = || numbers.next();
        let (took, memory, steps, open, found, gone) = (next(), next(), next(), next(), next(), next());
        let is_missed = |is: Option<u64>, most: u64| is.is_none_or(|is| is > most);
        let missed = is_missed(took, row.milliseconds)
            || is_missed(memory, row.megabytes)
            || is_missed(steps, row.steps)
            || open != Some(0);
        failed |= missed;
        let shown = |number: Option<u64>| number.map_or_else(|| "?".to_owned(), |number| number.to_string());
        println!(
            "{:<42} {:>6} of {:>5} ms {:>5} of {:>4} MB {:>8} of {:>8}  {} found, {} gone, {} open{}",
            row.name,
            shown(took),
            row.milliseconds,
            shown(memory),
            row.megabytes,
            shown(steps),
            row.steps,
            shown(found),
            shown(gone),
            shown(open),
            if missed { "  MISSED" } else { "" }
        );
    }
    if failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

/// What a process of its own prints of a row; empty if it was stopped.
fn in_process(name: &str) -> String {
    let program = std::env::current_exe().unwrap_or_else(|error| panic!("{error}"));
    let child = Command::new(program)
        .args(["--one", name])
        .stdout(Stdio::piped())
        .spawn();
    let mut child = child.unwrap_or_else(|error| panic!("{error}"));
    let began = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(_)) => break,
            Ok(None) if began.elapsed() > PATIENCE => {
                let _ = child.kill();
            }
            Ok(None) => std::thread::sleep(Duration::from_millis(5)),
            Err(error) => panic!("{error}"),
        }
    }
    let output = child.wait_with_output().unwrap_or_else(|error| panic!("{error}"));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// The costs of a row and its answer, as numbers.
fn measured(row: &Row) -> String {
    let work = row.question.prepared();
    let (time, memory) = (on_processor(), memory("VmRSS"));
    let answer = work();
    let time = on_processor().saturating_sub(time) / 1_000_000;
    let memory = memory_beyond(memory);
    format!(
        "{time} {memory} {} {} {} {}",
        answer.steps, answer.inconclusive, answer.found, answer.gone
    )
}

/// Nanoseconds that this thread has had a processor for (Linux only; elsewhere none).
fn on_processor() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let first = text.split(' ').next();
    first.and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// Kilobytes that Linux says of this process's memory.
fn memory(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok());
    kilobytes.unwrap_or_default()
}

fn memory_beyond(before: u64) -> u64 {
    memory("VmHWM").saturating_sub(before) / 1024
}
