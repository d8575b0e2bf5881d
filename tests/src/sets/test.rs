//! Which values, parameters and nodes meet a test. What a permit line and a forbid line make of the same is told apart here, side by
//! side (SEMANTICS 1, "Forbid lines err on the side of denying").

use std::collections::BTreeSet;

use super::{
    language::{Expressions, Id},
    line::{Constraint, Line, Step, Subject, Test},
    nodes,
    pattern::{self, Bound},
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
                Some(pattern::language(pattern, bound, expressions))
            }
            Test::Range { .. } => None,
        };
        Self { test, language }
    }

    fn matches(&self, text: &str, expressions: &mut Expressions) -> bool {
        let spelled: Vec<BTreeSet<char>> = text.chars().map(|char| BTreeSet::from([char])).collect();
        self.language
            .is_some_and(|language| expressions.has(language, &spelled))
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
        value.exempt || (value.typed && meets)
    }

    /// Whether a value is enough for a forbid line.
    fn forbids(&self, value: &Value, expressions: &mut Expressions) -> bool {
        let meets = match self.test {
            Test::Matches { .. } => self.matches(&value.text, expressions),
            Test::Differs { .. } => {
                !value.typed || value.odd_number || !self.matches(&value.text, expressions)
            }
            Test::Range { side, bound, .. } => {
                !value.typed || is_on_side(&value.text, *side, bound) != Some(false)
            }
        };
        value.exempt || meets
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
            let absent = (!found.present && !misfit) || found.lacking;
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
