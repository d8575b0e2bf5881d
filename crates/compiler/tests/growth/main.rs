//! Policies that are made to be slow: what they cost grows with their size, and not faster.
//!
//! Bounds of time are generous, and what they guard against takes many times as long. Time of the test's thread on a processor counts,
//! so that other work on the machine cannot break them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

mod decisions;

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use tokenward_compiler::{
    BaseUrl, Compilation,
    analysis::{Analysis, Budget, Served, Universe},
    compile,
    diagnostic::{Code, SHOWN, render_json, render_text},
    findings::{self, Findings},
    ir::Program,
    source::SourceSet,
};

/// Far above the time on a processor that any of these takes in a debug build.
const BOUND: Duration = Duration::from_secs(30);

#[track_caller]
fn in_time<T>(work: impl FnOnce() -> T) -> T {
    let began = on_processor();
    let result = work();
    let took = on_processor().saturating_sub(began);
    assert!(took < BOUND, "took {took:?}");
    result
}

/// The time that this thread has had on a processor.
fn on_processor() -> Duration {
    clock_gettime(ClockId::ThreadCPUTime).try_into().unwrap()
}

fn head(at: usize) -> String {
    format!(
        "[[token]]\nname = \"t{at}\"\nuser = \"u\"\nsecret_hash = \"sha256:{at:064x}\"\nexpires = 2030-01-01T00:00:00Z\n"
    )
}

fn token(lines: impl Iterator<Item = String>) -> SourceSet {
    let lines: String = lines.map(|line| line + "\n").collect();
    files([(
        "a.toml".to_owned(),
        format!("{}limit_to = '''\n{lines}'''\n", head(1)),
    )])
}

fn files(files: impl IntoIterator<Item = (String, String)>) -> SourceSet {
    SourceSet::from_files(files)
}

fn bound(compilation: &Compilation) -> Program {
    let base = BaseUrl::parse("https://jira.example.com").unwrap();
    compilation.program.as_ref().unwrap().bind(&base).unwrap()
}

fn found(sources: &SourceSet, budget: &Budget) -> Findings {
    let compilation = compile(sources);
    let served = Served::everything();
    let asked = (Universe::default(), &served, budget);
    findings::find(
        &bound(&compilation),
        &compilation.source_map,
        &[],
        asked,
        |_, _| {},
    )
    .unwrap()
}

#[test]
fn as_many_findings_as_lines_are_shown_in_time() {
    // All in one line, and each in its own.
    let inline = format!("token = [{}]\n", "{},".repeat(30_000));
    for text in ["[[token]]\n".repeat(30_000), inline] {
        let sources = files([("a.toml".to_owned(), text)]);
        let (count, text, json) = in_time(|| {
            let diagnostics = compile(&sources).diagnostics;
            let text = render_text(&sources, &diagnostics, false);
            (diagnostics.len(), text, render_json(&sources, &diagnostics))
        });
        assert!(count > 100_000, "{count}");
        assert_eq!(json.lines().count(), count);
        let left = count - SHOWN;
        assert!(
            text.contains(&format!("{left} more findings are not shown")),
            "{}",
            text.len()
        );
        assert_eq!(
            text.matches("error[").count(),
            SHOWN,
            "errors come before warnings"
        );
    }
}

#[test]
fn places_that_are_far_apart_are_shown_in_time() {
    let sources = files([("a.toml".to_owned(), (0..20_000).map(|_| head(1)).collect())]);
    let text = in_time(|| render_text(&sources, &compile(&sources).diagnostics, false));
    assert!(text.contains("two tokens are named `t1`"));
    assert!(text.contains("the other"));
}

#[test]
fn warnings_that_are_allowed_are_taken_out_in_time() {
    let tokens = (0..20_000).map(|at| {
        let head = head(at).replace("expires = 2030-01-01T00:00:00Z\n", "");
        format!("{head}lint_allow = [\"TW0103\"]\nlimit_to = '[post]/rest/a[JsonData::a==true]'\n")
    });
    let sources = files([("a.toml".to_owned(), tokens.collect())]);
    let diagnostics = in_time(|| compile(&sources).diagnostics);
    assert_eq!(diagnostics.len(), 20_000, "only the allowed warnings are gone");
    assert!(diagnostics.iter().all(|found| found.code == Code::NoExpiry));
}

