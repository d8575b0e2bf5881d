//! Constraints on the query's parameters.

use super::Param;
use crate::{
    ast::{Effect, Operator},
    ir::{ParamTest, Program, Rule},
    json::Step,
};

/// Whether all of a rule's constraints on parameters hold.
pub(super) fn holds(program: &Program, rule: &Rule, query: &[Param<'_>]) -> bool {
    let only = !rule.params_only
        || query
            .iter()
            .all(|param| rule.params.iter().any(|test| test.name == param.name));
    only && rule.params.iter().all(|test| match rule.effect {
        Effect::Permit => permits(program, test, query),
        Effect::Forbid => forbids(program, test, query),
    })
}

/// For each value of the parameter, whether it matches.
fn matches<'q>(
    program: &'q Program,
    test: &'q ParamTest,
    query: &'q [Param<'q>],
) -> impl Iterator<Item = bool> + Clone {
    let matcher = program.value(test.value);
    query
        .iter()
        .filter(|param| param.name == test.name)
        .map(|param| matcher.matches(param.value.unwrap_or_default()))
}

fn permits(program: &Program, test: &ParamTest, query: &[Param<'_>]) -> bool {
    let mut values = matches(program, test, query);
    match test.operator {
        Operator::All => values.clone().next().is_some() && values.all(|matches| matches),
        Operator::AllOrAbsent => values.all(|matches| matches),
        Operator::None => !values.any(|matches| matches),
    }
}

/// One value is enough; absence meets `?=` and `!=`.
fn forbids(program: &Program, test: &ParamTest, query: &[Param<'_>]) -> bool {
    let mut values = matches(program, test, query);
    let absent = values.clone().next().is_none();
    match test.operator {
        Operator::All => values.any(|matches| matches),
        Operator::AllOrAbsent => absent || values.any(|matches| matches),
        Operator::None => absent || values.any(|matches| !matches),
    }
}

/// Whether the query names the first step of a node that the rule constrains, bare or as `n[…]`: an upstream that
/// merges query and body could take either.
pub(super) fn names_node(rule: &Rule, query: &[Param<'_>]) -> bool {
    let paths = rule.nodes.iter().map(|node| &node.path).chain(&rule.members);
    paths.filter_map(|path| path.0.first()).any(|step| match step {
        Step::Name(first) => query.iter().any(|param| names(param.name, root_name(first))),
        Step::Each => false,
    })
}

/// The first name of a parameter that may be nested: `issue` of `issue[subject]`.
pub(crate) fn root_name(name: &str) -> &str {
    name.split('[').next().unwrap_or(name)
}

/// Whether `name` is `first`, or `first[…]`.
pub(crate) fn names(name: &str, first: &str) -> bool {
    name.strip_prefix(first)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('['))
}
