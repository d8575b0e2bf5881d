//! What it costs to prove what can be proved of a large policy: all exact findings, and ten invariants.
//!
//!     cargo run --release -p tokenward-compiler --example proofs -- [tokens] [lines]

#![allow(clippy::panic, reason = "a program that measures may fail like this")]

#[allow(dead_code, unreachable_pub, reason = "each program that measures uses a part")]
#[path = "../benches/corpus/mod.rs"]
mod corpus;

use std::{collections::BTreeMap, time::Instant};

use corpus::{LINES, ask, policy};
use tokenward_compiler::{
    BaseUrl,
    analysis::{Analysis, Served, Universe},
    compile,
    diagnostic::Diagnostic,
    findings,
    invariants::Invariants,
    source::SourceSet,
};

/// Ten, of all kinds, over all tokens or some; the policy keeps all but the last two.
const INVARIANTS: &str = r"
[[never]]
name = 'administration'
lines = '''
[put,patch,delete]/rest/api/2/(user|group|permissionscheme|settings).*
[put,patch,delete]/rest/auth/.*
'''
[[never]]
name = 'projects-are-not-made'
lines = '[put,delete]/rest/api/2/project.*'
[[never]]
name = 'secret-project'
lines = '[delete]/rest/api/2/issue/SECRET-.*'
[[never]]
name = 'no-search-without-a-project'
lines = '/rest/api/2/search[QueryParam::jql!=project = .*]'
[[only]]
name = 'rest'
lines = '''
/rest/.*
.*/rest/api/2/.*
'''
[[only]]
name = 'methods'
tokens = ['token-1*']
lines = '[get,put,post,delete].*'
[[only]]
name = 'two-apis-and-the-plug-in'
users = ['user-*']
lines = '''
.*/rest/api/2/.*
/rest/(agile/1\.0|tempo-timesheets/4)/.*
'''
[[always]]
name = 'self'
lines = '[get]/rest/api/2/myself'
[[always]]
name = 'server'
tokens = ['token-10', 'token-20']
lines = '[get]/rest/api/2/serverInfo|/rest/api/2/nothing'
[[never]]
name = 'nobody-comments-in-key-4711'
lines = '[post].*/KEY4711-.*'
";

fn main() {
    let mut arguments = std::env::args().skip(1).map(|argument| {
        argument
            .parse()
            .unwrap_or_else(|_| panic!("usage: proofs [tokens] [lines]"))
    });
    let tokens: usize = arguments.next().unwrap_or(10_000);
    let lines: usize = arguments.next().unwrap_or(LINES);

    let files = policy(tokens, lines)
        .into_iter()
        .chain([("invariants.toml".to_owned(), INVARIANTS.to_owned())]);
    let sources = SourceSet::from_files(files);
    let begin = Instant::now();
    let compilation = compile(&sources);
    let Some(program) = &compilation.program else {
        panic!("{:?}", compilation.diagnostics.first());
    };
    let bound = ask::bound(program);
    println!(
        "{tokens} tokens of {lines} lines: compiled in {:.3?}",
        begin.elapsed()
    );

    let asked = (Universe::default(), Analysis::BUDGET);
    let begin = Instant::now();
    let found = findings::find(
        &bound,
        &compilation.source_map,
        &compilation.diagnostics,
        (asked.0, &Served::everything(), asked.1),
        |_, _| {},
    )
    .unwrap_or_else(|fault| panic!("{fault}"));
    println!(
        "exact findings in {:.3?}: {}; {} inconclusive; {} states visited, most for {:?}",
        begin.elapsed(),
        tally(&found.diagnostics),
        found.inconclusive,
        found.visited,
        found.hardest,
    );

    let begin = Instant::now();
    let base = BaseUrl::parse(ask::BASE).unwrap_or_else(|error| panic!("{error}"));
    let mut wrong = Vec::new();
    let invariants = match Invariants::read(&sources, &base, false, &mut wrong) {
        Ok(Some(invariants)) if wrong.is_empty() => invariants,
        _ => panic!("the invariants do not compile: {wrong:?}"),
    };
    let proof = invariants
        .prove(&bound, &compilation.source_map, asked, |_, _| {})
        .unwrap_or_else(|fault| panic!("{fault}"));
    println!(
        "{} invariants in {:.3?}: {}; {} states visited, most for {:?}",
        invariants.count(),
        begin.elapsed(),
        tally(&proof.diagnostics),
        proof.visited,
        proof.hardest,
    );
}

/// How many of each code.
fn tally(diagnostics: &[Diagnostic]) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for diagnostic in diagnostics {
        *counts.entry(diagnostic.code.as_str()).or_default() += 1;
    }
    let counts: Vec<String> = counts
        .iter()
        .map(|(code, count)| format!("{count} {code}"))
        .collect();
    if counts.is_empty() {
        "nothing found".to_owned()
    } else {
        counts.join(", ")
    }
}
