//! Tokenward's decisions beside those of other engines: the same policies and requests, in turn, in one run.

mod casbin;
mod cedar;
mod engine;
mod measure;
mod regex_set;
mod rego;
mod table;
mod tokenward;

#[allow(dead_code, unreachable_pub, reason = "shared with the compiler's benchmarks")]
#[path = "../../../crates/compiler/benches/corpus/mod.rs"]
mod corpus;

use std::time::Instant;

use corpus::{Kind, LINES};
use engine::{Engine, Failure};

/// Tokens in a policy. Each has [`LINES`] lines.
const SIZES: [usize; 3] = [10, 1_000, 10_000];

/// Columns of the table, and what is asked for each.
const QUESTIONS: [(&str, &[Kind]); 4] = [
    (
        "URL",
        &[Kind::First, Kind::Last, Kind::Floating, Kind::Alternation],
    ),
    ("denied", &[Kind::Denied]),
    ("query", &[Kind::Query, Kind::Date]),
    ("JSON 1 KB", &[Kind::Json]),
];

/// An engine before it has a policy.
struct Entrant {
    name: &'static str,
    /// Larger policies it is not asked about.
    most_tokens: usize,
    build: fn(usize) -> Result<Box<dyn Engine>, Failure>,
}

/// The first is what the others are compared with.
const ENTRANTS: [Entrant; 5] = [
    Entrant {
        name: "Tokenward",
        most_tokens: usize::MAX,
        build: tokenward::build,
    },
    Entrant {
        name: "regex::RegexSet",
        most_tokens: regex_set::MOST_TOKENS,
        build: regex_set::build,
    },
    Entrant {
        name: "Cedar",
        most_tokens: usize::MAX,
        build: cedar::build,
    },
    Entrant {
        name: "Regorus",
        most_tokens: rego::MOST_TOKENS,
        build: rego::build,
    },
    Entrant {
        name: "Casbin",
        most_tokens: casbin::MOST_TOKENS,
        build: casbin::build,
    },
];

fn main() -> Result<(), Failure> {
    for tokens in SIZES {
        let mut rows = Vec::new();
        for entrant in ENTRANTS.iter().filter(|entrant| tokens <= entrant.most_tokens) {
            let start = Instant::now();
            let engine = (entrant.build)(tokens)?;
            rows.push(measure::Row::new(entrant.name, engine, start.elapsed()));
        }
        for (_, kinds) in QUESTIONS {
            measure::ask_all(&mut rows, tokens, kinds)?;
        }
        let left_out = ENTRANTS.iter().filter(|entrant| tokens > entrant.most_tokens);
        table::print(tokens, &rows, left_out.map(|entrant| entrant.name));
    }
    Ok(())
}
