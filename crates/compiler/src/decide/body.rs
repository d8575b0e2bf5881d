//! Constraints on the JSON body.

use std::borrow::Cow;
use std::collections::HashSet;

use crate::{
    ast::{Effect, Operator},
    ir::{AskedNode, Asks, Rule, Slots},
    json::{Kind, Kinds, Node, Nodes, Path, Scalar, Step, Wanted},
    param::{names, root_name},
};

/// Members up to which comparing each with each name is faster than a table.
const FEW: usize = 16;

/// What some rules ask of a body together.
pub(super) enum Asked<'p> {
    /// All ask the same, and it was worked out before.
    Known(&'p Wanted<'static>, &'p Slots),
    /// The questions of several rules, with the slots of each rule.
    Collected(Wanted<'p>, Vec<Slots>),
}

impl<'p> Asked<'p> {
    /// Deterministic: asked again with the same rules, the slots are the same.
    pub(super) fn by(open: &[Asks<'p>]) -> Self {
        let merges = |asks: &Asks<'_>| asks.tables.merges_body && asks.query;
        if let [first, others @ ..] = open
            && let Some(questions) = first.questions()
            && others.iter().all(|asks| {
                asks.questions()
                    .is_some_and(|other| std::ptr::eq(other, questions))
            })
            && !open.iter().any(merges)
        {
            return Self::Known(&questions.wanted, &questions.slots);
        }
        let mut wanted = Wanted::new();
        let rules = open.iter().filter_map(Asks::plain);
        let slots = rules
            .zip(open)
            .map(|(rule, asks)| Slots::ask(rule, asks.tables.merges_body, &mut wanted));
        let slots = slots.collect();
        Self::Collected(wanted, slots)
    }

    pub(super) fn wanted(&self) -> &Wanted<'p> {
        match self {
            Self::Known(wanted, _) => wanted,
            Self::Collected(wanted, _) => wanted,
        }
    }

    pub(super) fn into_wanted(self) -> Cow<'p, Wanted<'p>> {
        match self {
            Self::Known(wanted, _) => Cow::Borrowed(wanted),
            Self::Collected(wanted, _) => Cow::Owned(wanted),
        }
    }

    /// The slots of the rule at this place.
    pub(super) fn slots(&self, at: usize) -> Option<&Slots> {
        match self {
            Self::Known(_, slots) => Some(slots),
            Self::Collected(_, slots) => slots.get(at),
        }
    }
}

/// Whether all of a rule's constraints on the body hold.
pub(super) fn holds(asks: &Asks<'_>, slots: &Slots, nodes: &Nodes<'_>) -> bool {
    // A merging upstream would see a second value of a parameter that the rule constrains, or one that `only` excludes.
    if let Some(root) = slots.root
        && asks
            .plain()
            .is_none_or(|rule| names_param(rule, nodes.node(root)))
    {
        return asks.effect == Effect::Forbid;
    }
    let values = asks
        .nodes()
        .zip(&slots.nodes)
        .all(|(test, slot)| holds_one(asks.effect, test, nodes.node(*slot)));
    values && (slots.members.is_empty() || asks.plain().is_some_and(|rule| has_only(rule, slots, nodes)))
}

/// Whether one constraint on values holds, in a rule of this effect.
pub(super) fn holds_one(effect: Effect, test: AskedNode<'_>, node: &Node<'_>) -> bool {
    match effect {
        Effect::Permit => permits(test, node),
        Effect::Forbid => forbids(test, node),
    }
}

fn has_only(rule: &Rule, slots: &Slots, nodes: &Nodes<'_>) -> bool {
    let places = rule.members.iter().zip(&slots.members);
    places
        .into_iter()
        .all(|(path, slot)| only(rule, path, nodes.node(*slot)))
}

fn names_param(rule: &Rule, root: &Node<'_>) -> bool {
    let constrained = rule.params.iter().any(|test| {
        let first = root_name(&test.name);
        root.members.iter().any(|member| names(member, first))
    });
    constrained || rule.params_only && !only(rule, &Path::ROOT, root)
}

/// Nothing at the node: neither values nor anything that cannot be read.
fn absent(node: &Node<'_>) -> bool {
    !node.found && !node.object && !node.misfit && !node.lacking
}

fn is_typed(test: AskedNode<'_>, value: &Scalar<'_>) -> bool {
    test.kinds.is_none_or(|kinds| kinds.has(value.kind))
}

/// Whether the value is a `null` that a list of types names: it needs no match.
fn is_listed_null(test: AskedNode<'_>, value: &Scalar<'_>) -> bool {
    value.kind == Kind::Null && test.kinds.is_some_and(Kinds::accepts_null)
}

fn permits(test: AskedNode<'_>, node: &Node<'_>) -> bool {
    if node.object || node.misfit || node.lacking {
        return false;
    }
    let typed = |value: &Scalar<'_>| is_typed(test, value);
    let matches = |value: &Scalar<'_>| test.value.matches(&value.text);
    let holds = |value: &Scalar<'_>| typed(value) && (matches(value) || is_listed_null(test, value));
    let all = || !node.values.is_empty() && node.values.iter().all(holds);
    match test.operator {
        Operator::All | Operator::Within(_) => all(),
        Operator::AllOrAbsent | Operator::WithinOrAbsent(_) => absent(node) || all(),
        // `1.0` and `1` are one number to the upstream and two texts here.
        Operator::None => node
            .values
            .iter()
            .all(|value| typed(value) && value.plain && !matches(value)),
    }
}

/// One value is enough, and a value that cannot be read for certain counts as one.
fn forbids(test: AskedNode<'_>, node: &Node<'_>) -> bool {
    if node.object || node.misfit {
        return true;
    }
    let typed = |value: &Scalar<'_>| is_typed(test, value);
    let matches = |value: &Scalar<'_>| test.value.matches(&value.text);
    let nothing = || node.values.is_empty() || node.missing || node.lacking;
    // The type is left aside: an upstream that wants a boolean takes `"false"` for one.
    let meets = |value: &Scalar<'_>| matches(value) || !value.plain || is_listed_null(test, value);
    // A range's pattern is that of the other side. Whatever is surely not there could be on this one.
    let outside = |value: &Scalar<'_>| !typed(value) || !matches(value);
    match test.operator {
        Operator::All => node.values.iter().any(meets),
        Operator::AllOrAbsent => nothing() || node.values.iter().any(meets),
        Operator::Within(_) => node.values.iter().any(outside),
        Operator::WithinOrAbsent(_) => nothing() || node.values.iter().any(outside),
        Operator::None => {
            nothing()
                || node
                    .values
                    .iter()
                    .any(|value| !matches(value) || !value.plain || !typed(value))
        }
    }
}

/// Whether the objects at `path` have no members but those that the rule's other paths lead through.
pub(super) fn only(rule: &Rule, path: &Path, node: &Node<'_>) -> bool {
    if node.misfit || node.lacking {
        return false;
    }
    let named = || {
        let below = rule
            .paths()
            .filter_map(|other| other.0.strip_prefix(path.0.as_slice())?.first());
        below.filter_map(|step| match step {
            Step::Name(name) => Some(name.as_str()),
            Step::Each => None,
        })
    };
    // A body may have many members, and a line many names: then their numbers are added, not multiplied.
    if node.members.len() > FEW {
        let named: HashSet<&str> = named().collect();
        return node.members.iter().all(|member| named.contains(&**member));
    }
    node.members
        .iter()
        .all(|member| named().any(|name| name == member))
}
