//! Nothing written may silently mean something else: lines as people write them, those that must work and those that must
//! not.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed expectation is a test's way to fail"
)]

use tokenward_compiler::{
    compile,
    diagnostic::{Diagnostic, Severity},
    source::SourceSet,
};

/// A policy of one token with these lines.
fn policy(lines: &str) -> SourceSet {
    let file = format!(
        "[[token]]\nname = 't'\nuser = 'svc'\nexpires = 2030-01-01\n\
         secret_hash = 'sha256:1111111111111111111111111111111111111111111111111111111111111111'\n\
         limit_to = '''\n{lines}\n'''\n"
    );
    SourceSet::from_files([("ci.toml".to_owned(), file)])
}

fn errors(sources: &SourceSet) -> Vec<Diagnostic> {
    let compilation = compile(sources);
    let mut found = compilation.diagnostics;
    found.retain(|found| found.severity == Severity::Error);
    assert_eq!(compilation.program.is_none(), !found.is_empty());
    found
}

/// Lines that compile: those of the documentation, and regexps as people write them.
const LEGAL: &str = include_str!("written/legal.limits");

#[test]
fn lines_as_people_write_them_compile() {
    let lines: Vec<&str> = LEGAL
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with("# "))
        .collect();
    assert!(lines.len() >= 100, "{}", lines.len());
    let mut refused = Vec::new();
    for line in lines {
        for error in errors(&policy(line)) {
            refused.push(format!("{line}\n    {}: {}", error.code, error.headline));
        }
    }
    assert!(refused.is_empty(), "{}", refused.join("\n"));
}

/// Lines that are errors: behind `=>` the code, the text at the error's place, and words of the headline or help.
const ERRORS: &str = include_str!("written/errors.txt");

#[test]
fn slips_are_errors_with_a_place_and_a_cure() {
    let mut wrong = Vec::new();
    let mut count = 0;
    let mut lines = ERRORS
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with("# "));
    while let Some(line) = lines.next() {
        count += 1;
        let expected = lines.next().unwrap();
        let mut parts = expected.strip_prefix("  => ").expect(line).split(" | ");
        let (code, place, words) = (
            parts.next().unwrap(),
            parts.next().unwrap(),
            parts.next().unwrap(),
        );
        let sources = policy(&line.replace("<TAB>", "\t").replace("<NBSP>", "\u{a0}"));
        let found = errors(&sources);
        let [error] = found.as_slice() else {
            let found: Vec<_> = found.iter().map(|found| (found.code, &found.headline)).collect();
            wrong.push(format!("{line}\n    {} errors: {found:?}", found.len()));
            continue;
        };
        let said = format!(
            "{}; {}",
            error.headline,
            error.help.as_deref().unwrap_or_default()
        );
        let at = sources.text(error.primary.span);
        if error.code.as_str() != code || at != place.replace("<BAR>", "|") || !said.contains(words) {
            wrong.push(format!("{line}\n  => {} | {at} | {said}", error.code));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count >= 100, "{count}");
}
