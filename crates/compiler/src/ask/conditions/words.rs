//! Conditions as clauses of a sentence.

use super::condition::{Condition, Subject};
use crate::{
    ast::{self, Operator, Test},
    json::{Kind, Kinds, Path, Step},
    method::{Method, MethodSet},
    range::Side,
    source::Span,
};

/// "the method is GET or POST"
pub(super) fn method(methods: MethodSet) -> Condition {
    let names = Method::NAMED
        .into_iter()
        .filter(|method| methods.contains(*method));
    let names: Vec<String> = names.map(|method| method.as_str().to_owned()).collect();
    Condition {
        subject: Subject::Method,
        text: format!("the method is {}", joined(&names, "or")),
    }
}

/// "the path matches `/rest/.*`", or "the URL …" for a regexp that is compared with the whole URL.
pub(super) fn url(regexp: &str) -> Condition {
    let what = if regexp.starts_with('/') { "path" } else { "URL" };
    Condition {
        subject: Subject::Path,
        text: format!("the {what} matches `{regexp}`"),
    }
}

/// A constraint of a line in words.
pub(super) fn constraint(line: &str, syntax: &ast::Limit, constraint: &ast::Constraint) -> Condition {
    let (subject, name) = match &constraint.subject {
        ast::Subject::Query(name) => (Subject::Query, format!("the query parameter `{name}`")),
        ast::Subject::Json(path) if path.0.is_empty() => (Subject::Body, "the JSON body".to_owned()),
        ast::Subject::Json(path) => (Subject::Body, format!("the JSON node `{path}`")),
    };
    let text = match (&constraint.test, &constraint.subject) {
        (
            Test::Values {
                operator,
                kinds,
                pattern,
            },
            _,
        ) => {
            let tests = format!("matches `{}`", slice(line, pattern.span));
            values(&name, *operator, &of_kinds(*kinds, &tests))
        }
        (
            Test::Range {
                operator,
                side,
                kinds,
                span,
                ..
            },
            _,
        ) => {
            let tests = format!("is {} {}", on_side(*side), slice(line, *span));
            values(&name, *operator, &of_kinds(*kinds, &tests))
        }
        (Test::Only, ast::Subject::Query(_)) => only_params(syntax),
        (Test::Only, ast::Subject::Json(path)) => only_members(path, syntax),
    };
    Condition { subject, text }
}

/// Which values must pass a test, and whether there must be one.
fn values(name: &str, operator: Operator, tests: &str) -> String {
    match operator {
        Operator::All | Operator::Within(_) => {
            format!("{name} is present, and each of its values {tests}")
        }
        Operator::AllOrAbsent | Operator::WithinOrAbsent(_) => {
            format!("{name} is absent, or each of its values {tests}")
        }
        Operator::None => format!("none of the values of {name} {tests}"),
    }
}

/// A test of values of some types: "is a string that matches `a`, or null".
fn of_kinds(kinds: Option<Kinds>, tests: &str) -> String {
    let Some(kinds) = kinds else {
        return tests.to_owned();
    };
    let is_tested = |kind: &Kind| !(*kind == Kind::Null && kinds.accepts_null());
    let names: Vec<String> = kinds
        .iter()
        .filter(is_tested)
        .map(|kind| match kind {
            Kind::Null => "null".to_owned(),
            kind => format!("a {}", kind.as_str()),
        })
        .collect();
    let null = if kinds.accepts_null() { ", or null" } else { "" };
    format!("is {} that {tests}{null}", joined(&names, "or"))
}

fn on_side(side: Side) -> &'static str {
    match side {
        Side::Below => "below",
        Side::UpTo => "at most",
        Side::From => "at least",
        Side::Above => "above",
    }
}

fn only_params(syntax: &ast::Limit) -> String {
    let mut names = Vec::new();
    for constraint in &syntax.constraints {
        if let (ast::Subject::Query(name), false) = (&constraint.subject, constraint.test == Test::Only) {
            let name = format!("`{name}`");
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    match names.as_slice() {
        [] => "the query has no parameters".to_owned(),
        names => format!("the query has no parameters other than {}", joined(names, "and")),
    }
}

fn only_members(path: &Path, syntax: &ast::Limit) -> String {
    let mut names = Vec::new();
    for constraint in &syntax.constraints {
        if let ast::Subject::Json(other) = &constraint.subject
            && let Some(Step::Name(name)) = other
                .0
                .strip_prefix(path.0.as_slice())
                .and_then(|rest| rest.first())
        {
            let name = format!("`{name}`");
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    let object = if path.0.is_empty() {
        "the JSON body".to_owned()
    } else {
        format!("the JSON node `{path}`")
    };
    match names.as_slice() {
        [] => format!("{object} has no members"),
        names => format!("{object} has no members other than {}", joined(names, "and")),
    }
}

/// "a", "a or b", "a, b or c".
fn joined(names: &[String], word: &str) -> String {
    match names.split_last() {
        None => String::new(),
        Some((last, [])) => last.clone(),
        Some((last, before)) => format!("{} {word} {last}", before.join(", ")),
    }
}

/// The text of a span of a text that is in no file.
pub(super) fn slice(text: &str, span: Span) -> &str {
    text.get(span.start..span.end).unwrap_or_default()
}