#[test]
fn a_chain_of_sets_counts_to_its_end() {
    let sets = (0..5_000).map(|at| {
        (
            format!("s{at}.limits"),
            format!("@include s{}\n/rest/{at}\n", at + 1),
        )
    });
    let last = ("s5000.limits".to_owned(), "!/rest/end\n".to_owned());
    let tokens = (0..50).map(|at| format!("{}include = [\"s{at}\"]\n", head(at)));
    let sources = files(sets.chain([last, ("a.toml".to_owned(), tokens.collect())]));
    let compilation = in_time(|| compile(&sources));
    assert!(compilation.diagnostics.is_empty());
    let program = compilation.program.unwrap();
    let (token, _) = program.tokens().next().unwrap();
    let lines: Vec<_> = program.lines_of(token).map(|(_, line)| line.text).collect();
    assert_eq!(
        (lines.len(), lines[0]),
        (5_001, "!/rest/end"),
        "a forbid line as deep as sets go"
    );
}

#[test]
fn sets_that_include_all_sets_before_them_are_compared_within_bounds() {
    let sets = (0..1_000).map(|at| {
        let includes: String = (0..at).map(|before| format!("@include s{before}\n")).collect();
        (format!("s{at}.limits"), includes + "/rest/a\n")
    });
    let token = ("a.toml".to_owned(), format!("{}include = [\"s999\"]\n", head(1)));
    let sources = files(sets.chain([token]));
    let compilation = in_time(|| compile(&sources));
    let unsettled =
        |found: &&tokenward_compiler::diagnostic::Diagnostic| found.headline.contains("too many sets");
    assert!(
        compilation
            .diagnostics
            .iter()
            .any(|found| found.code == Code::IncludedTwice)
    );
    assert!(
        compilation.diagnostics.iter().any(|found| unsettled(&found)),
        "what was not compared is said"
    );
    assert!(compilation.program.is_some());
}

#[test]
fn a_large_circle_of_sets_is_one_error() {
    let sets = (0..5_000).map(|at| {
        (
            format!("s{at}.limits"),
            format!("@include s{}\n", (at + 1) % 5_000),
        )
    });
    let sources = files(sets);
    let diagnostics = in_time(|| compile(&sources).diagnostics);
    let circles: Vec<_> = diagnostics
        .iter()
        .filter(|found| found.code == Code::IncludeCycle)
        .collect();
    assert_eq!(circles.len(), 1);
    assert!(
        circles[0].headline.len() < 200 && circles[0].headline.contains("more)"),
        "{}",
        circles[0].headline
    );
}

#[test]
fn names_of_sets_that_nobody_knows_are_told_in_time() {
    let sets = (0..5_000).map(|at| (format!("set-number-{at}.limits"), "/rest/a\n".to_owned()));
    let names: Vec<String> = (0..20_000).map(|at| format!("\"sat-number-{at}\"")).collect();
    let token = format!("{}include = [{}]\n", head(1), names.join(","));
    let sources = files(sets.chain([("a.toml".to_owned(), token)]));
    let diagnostics = in_time(|| compile(&sources).diagnostics);
    let unknown: Vec<_> = diagnostics
        .iter()
        .filter(|found| found.code == Code::UnknownSet)
        .collect();
    assert_eq!(unknown.len(), 20_000);
    assert!(
        unknown[0]
            .help
            .as_ref()
            .unwrap()
            .contains("did you mean `set-number-0`")
    );
}

#[test]
fn lines_of_sets_are_bounded_over_all_tokens() {
    let set = ("s.limits".to_owned(), "/rest/a\n".repeat(500_000));
    let tokens = (0..30).map(|at| format!("{}include = [\"s\"]\n", head(at)));
    let sources = files([set, ("a.toml".to_owned(), tokens.collect())]);
    let diagnostics = in_time(|| compile(&sources).diagnostics);
    let large = diagnostics.iter().filter(|found| found.code == Code::TooLarge);
    assert_eq!(large.count(), 10, "the tokens past ten million lines");
}

