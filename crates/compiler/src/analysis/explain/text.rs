//! The parts of a line as its author wrote them.

use super::super::explanation::Subject;
use crate::{
    ast::{self, Limit, Operator, Test},
    json::{Kinds, Path},
    parse::parse_line,
    source::Span,
};

/// A line, parsed once more: a program has its matchers, and not its regexps.
pub(super) struct LineText<'t> {
    text: &'t str,
    limit: Option<Limit>,
}

impl<'t> LineText<'t> {
    pub(super) fn of(text: &'t str) -> Self {
        let limit = parse_line(text, Span::nowhere().part(0..text.len())).ok();
        Self { text, limit }
    }

    /// The regexp of the URL; the line itself if it cannot be parsed.
    pub(super) fn url(&self) -> &'t str {
        let url = self.limit.as_ref().map(|limit| self.cut(limit.url.span));
        url.unwrap_or(self.text)
    }

    /// The tests of a parameter, as written.
    pub(super) fn of_parameter(&self, name: &str) -> String {
        self.tests(|subject| matches!(subject, ast::Subject::Query(known) if *known == *name))
    }

    /// The tests of a node, as written.
    pub(super) fn of_node(&self, path: &Path) -> String {
        self.tests(|subject| matches!(subject, ast::Subject::Json(known) if *known == *path))
    }

    fn tests(&self, is_it: impl Fn(&ast::Subject) -> bool) -> String {
        let constraints = self.limit.iter().flat_map(|limit| &limit.constraints);
        let tests = constraints.filter(|constraint| is_it(&constraint.subject));
        let tests: Vec<String> = tests
            .filter_map(|constraint| self.test(&constraint.test))
            .collect();
        tests.join(" and ")
    }

    /// A test: the regexp alone if it is the usual one, otherwise with the types and the operator.
    fn test(&self, test: &Test) -> Option<String> {
        let whole = |kinds: &Option<Kinds>, operator: Operator, value: &str| {
            let kinds = kinds.map_or_else(String::new, |kinds| format!(":{kinds}"));
            format!("{kinds}{}{value}", operator.as_str())
        };
        match test {
            Test::Values {
                operator: Operator::All,
                kinds: None,
                pattern,
            } => Some(self.cut(pattern.span).to_owned()),
            Test::Values {
                operator,
                kinds,
                pattern,
            } => Some(whole(kinds, *operator, self.cut(pattern.span))),
            Test::Range {
                operator,
                kinds,
                span,
                ..
            } => Some(whole(kinds, *operator, self.cut(*span))),
            Test::Only => None,
        }
    }

    fn cut(&self, span: Span) -> &'t str {
        self.text.get(span.start..span.end).unwrap_or_default()
    }
}

impl Subject {
    pub(super) fn node(path: &Path) -> Self {
        Self::Node(path.to_string())
    }
}
