//! The parts of a line as its author wrote them.

use super::super::explanation::Constrained;
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

    /// The tests of a parameter.
    pub(super) fn of_parameter(&self, name: &str) -> Tests<'t> {
        self.tests(|subject| matches!(subject, ast::Subject::Query(known) if *known == *name))
    }

    /// The tests of a node.
    pub(super) fn of_node(&self, path: &Path) -> Tests<'t> {
        self.tests(|subject| matches!(subject, ast::Subject::Json(known) if *known == *path))
    }

    fn tests(&self, is_it: impl Fn(&ast::Subject) -> bool) -> Tests<'t> {
        let constraints = self.limit.iter().flat_map(|limit| &limit.constraints);
        let tests = constraints.filter(|constraint| is_it(&constraint.subject));
        let test = |constraint: &ast::Constraint| match &constraint.test {
            Test::Values {
                operator,
                kinds,
                pattern,
            } => Some((*kinds, *operator, self.cut(pattern.span))),
            Test::Range {
                operator,
                kinds,
                span,
                ..
            } => Some((*kinds, *operator, self.cut(*span))),
            Test::Only => None,
        };
        Tests(tests.filter_map(test).collect())
    }

    fn cut(&self, span: Span) -> &'t str {
        self.text.get(span.start..span.end).unwrap_or_default()
    }
}

/// The tests of one subject, as their author wrote them.
pub(super) struct Tests<'t>(Vec<(Option<Kinds>, Operator, &'t str)>);

impl Tests<'_> {
    /// Whether a regexp is all that needs to be shown: its operator is `==`, and it names no types.
    pub(super) fn are_plain(&self) -> bool {
        let is_plain = |(kinds, operator, _): &(Option<Kinds>, Operator, &str)| {
            kinds.is_none() && *operator == Operator::All
        };
        self.0.iter().all(is_plain)
    }

    /// The regexps alone.
    pub(super) fn plain(&self) -> String {
        let values: Vec<&str> = self.0.iter().map(|(.., value)| *value).collect();
        values.join(" and ")
    }

    /// The tests with their types and operators.
    pub(super) fn whole(&self) -> String {
        let whole = |(kinds, operator, value): &(Option<Kinds>, Operator, &str)| {
            let kinds = kinds.map_or_else(String::new, |kinds| format!(":{kinds}"));
            format!("{kinds}{}{value}", operator.as_str())
        };
        let tests: Vec<String> = self.0.iter().map(whole).collect();
        tests.join(" and ")
    }
}

impl Constrained {
    pub(super) fn node(path: &Path) -> Self {
        Self::Node(path.to_string())
    }
}
