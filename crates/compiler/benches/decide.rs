//! How long it takes to compile, to bind and to decide.
//!
//!     cargo bench -p tokenward-compiler --bench decide -- [name]
//!
//! With divan rather than criterion: medians without an analysis that runs for minutes, throughput, and a tenth of the
//! dependencies. Decisions of one call alone are hot: its token's lines are in the caches. Those that rotate visit up to
//! 4,096 tokens, spread over the whole program.

#![allow(clippy::panic, missing_docs, reason = "a benchmark")]

#[allow(dead_code, unreachable_pub, reason = "each program that measures uses a part")]
mod corpus;

use std::{collections::HashMap, sync::Mutex};

use corpus::{
    Kind, LINES,
    ask::{self, Asked},
    call,
};
use divan::{Bencher, counter::BytesCount};
use tokenward_compiler::{
    ir::Program,
    json::{self, Path, Step, Wanted},
};

/// Tokens that rotating calls visit.
const VISITED: usize = 4096;
const WIDE: usize = 1000;

/// Counts allocations, which stand below each time: a decision without a body has none.
#[global_allocator]
static ALLOCATIONS: divan::AllocProfiler = divan::AllocProfiler::system();

fn main() {
    divan::main();
}

#[divan::bench(args = [1000, 10_000], sample_count = 5, sample_size = 1)]
fn compile(bencher: Bencher<'_, '_>, tokens: usize) {
    let sources = ask::sources(tokens, LINES);
    bencher.bench_local(|| ask::compiled(&sources));
}

#[divan::bench(args = [1000, 10_000], sample_count = 5, sample_size = 1)]
fn bind(bencher: Bencher<'_, '_>, tokens: usize) {
    let unbound = ask::compiled(&ask::sources(tokens, LINES));
    bencher.bench_local(|| ask::bound(&unbound));
}

/// One token's calls, over and over.
#[divan::bench(args = KINDS, max_time = 0.5)]
fn hot(bencher: Bencher<'_, '_>, named: &Named) {
    repeated(bencher, (10, LINES), named.kind);
}

/// A token of 1,000 lines.
#[divan::bench(args = KINDS, max_time = 0.5)]
fn wide(bencher: Bencher<'_, '_>, named: &Named) {
    repeated(bencher, (10, WIDE), named.kind);
}

// A sample is one round: of single calls it is mostly divan's own books that are timed.
#[divan::bench(args = KINDS, consts = [1000, 10_000], sample_size = 4096, sample_count = 50)]
fn rotating<const TOKENS: usize>(bencher: Bencher<'_, '_>, named: &Named) {
    let program = program(TOKENS, LINES);
    let ids = ask::ids(program);
    let visited = TOKENS.min(VISITED);
    let calls: Vec<_> = (0..visited)
        .map(|at| at * TOKENS / visited)
        // Far from the one before.
        .map(|token| (token * 997) % TOKENS)
        .filter_map(|token| Some((*ids.get(token)?, call(token, LINES, named.kind))))
        .collect();
    let asked: Vec<_> = calls.iter().map(|(id, call)| Asked::new(call, *id)).collect();
    let mut turn = asked.iter().cycle();
    bencher.bench_local(|| divan::black_box(turn.next()).is_some_and(|asked| asked.allowed(program)));
}

/// The reading of a body if one of its nodes is wanted.
#[divan::bench(args = [1 << 10, 1 << 20], max_time = 0.5)]
fn read_json(bencher: Bencher<'_, '_>, bytes: usize) {
    let body = corpus::body("KEY7", bytes);
    let path = Path(
        ["fields", "project", "key"]
            .map(|name| Step::Name(name.to_owned()))
            .into(),
    );
    let mut wanted = Wanted::new();
    wanted.node(&path);
    bencher
        .counter(BytesCount::of_str(&body))
        .bench_local(|| json::read(divan::black_box(body.as_bytes()), &wanted).is_ok());
}

/// A kind of call that prints its name.
struct Named {
    name: &'static str,
    kind: Kind,
}

impl std::fmt::Display for Named {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

const fn named(name: &'static str, kind: Kind) -> Named {
    Named { name, kind }
}

const KINDS: [Named; 8] = [
    named("url, first line", Kind::First),
    named("url, last line", Kind::Last),
    named("url, line with .*", Kind::Floating),
    named("url, line with an alternation", Kind::Alternation),
    named("url, denied", Kind::Denied),
    named("query", Kind::Query),
    named("query, a date", Kind::Date),
    named("JSON of 1 KB", Kind::Json),
];

fn repeated(bencher: Bencher<'_, '_>, (tokens, lines): (usize, usize), kind: Kind) {
    let program = program(tokens, lines);
    let call = call(tokens - 1, lines, kind);
    let ids = ask::ids(program);
    let Some(asked) = ids.last().map(|id| Asked::new(&call, *id)) else {
        panic!("no token")
    };
    assert_eq!(asked.allowed(program), call.allowed);
    bencher.bench_local(|| divan::black_box(&asked).allowed(program));
}

/// Each program is compiled once, and stays.
fn program(tokens: usize, lines: usize) -> &'static Program {
    static KNOWN: Mutex<Option<HashMap<(usize, usize), &'static Program>>> = Mutex::new(None);
    let mut known = KNOWN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    known
        .get_or_insert_default()
        .entry((tokens, lines))
        .or_insert_with(|| Box::leak(Box::new(ask::program(tokens, lines))))
}
