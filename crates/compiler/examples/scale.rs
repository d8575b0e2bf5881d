//! What a policy of many tokens costs: time to compile, to load its artifact and to bind it, memory, time to decide.
//!
//!     cargo run --release -p tokenward-compiler --example scale -- [tokens] [lines]
//!
//! Memory is the process's peak (Linux alone), the policy's texts included. Decisions are medians over batches. They
//! rotate over all tokens, so that each finds its token's lines where a busy proxy would: mostly not in the caches. The
//! request itself is in them, as one is that has just been read.

#![allow(clippy::panic, reason = "a program that measures may fail like this")]

#[allow(dead_code, unreachable_pub, reason = "each program that measures uses a part")]
#[path = "../benches/corpus/mod.rs"]
mod corpus;

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use corpus::{
    Call, Kind, LINES,
    ask::{self, Asked},
    call,
};
use ring::signature::{Ed25519KeyPair, KeyPair};
use tokenward_compiler::{
    artifact::{self, Signers},
    ir::{Program, TokenId},
    seal::PublicKey,
};

/// Calls timed at once.
const BATCH: usize = 256;
/// Batches for each figure; the median counts.
const BATCHES: usize = 400;

fn main() {
    let mut arguments = std::env::args().skip(1).map(|argument| {
        argument
            .parse()
            .unwrap_or_else(|_| panic!("usage: scale [tokens] [lines]"))
    });
    let tokens: usize = arguments.next().unwrap_or(10_000);
    let lines: usize = arguments.next().unwrap_or(LINES);

    let sources = ask::sources(tokens, lines);
    let bytes: usize = sources.iter().map(|(_, source)| source.text.len()).sum();
    println!(
        "{tokens} tokens of {lines} lines, {} MB of text",
        bytes / 1_000_000
    );
    println!("{:<28} {:>12}", "memory before", memory("VmRSS"));
    let unbound = shown("compile", || ask::compiled(&sources));
    let (artifact, signers) = signed(&unbound);
    println!("{:<28} {:>12}", "peak of memory", memory("VmHWM"));
    drop((sources, unbound));
    println!("{:<28} {:>9} MB", "artifact", artifact.len() / 1_000_000);
    let unbound = shown("check the signature, load", || {
        let read = artifact::read(&artifact, &signers);
        read.unwrap_or_else(|error| panic!("{error}")).program
    });
    let program = shown("bind", || ask::bound(&unbound));
    drop((artifact, unbound));
    println!("{:<28} {:>12}", "memory when serving", memory("VmRSS"));

    let ids = ask::ids(&program);
    let kinds = [
        ("first line", Kind::First),
        ("last line", Kind::Last),
        ("line with .*", Kind::Floating),
        ("line with an alternation", Kind::Alternation),
        ("denied", Kind::Denied),
        ("query", Kind::Query),
        ("query, a date", Kind::Date),
        ("JSON of 1 KB", Kind::Json),
    ];
    // A token of fewer lines has them from the first on.
    for (name, kind) in kinds.into_iter().take(if lines < LINES { 1 } else { usize::MAX }) {
        println!(
            "{:<28} {:>9} ns hot {:>9} ns rotating",
            name,
            nanoseconds(&program, &ids, lines, kind, false),
            nanoseconds(&program, &ids, lines, kind, true),
        );
    }
}

/// A signed artifact, and who is accepted.
fn signed(program: &Program) -> (Vec<u8>, Signers) {
    let key = Ed25519KeyPair::from_seed_unchecked(&[1; 32]).unwrap_or_else(|error| panic!("{error}"));
    let public = PublicKey::from_bytes(key.public_key().as_ref().try_into().unwrap_or_default());
    let bytes = artifact::encode_signed(program, public.id(), |message| {
        key.sign(message).as_ref().try_into().unwrap_or([0; 64])
    });
    (bytes, Signers::Keys(vec![public]))
}

/// The median over batches of the time of one decision.
fn nanoseconds(program: &Program, ids: &[TokenId], lines: usize, kind: Kind, rotating: bool) -> u128 {
    // Visits tokens far from each other, all of them in turn.
    let stride = (ids.len() * 382 / 1000) | 1;
    let mut token = 0;
    let mut times: Vec<Duration> = (0..BATCHES)
        .map(|_| {
            let calls: Vec<(TokenId, Call)> = (0..BATCH)
                .filter_map(|_| {
                    if rotating {
                        token = (token + stride) % ids.len();
                    }
                    Some((*ids.get(token)?, call(token, lines, kind)))
                })
                .collect();
            let asked: Vec<Asked<'_>> = calls.iter().map(|(id, call)| Asked::new(call, *id)).collect();
            let (allowed, time) = timed(|| {
                asked
                    .iter()
                    .filter(|asked| black_box(asked).allowed(program))
                    .count()
            });
            let expected = calls.iter().filter(|(_, call)| call.allowed).count();
            assert_eq!(allowed, expected, "decisions of {kind:?}");
            time
        })
        .collect();
    times.sort_unstable();
    let median = times.get(times.len() / 2).copied().unwrap_or_default();
    median.as_nanos() / BATCH as u128
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let result = work();
    (result, start.elapsed())
}

/// Does it, and says how long it took by the clock, and of the processor's time.
fn shown<T>(name: &str, work: impl FnOnce() -> T) -> T {
    let before = on_processor();
    let (result, time) = timed(work);
    let on_processor = on_processor().saturating_sub(before);
    println!(
        "{name:<28} {:>12} {:>9} ms on the processor",
        format!("{time:.3?}"),
        on_processor / 1_000_000
    );
    result
}

/// Nanoseconds that this thread has had a processor for (Linux alone; elsewhere none).
fn on_processor() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let first = text.split(' ').next();
    first.and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// A line of what Linux says about this process's memory.
fn memory(name: &str) -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let kilobytes: Option<u64> = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok());
    kilobytes.map_or("unknown".to_owned(), |kilobytes| {
        format!("{} MB", kilobytes * 1024 / 1_000_000)
    })
}
