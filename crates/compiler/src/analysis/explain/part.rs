//! Rules of one part of a line, or of a text that a reader knows, for questions about that part.

use std::sync::Arc;

use super::super::clauses::Ruled;
use crate::{
    ast::{Effect, Operator},
    ir::{
        Constraints, LineId, Matcher, MatcherId, NodeTest, ParamTest, Program, Rule, Tables, UrlId,
        UrlMatcher, ValueMatcher,
    },
    json::{Kinds, Path},
    method::MethodSet,
};

/// A permit rule of its own, with a program that has its matchers.
pub(super) struct Part {
    program: Program,
    rule: Rule,
}

impl Part {
    pub(super) fn ruled(&self) -> Ruled<'_> {
        Ruled {
            program: &self.program,
            rule: &self.rule,
        }
    }

    /// The path of a rule, with every method.
    pub(super) fn path(of: Ruled<'_>) -> Self {
        Self::new(
            MethodSet::ALL,
            of.program.url(of.rule.url).clone(),
            of.program.merges_body,
            Draft::default(),
        )
    }

    /// Constraints of a rule, with every method and path.
    pub(super) fn constraints(of: Ruled<'_>, draft: Draft) -> Self {
        Self::new(
            MethodSet::ALL,
            UrlMatcher::Below(Matcher::Everything),
            of.program.merges_body,
            draft,
        )
    }

    /// Requests of these methods and paths.
    pub(super) fn of(methods: MethodSet, path: Matcher, merges: bool, draft: Draft) -> Self {
        Self::new(methods, UrlMatcher::Below(path), merges, draft)
    }

    fn new(methods: MethodSet, url: UrlMatcher, merges_body: bool, draft: Draft) -> Self {
        let tables = Tables {
            urls: Arc::new(vec![url]),
            values: Arc::new(draft.values),
            merges_body,
            ..Tables::default()
        };
        Self {
            program: Program {
                tables,
                ..Program::default()
            },
            rule: Rule {
                line: LineId(0),
                effect: Effect::Permit,
                methods,
                url: UrlId(0),
                constraints: draft.constraints.shared(),
            },
        }
    }
}

/// Constraints, and the matchers of their values.
#[derive(Default)]
pub(super) struct Draft {
    constraints: Constraints,
    values: Vec<ValueMatcher>,
}

impl Draft {
    /// The constraints of a rule on this parameter.
    pub(super) fn parameter(of: Ruled<'_>, name: &str) -> Self {
        let mut draft = Self::default();
        for test in of.rule.params.iter().filter(|test| &*test.name == name) {
            let value = draft.value(of.program.value(test.value).clone());
            draft.constraints.params.push(ParamTest {
                value,
                ..test.clone()
            });
        }
        draft
    }

    /// The constraints of a rule on this node.
    pub(super) fn node(of: Ruled<'_>, path: &Path) -> Self {
        let mut draft = Self::default();
        for test in of.rule.nodes.iter().filter(|test| &*test.path == path) {
            let value = draft.value(of.program.value(test.value).clone());
            draft.constraints.nodes.push(NodeTest {
                value,
                ..test.clone()
            });
        }
        draft
    }

    /// The limit of a rule to the parameters that it names, whatever their values.
    pub(super) fn only_parameters(of: Ruled<'_>) -> Self {
        let mut draft = Self::default();
        draft.constraints.params_only = true;
        for test in &of.rule.params {
            let value = draft.value(Matcher::Everything);
            let operator = Operator::AllOrAbsent;
            draft.constraints.params.push(ParamTest {
                value,
                operator,
                ..test.clone()
            });
        }
        draft
    }

    /// The limit of a rule to the members of an object that it names, whatever their values.
    pub(super) fn only_members(of: Ruled<'_>, object: &Arc<Path>) -> Self {
        let mut draft = Self::default();
        draft.constraints.members.push(Arc::clone(object));
        for test in of
            .rule
            .nodes
            .iter()
            .filter(|test| test.path.0.starts_with(&object.0))
        {
            let value = draft.value(Matcher::Everything);
            draft.constraints.nodes.push(NodeTest {
                value,
                operator: Operator::AllOrAbsent,
                kinds: None,
                path: Arc::clone(&test.path),
            });
        }
        draft
    }

    /// A parameter of this name whose values all match.
    pub(super) fn parameter_is(name: &Arc<str>, value: Matcher) -> Self {
        let mut draft = Self::default();
        let (value, name, operator) = (draft.value(value), Arc::clone(name), Operator::All);
        draft.constraints.params.push(ParamTest {
            name,
            operator,
            value,
        });
        draft
    }

    /// A node whose values all match, and are of these types.
    pub(super) fn node_is(path: &Arc<Path>, kinds: Option<Kinds>, value: Matcher) -> Self {
        let mut draft = Self::default();
        let (value, path, operator) = (draft.value(value), Arc::clone(path), Operator::All);
        draft.constraints.nodes.push(NodeTest {
            path,
            kinds,
            operator,
            value,
        });
        draft
    }

    fn value(&mut self, matcher: Matcher) -> MatcherId {
        let id = MatcherId(crate::ir::arena_index(self.values.len()));
        self.values.push(ValueMatcher::Fixed(matcher));
        id
    }
}
