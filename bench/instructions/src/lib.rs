//! The benchmark is in `benches/compiler.rs`; what it counts is prepared here.

#[allow(dead_code, unreachable_pub, reason = "shared with the compiler's benchmarks")]
#[path = "../../../crates/compiler/benches/corpus/mod.rs"]
pub mod corpus;

use corpus::{
    Kind, LINES,
    ask::{self, Asked},
    call,
};
use tokenward_compiler::{
    ir::Program,
    json::{Path, Step, Wanted},
    source::SourceSet,
};

/// Lines of a wide token.
const WIDE: usize = 1000;

/// A question that has been asked once: what happens the first time alone is not counted.
pub struct Prepared {
    asked: Asked<'static>,
    program: &'static Program,
}

impl Prepared {
    pub fn allowed(&self) -> bool {
        self.asked.allowed(self.program)
    }
}

/// A call of a token of ten lines.
pub fn narrow(kind: Kind) -> &'static Prepared {
    prepared(10, LINES, kind)
}

/// A call of a token of a thousand lines.
pub fn wide(kind: Kind) -> &'static Prepared {
    prepared(2, WIDE, kind)
}

// Leaked: to give it back is not part of a decision.
fn prepared(tokens: usize, lines: usize, kind: Kind) -> &'static Prepared {
    let program: &'static Program = Box::leak(Box::new(ask::program(tokens, lines)));
    let call = Box::leak(Box::new(call(tokens - 1, lines, kind)));
    let id = ask::ids(program).last().copied().expect("a token");
    let prepared = Prepared {
        asked: Asked::new(call, id),
        program,
    };
    assert_eq!(prepared.allowed(), call.allowed, "{kind:?}");
    Box::leak(Box::new(prepared))
}

/// A policy of a hundred tokens.
pub fn sources() -> SourceSet {
    ask::sources(100, LINES)
}

/// A body of 64 KB, and one node wanted of it.
pub fn body() -> (String, Wanted<'static>) {
    let path = Path(
        ["fields", "project", "key"]
            .map(|name| Step::Name(name.to_owned()))
            .into(),
    );
    let mut wanted = Wanted::new();
    wanted.node(Box::leak(Box::new(path)));
    (corpus::body("KEY7", 1 << 16), wanted)
}

/// The instructions that a benchmark may take: a tenth more than the file says it took.
pub fn limit(name: &str) -> u64 {
    let counts = include_str!("../counts.txt").lines();
    let found = counts
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once(' '))
        .find(|(known, _)| *known == name)
        .and_then(|(_, count)| count.trim().replace(',', "").parse::<u64>().ok());
    let count = found.unwrap_or_else(|| panic!("counts.txt says nothing of {name}"));
    count + count / 10
}
