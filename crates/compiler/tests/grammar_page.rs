//! `grammar/README.md` is true: each `limit` block parses to the `parts` block behind it.
//!
//! `UPDATE_PAGES=1` rewrites the `parts` blocks; review the difference before committing it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed expectation is a test's way to fail"
)]

use std::{fmt::Write as _, path::Path};

use tokenward_compiler::{
    ast::{Effect, Limit, Subject, Test},
    compile,
    diagnostic::Severity,
    json::Kinds,
    parse::parse_line,
    range::Bound,
    source::{SourceSet, Span},
};

fn parts(line: &str) -> String {
    let sources = SourceSet::from_files([("x.limits".to_owned(), line.to_owned())]);
    let (id, _) = sources.iter().next().unwrap();
    let span = Span {
        source: id,
        start: 0,
        end: line.len(),
    };
    match parse_line(line, span) {
        Ok(limit) => refused(line).unwrap_or_else(|| describe(&limit, &sources)),
        Err(error) => {
            let text = sources.text(error.primary.span);
            format!("{} at `{text}`: {}\n", error.code, error.headline)
        }
    }
}

/// The error of a line that parses, and that the compiler refuses.
fn refused(line: &str) -> Option<String> {
    let token = "[[token]]\nname = 't'\nuser = 'svc'\nexpires = 2030-01-01\nsecret_hash = 'sha256:";
    let file = format!("{token}{}'\nlimit_to = '''\n{line}\n'''\n", "1".repeat(64));
    let sources = SourceSet::from_files([("x.toml".to_owned(), file)]);
    let mut found = compile(&sources).diagnostics.into_iter();
    let error = found.find(|found| found.severity == Severity::Error)?;
    let text = sources.text(error.primary.span);
    Some(format!("{} at `{text}`: {}\n", error.code, error.headline))
}

fn describe(limit: &Limit, sources: &SourceSet) -> String {
    let mut text = String::new();
    let effect = if limit.effect == Effect::Permit {
        "permit"
    } else {
        "forbid"
    };
    let methods = limit
        .methods
        .map_or("any method".to_owned(), |methods| methods.to_string());
    writeln!(
        text,
        "{effect}, {methods}, url `{}`",
        sources.text(limit.url.span)
    )
    .unwrap();
    for constraint in &limit.constraints {
        let subject = match &constraint.subject {
            Subject::Query(name) => format!("query `{name}`"),
            Subject::Json(path) => format!("json `{path}`"),
        };
        match &constraint.test {
            Test::Only => writeln!(text, "{subject} only").unwrap(),
            Test::Values {
                operator,
                kinds,
                pattern,
            } => {
                let kinds = of_types(*kinds);
                let value = sources.text(pattern.span);
                writeln!(text, "{subject}{kinds} {} `{value}`", operator.as_str()).unwrap();
            }
            Test::Range {
                operator,
                kinds,
                bound,
                span,
                ..
            } => {
                let kinds = of_types(*kinds);
                let (bound, value) = match bound {
                    Bound::Number(_) => ("number", sources.text(*span)),
                    Bound::Date(_) => ("date", sources.text(*span)),
                };
                writeln!(text, "{subject}{kinds} {} {bound} `{value}`", operator.as_str()).unwrap();
            }
        }
    }
    text
}

fn of_types(kinds: Option<Kinds>) -> String {
    kinds.map_or(String::new(), |kinds| format!(" of type {kinds}"))
}

#[test]
fn the_page_of_examples_is_true() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../grammar/README.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let mut rewritten = String::new();
    let mut rest = page.as_str();
    let mut examples = 0;
    while let Some((before, behind)) = rest.split_once("```limit\n") {
        let (line, behind) = behind.split_once("\n```\n").unwrap();
        let (between, behind) = behind.split_once("```parts\n").unwrap();
        assert!(
            between.trim().is_empty(),
            "a `limit` block without its `parts`: {line}"
        );
        let (_, behind) = behind.split_once("```\n").unwrap();
        write!(
            rewritten,
            "{before}```limit\n{line}\n```\n{between}```parts\n{}```\n",
            parts(line)
        )
        .unwrap();
        rest = behind;
        examples += 1;
    }
    rewritten.push_str(rest);
    assert!(examples > 20, "the page has {examples} examples");
    if std::env::var_os("UPDATE_PAGES").is_some() {
        std::fs::write(&path, &rewritten).unwrap();
    } else {
        assert!(
            page == rewritten,
            "grammar/README.md differs from what the parser says:\n{rewritten}"
        );
    }
}
