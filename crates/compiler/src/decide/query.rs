//! Constraints on the query's parameters.

use crate::{
    ast::{Effect, Operator},
    ir::{AskedParam, Asks, Rule},
    json::Step,
    param::{Param, names, root_name},
};

/// Whether all of a rule's constraints on parameters hold.
pub(super) fn holds(asks: &Asks<'_>, query: &[Param<'_>]) -> bool {
    (!asks.params_only || only(asks, query)) && asks.params().all(|test| holds_one(asks.effect, test, query))
}

/// How many of a rule's constraints on parameters fail.
pub(super) fn failed(asks: &Asks<'_>, query: &[Param<'_>]) -> usize {
    let failed = asks.params().filter(|test| !holds_one(asks.effect, *test, query));
    failed.count() + usize::from(asks.params_only && !only(asks, query))
}

/// Whether one constraint holds, in a rule of this effect.
pub(super) fn holds_one(effect: Effect, test: AskedParam<'_>, query: &[Param<'_>]) -> bool {
    match effect {
        Effect::Permit => permits(test, query),
        Effect::Forbid => forbids(test, query),
    }
}

/// Whether the query has only parameters that the rule's constraints name.
pub(super) fn only(asks: &Asks<'_>, query: &[Param<'_>]) -> bool {
    let named = |param: &Param<'_>| asks.params().any(|test| test.name == param.name.as_bytes());
    query.iter().all(named)
}

/// For each value of the parameter, whether it matches.
fn matches<'q>(test: AskedParam<'q>, query: &'q [Param<'q>]) -> impl Iterator<Item = bool> + Clone {
    query
        .iter()
        .filter(move |param| param.name.as_bytes() == test.name)
        .map(move |param| test.value.matches(param.value.unwrap_or_default()))
}

fn permits(test: AskedParam<'_>, query: &[Param<'_>]) -> bool {
    let mut values = matches(test, query);
    match test.operator {
        // The first value that does not match decides; a parameter without values does not match.
        Operator::All | Operator::Within(_) => values
            .next()
            .is_some_and(|first| first && values.all(|matches| matches)),
        Operator::AllOrAbsent | Operator::WithinOrAbsent(_) => values.all(|matches| matches),
        Operator::None => !values.any(|matches| matches),
    }
}

/// One value is enough; absence meets `?=` and `!=`.
fn forbids(test: AskedParam<'_>, query: &[Param<'_>]) -> bool {
    let mut values = matches(test, query);
    match test.operator {
        Operator::All => values.any(|matches| matches),
        Operator::AllOrAbsent => values
            .next()
            .is_none_or(|first| first || values.any(|matches| matches)),
        Operator::None | Operator::WithinOrAbsent(_) => values
            .next()
            .is_none_or(|first| !first || values.any(|matches| !matches)),
        // The pattern is that of the other side; whatever is not there could be on this one.
        Operator::Within(_) => values.any(|matches| !matches),
    }
}

/// Whether the query names the first step of a node that the rule constrains, plain or as `n[…]`, or, if the rule has `only`
/// at the root, any parameter that the rule does not name: an upstream that merges query and body could take either.
pub(super) fn names_node(rule: &Rule, query: &[Param<'_>]) -> bool {
    let constrained = rule
        .paths()
        .filter_map(|path| path.0.first())
        .any(|step| match step {
            Step::Name(first) => query.iter().any(|param| names(param.name, root_name(first))),
            Step::Each => false,
        });
    let named = |param: &Param<'_>| rule.params.iter().any(|test| *test.name == *param.name);
    constrained || rule.has_root_only() && !query.iter().all(named)
}
