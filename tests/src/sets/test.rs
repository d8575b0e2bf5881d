//! Which values, parameters and nodes meet a test. What a permit line and a forbid line make of the same is told apart here, side by
//! side (SEMANTICS 1, "Forbid lines err on the side of denying").

use std::collections::BTreeSet;

use super::{
    language::{Expressions, Id},
    line::{Constraint, Line, Step, Subject, Test},
    nodes,
    pattern::{self, Bound, Folding},
    ranges::is_on_side,
};
use crate::reference::Json;

/// A test whose regexp is read.
pub(super) struct Ready<'t> {
    test: &'t Test,
    language: Option<Id>,
}

/// A value as a test sees it: its text, whether it has a type that the constraint wants, whether it is a `null` that a list names,
/// and whether it is a number in other than shortest decimals.
struct Value {
    text: String,
    typed: bool,
    exempt: bool,
    odd_number: bool,
}

impl<'t> Ready<'t> {
    pub(super) fn new(test: &'t Test, bound: Bound<'_>, expressions: &mut Expressions) -> Self {
        let language = match test {
            Test::Matches { pattern, .. } | Test::Differs { pattern } => {
                Some(pattern::language(pattern, Folding::Written, bound, expressions))
            }
            Test::Range { .. } => None,
        };
        Self { test, language }
    }

    fn matches(&self, text: &str, expressions: &mut Expressions) -> bool {
        self.language
            .is_some_and(|language| expressions.has(language, text))
    }

    fn is_optional(&self) -> bool {
        match self.test {
            Test::Matches { optional, .. } | Test::Range { optional, .. } => *optional,
            Test::Differs { .. } => true,
        }
    }

    /// Whether a value is as a permit line wants each to be.
    fn permits(&self, value: &Value, expressions: &mut Expressions) -> bool {
        let meets = match self.test {
            Test::Matches { .. } => self.matches(&value.text, expressions),
            Test::Differs { .. } => !value.odd_number && !self.matches(&value.text, expressions),
            Test::Range { side, bound, .. } => is_on_side(&value.text, *side, bound) == Some(true),
        };
        self.exempts(value) || (value.typed && meets)
    }

    /// Whether a value is enough for a forbid line.
    fn forbids(&self, value: &Value, expressions: &mut Expressions) -> bool {
        let meets = match self.test {
            // A number that is written otherwise may be the one that is meant.
            Test::Matches { .. } => value.odd_number || self.matches(&value.text, expressions),
            Test::Differs { .. } => {
                !value.typed || value.odd_number || !self.matches(&value.text, expressions)
            }
            Test::Range { side, bound, .. } => {
                !value.typed || is_on_side(&value.text, *side, bound) != Some(false)
            }
        };
        self.exempts(value) || meets
    }

    /// A `null` that a list of types names needs no match. `!=` asks for none.
    fn exempts(&self, value: &Value) -> bool {
        value.exempt && !matches!(self.test, Test::Differs { .. })
    }

    /// Whether the parameters meet the constraint.
    pub(super) fn of_parameters(
        &self,
        (name, query): (&str, &[(String, Option<String>)]),
        forbids: bool,
        expressions: &mut Expressions,
    ) -> bool {
        let own = query.iter().filter(|(known, _)| known == name);
        let values: Vec<Value> = own
            .map(|(_, value)| Value {
                text: value.clone().unwrap_or_default(),
                typed: true,
                exempt: false,
                odd_number: false,
            })
            .collect();
        match (values.is_empty(), forbids) {
            (true, _) => self.is_optional(),
            (false, false) => values.iter().all(|value| self.permits(value, expressions)),
            (false, true) => values.iter().any(|value| self.forbids(value, expressions)),
        }
    }

    /// Whether the nodes of a body meet the constraint.
    pub(super) fn of_nodes(
        &self,
        (path, kinds, json): (&[Step], &[String], &Json),
        forbids: bool,
        expressions: &mut Expressions,
    ) -> bool {
        let found = nodes::find(json, path);
        let misfit = found.object || found.wrong_kind;
        let values: Vec<Value> = found.values.iter().map(|value| as_value(value, kinds)).collect();
        if forbids {
            let one = values.iter().any(|value| self.forbids(value, expressions));
            // An array without a value is as good as absent.
            let absent = values.is_empty() || found.lacking;
            return misfit || one || (absent && self.is_optional());
        }
        if misfit || found.lacking {
            return false;
        }
        let all = values.iter().all(|value| self.permits(value, expressions));
        match (found.present, self.test) {
            (false, _) => self.is_optional(),
            (true, Test::Differs { .. }) => all,
            // An empty array holds no value, so `==` fails, and `?=` is `==` where the node is present.
            (true, _) => all && !values.is_empty(),
        }
    }
}

fn as_value(json: &Json, kinds: &[String]) -> Value {
    let (text, kind) = nodes::text(json);
    let named = kinds.iter().any(|known| known == kind);
    Value {
        typed: kinds.is_empty() || named,
        exempt: kind == "null" && named && kinds.len() > 1,
        odd_number: kind == "number" && !nodes::is_shortest(&text),
        text,
    }
}

/// The names that a line gives to the members of the node at a path.
pub(super) fn members(line: &Line, path: &[Step]) -> BTreeSet<String> {
    let next = |other: &[Step]| match other.strip_prefix(path)?.first()? {
        Step::Name(name) => Some(name.clone()),
        Step::Each => None,
    };
    paths(line).iter().filter_map(|other| next(other)).collect()
}

/// The paths that a line's constraints name.
pub(super) fn paths(line: &Line) -> Vec<Vec<Step>> {
    let of = |constraint: &Constraint| match constraint {
        Constraint::Test(Subject::Node(path, _), _) | Constraint::OnlyMembers(path) => Some(path.clone()),
        Constraint::Test(Subject::Parameter(_), _) | Constraint::OnlyParameters => None,
    };
    line.constraints.iter().filter_map(of).collect()
}

/// The parameters that a line names.
pub(super) fn parameters(line: &Line) -> BTreeSet<&str> {
    let tests = line.constraints.iter().filter_map(|constraint| match constraint {
        Constraint::Test(Subject::Parameter(name), _) => Some(name.as_str()),
        _ => None,
    });
    tests.collect()
}

/// The names that a line constrains at the root of parameters and body.
pub(super) fn first_names(line: &Line) -> BTreeSet<String> {
    let members = paths(line)
        .into_iter()
        .filter_map(|path| match path.into_iter().next() {
            Some(Step::Name(name)) => Some(name),
            _ => None,
        });
    let parameters = parameters(line).into_iter().map(str::to_owned);
    members
        .chain(parameters)
        .map(|name| first_name(&name).to_owned())
        .collect()
}

/// The part of a name before its first bracket.
pub(super) fn first_name(name: &str) -> &str {
    name.split('[').next().unwrap_or(name)
}
