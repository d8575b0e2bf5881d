//! Names that a permit line excludes: no request that it decides has them. Mirrors the checker's rules.

use super::Numbered;
use crate::{
    analysis::budget::{Exhausted, Work},
    ast::Effect,
    ir::Rule,
    json::{Path, Step, case_key},
};

/// Whether no request is decided by the permit lines among these rules and matched by all of them, since one needs a name that
/// another excludes.
pub(super) fn contradict(must: &[Numbered<'_>], work: &mut Work) -> Result<bool, Exhausted> {
    let sizes = must
        .iter()
        .map(|(_, ruled)| ruled.rule.params.len() + ruled.rule.paths().count());
    let size: usize = sizes.sum();
    work.take_of_run(size * size)?;
    let permits = || {
        must.iter()
            .filter(|(_, ruled)| ruled.rule.effect == Effect::Permit)
    };
    Ok(must
        .iter()
        .any(|(_, other)| permits().any(|(_, permit)| excludes(permit.rule, other.rule))))
}

/// Whether the rule has `only` at the root of the body, and names no member like the one with which the path begins.
pub(super) fn lacks(rule: &Rule, path: &Path) -> bool {
    let Some(first) = first(path).map(case_key) else {
        return false;
    };
    rule.members.iter().any(|own| own.0.is_empty())
        && !rule
            .paths()
            .any(|own| self::first(own).is_some_and(|own| case_key(own) == first))
}

/// Whether `other` needs a name that the permit line excludes by its `only`, or that differs from one of its own only in letter case, which
/// makes the body ambiguous.
fn excludes(permit: &Rule, other: &Rule) -> bool {
    let is_named = |name: &str| permit.params.iter().any(|test| *test.name == *name);
    let mut params = other.params.iter();
    let in_query =
        permit.params_only && params.any(|test| test.operator.needs_value() && !is_named(&test.name));
    let mut nodes = other.nodes.iter();
    in_query
        || nodes.any(|test| {
            test.operator.needs_value() && (lacks(permit, &test.path) || has_variant(permit, &test.path))
        })
}

/// Whether the rule names a member of the body that differs only in letter case from the one with which the path begins.
fn has_variant(rule: &Rule, path: &Path) -> bool {
    let Some(first) = first(path) else {
        return false;
    };
    let mut own = rule.paths().filter_map(self::first);
    own.any(|own| own != first && case_key(own) == case_key(first))
}

fn first(path: &Path) -> Option<&str> {
    match path.0.first()? {
        Step::Name(name) => Some(name),
        Step::Each => None,
    }
}
