//! A limit line in words, for readers who do not know regular expressions.
//!
//! The words describe the line's own text. They claim nothing about the API: the operations that a line reaches are computed.

mod clause;
mod run;
mod shape;
#[cfg(test)]
mod tests;

use tokenward_compiler::ast::{Effect, Limit};
use tokenward_compiler::method::{Method, MethodSet};
use tokenward_compiler::parse::parse_line;
use tokenward_compiler::source::Span;

pub(crate) use run::{Clause, Kind, Run, joined};

/// A line in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Words {
    pub(crate) is_forbid: bool,
    /// The methods: "Read (GET) or create (POST)".
    pub(crate) methods: String,
    /// The paths.
    pub(crate) path: Vec<Run>,
    pub(crate) clauses: Vec<Clause>,
}

/// Describes a line.
pub(crate) fn words(text: &str) -> Option<Words> {
    let span = Span {
        end: text.len(),
        ..Span::nowhere()
    };
    let line = parse_line(text, span).ok()?;
    Some(Words {
        is_forbid: line.effect == Effect::Forbid,
        methods: methods(line.methods),
        path: shape::of_pattern(text, &line.url),
        clauses: clauses(text, &line),
    })
}

fn clauses(text: &str, line: &Limit) -> Vec<Clause> {
    let constraints = line.constraints.iter();
    constraints
        .map(|constraint| clause::of(text, line, constraint))
        .collect()
}

/// Methods as verbs.
fn methods(methods: Option<MethodSet>) -> String {
    let Some(methods) = methods else {
        return "Any method".to_owned();
    };
    let named = Method::NAMED
        .into_iter()
        .filter(|method| methods.contains(*method));
    let verbs = named.map(|method| match method {
        Method::Get => "read (GET)",
        Method::Head => "read headers (HEAD)",
        Method::Post => "create or submit (POST)",
        Method::Put => "replace (PUT)",
        Method::Patch => "change (PATCH)",
        Method::Delete => "delete (DELETE)",
        Method::Options => "ask for options (OPTIONS)",
        Method::Other => "other methods",
    });
    let verbs: Vec<String> = verbs.map(str::to_owned).collect();
    let mut text = joined(&verbs, "or");
    if let Some(first) = text.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    text
}