#[test]
fn lines_that_cover_each_other_are_found_by_their_form() {
    let sources = token((0..2_000).map(|at| format!("[get].*/x{at}.*")));
    let budget = Budget::new(Analysis::BUDGET);
    let found = in_time(|| found(&sources, &budget));
    assert_eq!(found.inconclusive, 0);
    assert_eq!(found.diagnostics.len(), 1_990, "each but the ten of one digit");
}

#[test]
fn a_run_has_one_budget_and_says_when_it_is_spent() {
    let hard = token((0..500).flat_map(|at| [format!("![get].*/x{at}.*y"), format!("[get].*/y{at}.*")]));
    let easy = token(
        ["/rest/(.*a){3}.*", "/rest/(.*b){3}.*"]
            .map(str::to_owned)
            .into_iter(),
    );
    let budget = Budget::new(20);
    let first = in_time(|| found(&hard, &budget));
    assert!(budget.is_spent() && first.inconclusive > 0);
    // What comes after it in the same run is open as well; in a run of its own it is not.
    assert!(in_time(|| found(&easy, &budget)).inconclusive > 0);
    assert_eq!(found(&easy, &Budget::new(Analysis::BUDGET)).inconclusive, 0);
}

#[test]
fn the_budget_of_a_run_grows_with_its_tokens() {
    let tokens = (0..4_000).map(|at| {
        let user = head(at).replace("\"u\"", &format!("\"u{at}\""));
        format!("{user}limit_to = '''\n[get]/rest/x{at}\n'''\n")
    });
    let sources = files([("a.toml".to_owned(), tokens.collect())]);
    let ample = Budget::new(Analysis::BUDGET);
    assert_eq!(found(&sources, &ample).inconclusive, 0);
    // A unit of the budget for each step of a token: the 2,500 that each unit gives a run are not enough for 4,000 tokens.
    let budget = Budget::new(ample.spent() / 4_000);
    assert_eq!(in_time(|| found(&sources, &budget)).inconclusive, 0);
}

#[test]
fn the_tokens_of_lines_without_effect_are_found_in_one_walk() {
    let lines: String = (0..500)
        .map(|at| format!("!https://other.example.com/rest/{at}\n"))
        .collect();
    let tokens = (0..4_000).map(|at| format!("{}include = [\"s\"]\nunrestricted = true\n", head(at)));
    let sources = files([
        ("s.limits".to_owned(), lines),
        ("a.toml".to_owned(), tokens.collect()),
    ]);
    let program = bound(&compile(&sources));
    let dead = in_time(|| findings::dead_here(&program, Universe::default(), &Served::everything()));
    assert_eq!(dead.len(), 500);
    let names: Vec<String> = (0..4_000).map(|at| format!("t{at}")).collect();
    assert!(dead.iter().all(|line| line.tokens == names));
}

/// Everything wrong that a line can be made of ends in a diagnostic, soon.
#[test]
fn hostile_lines_are_refused_in_bounded_time() {
    let lines = [
        "a".repeat(10 << 20),
        "(".repeat(10_000),
        "[".repeat(10_000),
        format!("/rest/{}", "[^a".repeat(39)),
        "/rest/((((a{1000}){1000}){1000})".to_owned(),
        "/rest/((((a{1000}){1000}){1000}){1000})".to_owned(),
        "/rest/(.{0,400}x){0,400}".to_owned(),
        format!("/rest/{}", "[QueryParam::a==".repeat(4000)),
        "/rest/a\0b".to_owned(),
        format!("/rest/x[JsonData::{}==x]", "a.".repeat(10_000)),
        format!("/rest/x{}", "\\".repeat(9999)),
    ];
    in_time(|| lines.iter().for_each(|line| is_refused(line)));
}

fn is_refused(line: &str) {
    let file = format!(
        "[[token]]\nname = \"a\"\nuser = \"a\"\nexpires = 2030-01-01\nsecret_hash = \"sha256:{}\"\n",
        "11".repeat(32)
    );
    let set = ("a.limits".to_owned(), line.to_owned());
    let sources = SourceSet::from_files([("a.toml".to_owned(), file + "include = [\"a\"]\n"), set]);
    let compilation = compile(&sources);
    let start: String = line.chars().take(40).collect();
    assert!(compilation.program.is_none(), "{start}");
    assert!(
        render_text(&sources, &compilation.diagnostics, false).len() < 10_000,
        "{start}"
    );
}
