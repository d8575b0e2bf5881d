//! What policies cost that are written to be slow: time to compile, to show the findings, and to check the lines.
//!
//!     cargo run --release -p tokenward-compiler --example hostile -- [name]
//!
//! Each shape once grew faster than its text. With a name, only the shapes whose name contains it are measured.

#![allow(clippy::panic, reason = "a program that measures may fail like this")]

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use tokenward_compiler::{
    BaseUrl,
    analysis::{Analysis, Budget, Served, Universe},
    compile,
    decide::{Body, Constrained, Decision, Media, Param, Request, constrains, decide},
    diagnostic::{render_json, render_text},
    findings,
    invariants::Invariants,
    ir::{Program, TokenId},
    json,
    method::Method,
    source::SourceSet,
};

/// A policy directory: paths and texts.
type Files = Vec<(String, String)>;

/// A name, the policy, and the time that each of compiling, showing and checking it may take.
type Shape = (&'static str, fn() -> Files, Duration);

const SHAPES: &[Shape] = &[
    ("30,000 empty tokens", empty_tokens, SECOND),
    ("30,000 tokens with an unknown key", unknown_keys, SECOND),
    ("30,000 tokens of one name", one_name, SECOND),
    ("30,000 tokens with lint_allow", lint_allow, SECOND),
    ("100,000 lines that do not parse", broken_lines, SECOND),
    ("100,000 syntax errors of TOML", broken_toml, SECOND),
    ("5,000 chained sets", chained_sets, SECOND),
    ("5,000 chained sets, each in a token", chained_tokens, SECOND),
    ("5,000 sets in a circle", circle, SECOND),
    ("1,000 sets, each with all before", diamonds, SECOND),
    ("20,000 names of sets in a token", many_includes, SECOND),
    ("20,000 unknown sets among 5,000", unknown_sets, SECOND),
    ("20,000 tokens with a set of their own", sets_of_tokens, SECOND),
    ("a key of 4 MB", long_key, SECOND),
    ("60 KB of classes, 200 times", long_classes, FIVE),
    ("60 KB of one class, 200 times", long_class, FIVE),
    (
        "60 KB of lists of methods, 200 times",
        long_lists_of_methods,
        FIVE,
    ),
    ("60 KB of options, 200 times", long_options, FIVE),
    ("60 KB of alternatives, 200 times", long_alternation, FIVE),
    ("60 KB of text, 200 times", long_literal, FIVE),
    ("200 lines of 2,000 constraints", many_constraints, FIVE),
    ("a key of 1,000,000 dots", dotted, SECOND),
    ("100,000 users, addresses, names", long_lists, SECOND),
    ("5,000 invariants", many_invariants, FIVE),
    ("2,000 `.*` lines", floating_lines, FIVE),
    ("2,000 `.*` forbid lines", floating_forbids, FIVE),
    ("2,000 alternations", alternations, FIVE),
    ("2,000 lines with constraints", constrained_lines, FIVE),
    ("2,000 tokens of one user", equal_tokens, FIVE),
];

const SECOND: Duration = Duration::from_secs(1);
const FIVE: Duration = Duration::from_secs(5);

fn main() {
    let wanted = std::env::args().nth(1).unwrap_or_default();
    println!(
        "{:<40} {:>8} {:>9} {:>9} {:>9} {:>9} {:>9}",
        "", "KB", "compile", "text", "JSON", "check", "at most"
    );
    for (name, files, most) in SHAPES.iter().filter(|(name, ..)| name.contains(&wanted)) {
        measure(name, files(), *most);
    }
    if wanted.is_empty() || wanted == "decisions" {
        println!("\n{:<58} {:>9} {:>9}", "decisions", "", "at most");
        parameters();
        members();
    }
}

/// A program of one token.
fn program(files: Files) -> (Program, TokenId) {
    let base = BaseUrl::parse("https://jira.example.com").unwrap_or_else(|error| panic!("{error}"));
    let program = compile(&SourceSet::from_files(files))
        .program
        .and_then(|program| program.bind(&base).ok());
    let program = program.unwrap_or_else(|| panic!("the policy compiles"));
    let id = program.tokens().next().map(|(id, _)| id);
    (program, id.unwrap_or_else(|| panic!("it has a token")))
}

/// Shows the median of some runs.
fn repeated(name: &str, most: Duration, mut work: impl FnMut()) {
    let mut times: Vec<Duration> = (0..31).map(|_| timed(&mut work).1).collect();
    times.sort_unstable();
    let median = times.get(times.len() / 2).copied().unwrap_or_default();
    let slow = if median > most { " SLOW" } else { "" };
    println!(
        "{name:<58} {:>6} µs {:>6} µs{slow}",
        median.as_micros(),
        most.as_micros()
    );
}

fn parameters() {
    let lines = (0..2_000)
        .map(|at| format!("[get]/rest/api/2/other/{at}[QueryParam::a{at}==x][QueryParam::b{at}!=y]"));
    let (program, id) = program(token(lines));
    let names: Vec<String> = (0..250).map(|at| format!("p{at}")).collect();
    let query: Vec<Param<'_>> = names
        .iter()
        .map(|name| Param {
            name,
            value: Some("x"),
        })
        .collect();
    let request = Request {
        token: id,
        method: Method::Get,
        path: "/rest/api/2/issue/KANBAN-1",
        query: &query,
        body: Body::Absent,
    };
    repeated(
        "250 parameters, 2,000 constrained lines of other URLs",
        Duration::from_millis(1),
        || {
            let suspect =
                |line: Constrained<'_>| line.parameters().any(|own| names.iter().any(|name| name == own));
            let asked = (request.token, request.method, request.path);
            assert!(!constrains(&program, asked, suspect));
            assert!(matches!(decide(&program, &request), Decision::Deny(_)));
        },
    );
}

/// A call with a body.
fn issue(token: TokenId, body: Body<'_>) -> Request<'_> {
    Request {
        token,
        method: Method::Post,
        path: "/rest/api/2/issue",
        query: &[],
        body,
    }
}

fn members() {
    let lines =
        (0..500).map(|at| format!("[post]/rest/api/2/issue[JsonData::fields.n{at}==x][JsonData::m{at}==x]"));
    let (program, id) = program(token(lines));
    let members: String = (0..90_000).map(|at| format!("\"k{at:05}\":1,")).collect();
    let text = format!("{{{members}\"fields\":{{}}}}");
    repeated(
        "1 MB of JSON, the names of 500 lines",
        Duration::from_millis(10),
        || {
            let Decision::NeedsBody(wanted) = decide(&program, &issue(id, Body::Unread(Media::Json))) else {
                panic!("the body decides");
            };
            let nodes = json::read(text.as_bytes(), &wanted).unwrap_or_else(|error| panic!("{error}"));
            assert!(matches!(
                decide(&program, &issue(id, Body::Read(&nodes))),
                Decision::Deny(_)
            ));
        },
    );
}

fn measure(name: &str, files: Files, most: Duration) {
    let bytes: usize = files.iter().map(|(_, text)| text.len()).sum();
    let sources = SourceSet::from_files(files);
    let (compilation, compiling) = timed(|| compile(&sources));
    let (text, showing) = timed(|| render_text(&sources, &compilation.diagnostics, false));
    let (_, json) = timed(|| render_json(&sources, &compilation.diagnostics));
    let base = BaseUrl::parse("https://jira.example.com").unwrap_or_else(|error| panic!("{error}"));
    let (told, checking) = timed(|| {
        let program = compilation.program.as_ref()?;
        let program = program.bind(&base).ok()?;
        let universe = Universe {
            get_body: false,
            canonical_paths: true,
        };
        let budget = Budget::new(Analysis::BUDGET);
        let served = Served::everything();
        let asked = (universe, &served, &budget);
        let found = findings::find(
            &program,
            &compilation.source_map,
            &compilation.diagnostics,
            asked,
            |_, _| {},
        );
        let found = found.unwrap_or_else(|fault| panic!("{fault}"));
        let mut diagnostics = Vec::new();
        let invariants = Invariants::read(&sources, &base, false, &mut diagnostics).ok()?;
        let mut broken = 0;
        if let Some(invariants) = invariants {
            let proof = invariants.prove(&program, &compilation.source_map, (universe, &budget), |_, _| {});
            broken = proof.unwrap_or_else(|fault| panic!("{fault}")).diagnostics.len();
        }
        Some(format!(
            "{} found, {} open, {} states, {broken} broken",
            found.diagnostics.len(),
            found.inconclusive,
            found.visited
        ))
    });
    let slow = compiling + showing > most || json > most || checking > most;
    println!(
        "{name:<40} {:>8} {:>6} ms {:>6} ms {:>6} ms {:>6} ms {:>6} ms{} {} diagnostics, {} KB{}",
        bytes / 1024,
        compiling.as_millis(),
        showing.as_millis(),
        json.as_millis(),
        checking.as_millis(),
        most.as_millis(),
        if slow { " SLOW" } else { "" },
        compilation.diagnostics.len(),
        text.len() / 1024,
        told.map(|told| format!(", {told}")).unwrap_or_default(),
    );
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let result = work();
    (result, start.elapsed())
}

fn one(text: String) -> Files {
    vec![("a.toml".to_owned(), text)]
}

/// A token with everything but lines.
fn head(at: usize) -> String {
    format!(
        "[[token]]\nname = \"t{at}\"\nuser = \"u{at}\"\nsecret_hash = \"sha256:{at:064x}\"\nexpires = 2030-01-01T00:00:00Z\n"
    )
}

fn token(lines: impl Iterator<Item = String>) -> Files {
    let lines: String = lines.map(|line| line + "\n").collect();
    one(format!("{}limit_to = '''\n{lines}'''\n", head(1)))
}

fn sets(count: usize, text: impl Fn(usize) -> String) -> Files {
    (0..count).map(|at| (format!("s{at}.limits"), text(at))).collect()
}

fn empty_tokens() -> Files {
    one("[[token]]\n".repeat(30_000))
}

fn unknown_keys() -> Files {
    one((0..30_000).fold(String::new(), |mut text, at| {
        let _ = writeln!(text, "[[token]]\nnam{at}e = 1\nallowed_ip = []");
        text
    }))
}

fn one_name() -> Files {
    one((0..30_000).map(|_| head(1) + "limit_to = '/rest/a'\n").collect())
}

fn lint_allow() -> Files {
    one((0..30_000)
        .map(|at| head(at) + "lint_allow = [\"TW0102\"]\nlimit_to = '![get]/rest/A1[psot]'\n")
        .collect())
}

fn broken_lines() -> Files {
    token((0..100_000).map(|at| format!("[get]/rest/({at}")))
}

fn broken_toml() -> Files {
    one("name = = 1\n".repeat(100_000))
}

fn chained_sets() -> Files {
    let mut files = sets(5_000, |at| format!("@include s{}\n/rest/{at}\n", at + 1));
    files.push(("s5000.limits".to_owned(), "/rest/end\n".to_owned()));
    files.push(("a.toml".to_owned(), head(1) + "include = [\"s0\"]\n"));
    files
}

fn chained_tokens() -> Files {
    let mut files = sets(5_000, |at| format!("@include s{}\n", at + 1));
    files.push(("s5000.limits".to_owned(), "/rest/end\n".to_owned()));
    let tokens = (0..5_000).map(|at| format!("{}include = [\"s{at}\", \"s{}\"]\n", head(at), at / 2));
    files.push(("a.toml".to_owned(), tokens.collect()));
    files
}

fn circle() -> Files {
    sets(5_000, |at| {
        format!("@include s{}\n/rest/{at}\n", (at + 1) % 5_000)
    })
}

fn diamonds() -> Files {
    let mut files = sets(1_000, |at| {
        let includes: String = (0..at).map(|before| format!("@include s{before}\n")).collect();
        includes + &format!("/rest/{at}\n")
    });
    files.push(("a.toml".to_owned(), head(1) + "include = [\"s999\"]\n"));
    files
}

fn many_includes() -> Files {
    let mut files = sets(20_000, |at| format!("/rest/{at}\n"));
    let names: Vec<String> = (0..20_000).map(|at| format!("\"s{at}\"")).collect();
    files.push((
        "a.toml".to_owned(),
        format!("{}include = [{}]\n", head(1), names.join(",")),
    ));
    files
}

fn unknown_sets() -> Files {
    let mut files = sets(5_000, |at| format!("/rest/{at}\n"));
    let names: Vec<String> = (0..20_000).map(|at| format!("\"x{at}\"")).collect();
    files.push((
        "a.toml".to_owned(),
        format!("{}include = [{}]\n", head(1), names.join(",")),
    ));
    files
}

fn sets_of_tokens() -> Files {
    let mut files = sets(20_000, |at| format!("/rest/{at}\n"));
    let tokens =
        (0..20_000).map(|at| format!("{}include = [\"s{at}\"]\nlimit_to = '/rest/own/{at}'\n", head(at)));
    files.push(("a.toml".to_owned(), tokens.collect()));
    files
}

fn long_key() -> Files {
    one(format!(
        "{}limit_to = '/a'\n{} = 1\n",
        head(1),
        "k".repeat(4 << 20)
    ))
}

fn long_lines_of(text: impl Fn(usize) -> String) -> Files {
    token((0..200).map(|at| format!("[get]/rest/{at}/{}", text(at))))
}

fn long_classes() -> Files {
    long_lines_of(|_| "[a-z]x".repeat(10_000))
}

fn long_class() -> Files {
    long_lines_of(|_| format!("[{}]", "QueryParm".repeat(6_500)))
}

fn long_lists_of_methods() -> Files {
    long_lines_of(|_| "[abcdefgh,ijklmnop|qrst]".repeat(2_500))
}

fn long_options() -> Files {
    long_lines_of(|_| "(a|b)?".repeat(10_000))
}

fn long_alternation() -> Files {
    long_lines_of(|_| format!("({}b)", "a|".repeat(30_000)))
}

fn long_literal() -> Files {
    long_lines_of(|at| "ab".repeat(30_000) + &at.to_string())
}

fn many_constraints() -> Files {
    token((0..200).map(|line| {
        let tests: String = (0..2_000).map(|at| format!("[JsonData::n{at}==1]")).collect();
        format!("[post]/rest/{line}{tests}")
    }))
}

fn dotted() -> Files {
    one(format!("[[token]]\n{}a = 1\n", "a.".repeat(1_000_000)))
}

fn long_lists() -> Files {
    let list = |text: &dyn Fn(usize) -> String| {
        let items: Vec<String> = (0..100_000).map(|at| format!("\"{}\"", text(at))).collect();
        items.join(",")
    };
    one(format!(
        "[[token]]\nname = \"a\"\nusers = [{}]\nsecret_hash = \"sha256:{:064x}\"\nexpires = 2030-01-01T00:00:00Z\nallowed_ips = [{}]\non_behalf_of = [{}]\nlimit_to = '/rest/a'\n",
        list(&|at| format!("u{at}")),
        1,
        list(&|at| format!("10.{}.{}.{}", at >> 16, at >> 8 & 255, at & 255)),
        list(&|at| format!("n{at}")),
    ))
}

fn many_invariants() -> Files {
    let mut files = token((0..20).map(|at| format!("[get]/rest/api/{at}")));
    let invariants =
        (0..5_000).map(|at| format!("[[never]]\nname = \"i{at}\"\nlines = '[delete].*/rest/x{at}.*'\n"));
    files.push(("invariants.toml".to_owned(), invariants.collect()));
    files
}

fn floating_lines() -> Files {
    token((0..2_000).map(|at| format!("[get].*/x{at}.*")))
}

fn floating_forbids() -> Files {
    token((0..2_000).flat_map(|at| [format!("![get].*/x{at}.*"), format!("[get].*/y{at}.*")]))
}

fn alternations() -> Files {
    token((0..2_000).map(|at| format!("[get]/rest/.*(a{at}|b{at}|.*c{at}).*")))
}

fn constrained_lines() -> Files {
    token(
        (0..2_000)
            .map(|at| format!("[post]/rest/api/2/issue[JsonData::n{at}==.*x.*][QueryParam::q{at}!=.*y.*]")),
    )
}

fn equal_tokens() -> Files {
    one((0..2_000)
        .map(|at| {
            let head = head(at).replace(&format!("user = \"u{at}\""), "user = \"u\"");
            format!("{head}limit_to = '''\n[get].*/rest/.*\n[get].*/r{at}.*\n'''\n")
        })
        .collect())
}
