//! How many instructions a decision takes, held to the bounds that `bench/instructions.txt` commits.
//!
//!     cargo run --release -p tokenward-compiler --example instructions -- bench/instructions.txt
//!
//! Clocks tell little on a machine that others use; the count that valgrind's callgrind gives hardly changes from run to
//! run. Each case runs twice, once with more decisions than the other: the difference is what decisions take, without
//! compiling the policy and without the start of the process. A case that takes more than its bound allows fails the
//! run. One that takes far less asks for a lower bound, so that what was won stays won.
//!
//! Exit codes: 0 all within bounds, 1 one is not, 2 wrong usage, 3 nothing was measured: there is no valgrind.

#![allow(clippy::panic, reason = "a program that measures may fail like this")]

#[allow(dead_code, unreachable_pub, reason = "each program that measures uses a part")]
#[path = "../benches/corpus/mod.rs"]
mod corpus;

use std::{
    hint::black_box,
    process::{Command, ExitCode},
};

use corpus::{
    Kind, LINES,
    ask::{self, Asked},
    call,
};

/// What the compiler puts inline changes with code elsewhere, and counts by a tenth: so many hundredths above its bound
/// a case may be.
const TOLERANCE: u64 = 30;
/// A case that takes so many hundredths of its bound or less should have a lower one.
const SLACK: u64 = 60;
const FEW: u64 = 200;
const MANY: u64 = 1200;
const WIDE: usize = 1000;

/// Name, lines of the token, kind of call.
const CASES: [(&str, usize, Kind); 14] = [
    ("url-first-line", LINES, Kind::First),
    ("url-last-line", LINES, Kind::Last),
    ("url-any-then-literal", LINES, Kind::Floating),
    ("url-alternation", LINES, Kind::Alternation),
    ("denied", LINES, Kind::Denied),
    ("query", LINES, Kind::Query),
    ("json-1k", LINES, Kind::Json),
    ("wide-url-first-line", WIDE, Kind::First),
    ("wide-url-last-line", WIDE, Kind::Last),
    ("wide-denied", WIDE, Kind::Denied),
    ("wide-query", WIDE, Kind::Query),
    ("wide-json-1k", WIDE, Kind::Json),
    ("nearest", LINES, Kind::Denied),
    ("wide-nearest", WIDE, Kind::Denied),
];
/// Cases of this name count the search for the nearest line, in addition to the decision and its evidence.
const NEAREST: &str = "nearest";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .as_slice()
    {
        ["--run", case, decisions] => {
            decide(
                case,
                decisions
                    .parse()
                    .unwrap_or_else(|_| panic!("not a number: {decisions}")),
            );
            ExitCode::SUCCESS
        }
        [bounds] => compare(bounds),
        _ => {
            eprintln!("usage: instructions BOUNDS");
            ExitCode::from(2)
        }
    }
}

/// What is counted.
fn decide(case: &str, decisions: u64) {
    let Some((_, lines, kind)) = CASES.iter().find(|(name, ..)| *name == case) else {
        panic!("no case {case}")
    };
    let program = ask::program(1, *lines);
    let call = call(0, *lines, *kind);
    let ids = ask::ids(&program);
    let Some(asked) = ids.first().map(|id| Asked::new(&call, *id)) else {
        panic!("no token")
    };
    if case.ends_with(NEAREST) {
        let tried = asked.tried(&program);
        for _ in 0..decisions {
            assert!(black_box(&asked).nearest(&program, &tried).is_some());
        }
        return;
    }
    for _ in 0..decisions {
        assert_eq!(
            black_box(&asked).allowed(&program),
            call.allowed,
            "the decision of {case}"
        );
    }
}

fn compare(path: &str) -> ExitCode {
    if Command::new("valgrind").arg("--version").output().is_err() {
        eprintln!("nothing measured: there is no valgrind");
        return ExitCode::from(3);
    }
    let bounds = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let mut failed = false;
    for (case, ..) in CASES {
        let taken = (counted(case, MANY) - counted(case, FEW)) / (MANY - FEW);
        let bound = bounds
            .lines()
            .filter_map(|line| line.split_once(' '))
            .find_map(|(name, bound)| (name == case).then(|| bound.trim().parse::<u64>().ok())?);
        let verdict = match bound {
            None => "HAS NO BOUND",
            Some(bound) if taken * 100 > bound * (100 + TOLERANCE) => "TOO MANY",
            Some(bound) if taken * 100 < bound * SLACK => "ok; lower the bound",
            Some(_) => "ok",
        };
        failed |= !verdict.starts_with("ok");
        let bound = bound.map_or("none".to_owned(), |bound| bound.to_string());
        println!("{case:<24} {taken:>8} instructions, bound {bound:>8}: {verdict}");
    }
    ExitCode::from(u8::from(failed))
}

/// Instructions of a process that makes so many decisions.
fn counted(case: &str, decisions: u64) -> u64 {
    let itself = std::env::current_exe().unwrap_or_else(|error| panic!("{error}"));
    let run = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(itself)
        .args(["--run", case, &decisions.to_string()])
        .output()
        .unwrap_or_else(|error| panic!("valgrind: {error}"));
    let said = String::from_utf8_lossy(&run.stderr);
    let collected = said.lines().find_map(|line| line.split_once("Collected : "));
    match collected.and_then(|(_, count)| count.trim().parse().ok()) {
        Some(count) if run.status.success() => count,
        _ => panic!("{case}: {said}"),
    }
}
