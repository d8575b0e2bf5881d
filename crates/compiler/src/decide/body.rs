//! Constraints on the JSON body.

use super::query;
use crate::{
    ast::{Effect, Operator},
    ir::{NodeTest, Program, Rule},
    json::{Node, Nodes, Path, Scalar, Slot, Step, Wanted},
};

/// Where the answers to a rule's questions stand.
pub(super) struct Slots {
    nodes: Vec<Slot>,
    members: Vec<Slot>,
    root: Option<Slot>,
}

/// What the rules ask of a body. Deterministic: asked again with the same rules, the slots are the same.
pub(super) fn wanted<'p>(program: &Program, rules: &[&'p Rule]) -> (Wanted<'p>, Vec<Slots>) {
    static ROOT: Path = Path(Vec::new());
    let mut wanted = Wanted::new();
    let slots = rules
        .iter()
        .map(|rule| Slots {
            nodes: rule.nodes.iter().map(|test| wanted.node(&test.path)).collect(),
            members: rule.members.iter().map(|path| wanted.members(path)).collect(),
            root: (program.merges_body && !rule.params.is_empty()).then(|| wanted.members(&ROOT)),
        })
        .collect();
    (wanted, slots)
}

/// Whether all of a rule's constraints on the body hold.
pub(super) fn holds(program: &Program, rule: &Rule, slots: &Slots, nodes: &Nodes<'_>) -> bool {
    // An upstream that merges would see a second value of a parameter that the rule constrains.
    if slots.root.is_some_and(|slot| names_param(rule, nodes.node(slot))) {
        return rule.effect == Effect::Forbid;
    }
    let values = rule
        .nodes
        .iter()
        .zip(&slots.nodes)
        .all(|(test, slot)| match rule.effect {
            Effect::Permit => permits(program, test, nodes.node(*slot)),
            Effect::Forbid => forbids(program, test, nodes.node(*slot)),
        });
    let members = rule
        .members
        .iter()
        .zip(&slots.members)
        .all(|(path, slot)| only(rule, path, nodes.node(*slot)));
    values && members
}

fn names_param(rule: &Rule, root: &Node<'_>) -> bool {
    rule.params.iter().any(|test| {
        let first = query::root_name(&test.name);
        root.members.iter().any(|member| query::names(member, first))
    })
}

/// Nothing at the node: neither values nor anything that cannot be read.
fn absent(node: &Node<'_>) -> bool {
    !node.found && !node.object && !node.misfit && !node.lacking
}

fn permits(program: &Program, test: &NodeTest, node: &Node<'_>) -> bool {
    if node.object || node.misfit || node.lacking {
        return false;
    }
    let typed = |value: &Scalar<'_>| test.kind.is_none_or(|kind| kind == value.kind);
    let matches = |value: &Scalar<'_>| program.value(test.value).matches(&value.text);
    let all = || !node.values.is_empty() && node.values.iter().all(|value| typed(value) && matches(value));
    match test.operator {
        Operator::All => all(),
        Operator::AllOrAbsent => absent(node) || all(),
        // `1.0` and `1` are one number to the upstream and two texts here.
        Operator::None => node
            .values
            .iter()
            .all(|value| typed(value) && value.plain && !matches(value)),
    }
}

/// One value is enough, and whatever cannot be read for certain counts as one.
fn forbids(program: &Program, test: &NodeTest, node: &Node<'_>) -> bool {
    if node.object || node.misfit {
        return true;
    }
    let typed = |value: &Scalar<'_>| test.kind.is_none_or(|kind| kind == value.kind);
    let matches = |value: &Scalar<'_>| program.value(test.value).matches(&value.text);
    let nothing = node.values.is_empty() || node.missing || node.lacking;
    match test.operator {
        // The type is left aside: an upstream that wants a boolean takes `"false"` for one.
        Operator::All => node.values.iter().any(|value| matches(value) || !value.plain),
        Operator::AllOrAbsent => nothing || node.values.iter().any(|value| matches(value) || !value.plain),
        Operator::None => {
            nothing
                || node
                    .values
                    .iter()
                    .any(|value| !matches(value) || !value.plain || !typed(value))
        }
    }
}

/// Whether the objects at `path` have no members but those that the rule's other paths lead through.
fn only(rule: &Rule, path: &Path, node: &Node<'_>) -> bool {
    let named = |member: &str| {
        let paths = rule.nodes.iter().map(|test| &test.path).chain(&rule.members);
        paths
            .filter_map(|other| other.0.strip_prefix(path.0.as_slice())?.first())
            .any(|step| *step == Step::Name(member.to_owned()))
    };
    !node.misfit && !node.lacking && node.members.iter().all(|member| named(member))
}
