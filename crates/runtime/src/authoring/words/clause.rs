//! Conditions on the query and on the body.

use tokenward_compiler::ast::{Constraint, Limit, Operator, Subject, Test};
use tokenward_compiler::json::{Kind as JsonKind, Kinds, Path, Step};
use tokenward_compiler::range::Side;
use tokenward_compiler::source::Span;

use super::run::{Clause, Kind, Run, joined};
use super::shape;

/// A constraint of a line in words.
pub(super) fn of(text: &str, line: &Limit, constraint: &Constraint) -> Clause {
    let mut runs = subject(&constraint.subject);
    match (&constraint.test, &constraint.subject) {
        (
            Test::Values {
                operator,
                kinds,
                pattern,
            },
            _,
        ) => {
            runs.push(word(&format!("{}{}", must(*operator), of_kinds(*kinds))));
            runs.extend(shape::of_pattern(text, pattern));
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
            let side = on_side(*side);
            runs.push(word(&format!("{}{}{side}", must(*operator), of_kinds(*kinds))));
            runs.push(Run::new(Kind::Exact, slice(text, *span)));
        }
        (Test::Only, Subject::Query(_)) => runs = only(&named_params(line), "query parameters"),
        (Test::Only, Subject::Json(path)) => {
            let place = if path.0.is_empty() {
                "members of the JSON body".to_owned()
            } else {
                format!("members of `{path}` in the JSON body")
            };
            runs = only(&named_members(path, line), &place);
        }
    }
    Clause { runs }
}

fn subject(subject: &Subject) -> Vec<Run> {
    match subject {
        Subject::Query(name) => vec![word("The query parameter"), Run::new(Kind::Exact, name)],
        Subject::Json(path) if path.0.is_empty() => vec![word("The JSON body")],
        Subject::Json(path) => vec![word("In the JSON body,"), Run::new(Kind::Exact, path.to_string())],
    }
}

/// The condition that an operator puts on the values.
fn must(operator: Operator) -> &'static str {
    match operator {
        Operator::All | Operator::Within(_) => "must be present, and be ",
        Operator::AllOrAbsent | Operator::WithinOrAbsent(_) => "may be absent; otherwise it must be ",
        Operator::None => "must not be ",
    }
}

fn of_kinds(kinds: Option<Kinds>) -> String {
    let Some(kinds) = kinds else {
        return String::new();
    };
    let names: Vec<String> = kinds
        .iter()
        .map(|kind| match kind {
            JsonKind::Null => "null".to_owned(),
            kind => format!("a {}", kind.as_str()),
        })
        .collect();
    format!("{}: ", joined(&names, "or"))
}

fn on_side(side: Side) -> &'static str {
    match side {
        Side::Below => "below",
        Side::UpTo => "at most",
        Side::From => "at least",
        Side::Above => "above",
    }
}

fn only(names: &[String], what: &str) -> Vec<Run> {
    if names.is_empty() {
        return vec![word(&format!("No {what} at all"))];
    }
    let mut runs = vec![word(&format!("No {what} other than"))];
    for (at, name) in names.iter().enumerate() {
        if at > 0 {
            runs.push(word("or"));
        }
        runs.push(Run::new(Kind::Exact, name));
    }
    runs
}

fn named_params(line: &Limit) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for constraint in &line.constraints {
        if let (Subject::Query(name), false) = (&constraint.subject, constraint.test == Test::Only)
            && !names.contains(name)
        {
            names.push(name.clone());
        }
    }
    names
}

fn named_members(path: &Path, line: &Limit) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for constraint in &line.constraints {
        if let Subject::Json(other) = &constraint.subject
            && let Some(rest) = other.0.strip_prefix(path.0.as_slice())
            && let Some(Step::Name(name)) = rest.first()
        {
            let name = name.to_string();
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    names
}

fn word(text: &str) -> Run {
    Run::new(Kind::Word, text.trim())
}

fn slice(text: &str, span: Span) -> &str {
    text.get(span.start..span.end).unwrap_or_default()
}
