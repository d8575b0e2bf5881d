//! Lints: what they find, with a request that the token allows, and what they leave alone.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed expectation is a test's way to fail"
)]

#[path = "lints/derived.rs"]
mod derived;
#[path = "lints/exceptions.rs"]
mod exceptions;
#[path = "lints/lines.rs"]
mod lines;
#[path = "lints/support.rs"]
mod support;
#[path = "lints/tokens.rs"]
mod tokens;

use tokenward_compiler::{
    analysis::{Analysis, Budget, Universe},
    compile,
    diagnostic::Code,
    lint::{self, LintSet, Settings},
};

use support::{DAY, NOW, bound, policy, served};

#[test]
fn a_budget_that_is_spent_leaves_questions_open_and_claims_nothing() {
    let sources = policy("[get].*/rest/api/2/search\n[get]/rest/api/2/issue.*");
    let compilation = compile(&sources);
    let program = bound(&compilation);
    let policy = lint::Policy {
        sources: &sources,
        program: &program,
        source_map: &compilation.source_map,
        reserved: None,
    };
    let settings = Settings {
        set: LintSet::Regular,
        expires_within_ms: DAY,
        now_ms: NOW,
    };
    let budget = Budget::new(0);
    let asked = (Universe::default(), &served(), &budget);
    let lints = lint::find(policy, settings, &mut [], asked).unwrap();
    assert!(lints.diagnostics.is_empty());
    assert!(lints.open >= 2, "{}", lints.open);
}

#[test]
fn the_table_of_lints_is_complete() {
    let page = include_str!("../../../docs/lints.md");
    let row = |line: &&str| line.starts_with("| TW05");
    let listed: Vec<(&str, &str)> = page
        .lines()
        .filter(row)
        .map(|line| {
            let mut cells = line.split('|').map(str::trim).skip(1);
            (cells.next().unwrap(), cells.next().unwrap())
        })
        .collect();
    let known: Vec<(&str, &str)> = Code::ALL
        .iter()
        .filter_map(|code| Some((code.as_str(), LintSet::of(*code)?.as_str())))
        .collect();
    assert_eq!(listed, known);
}

#[test]
fn a_line_that_is_too_long_to_look_at_is_counted() {
    let open = |lines: &str| {
        let sources = policy(lines);
        let compilation = compile(&sources);
        let program = bound(&compilation);
        let policy = lint::Policy {
            sources: &sources,
            program: &program,
            source_map: &compilation.source_map,
            reserved: None,
        };
        let settings = Settings {
            set: LintSet::Regular,
            expires_within_ms: DAY,
            now_ms: NOW,
        };
        let budget = Budget::new(Analysis::BUDGET);
        let asked = (Universe::default(), &served(), &budget);
        lint::find(policy, settings, &mut [], asked).unwrap().open
    };
    let padding = "a".repeat(4_096);
    assert_eq!(
        open(&format!("[get].*/rest/{padding}\n[get]/rest/.*/{padding}")),
        2
    );
    assert_eq!(open("[get].*/rest/a"), 0);
    // Nothing in this line concerns any lint.
    assert_eq!(open(&format!("[get]/rest/{padding}")), 0);
}
