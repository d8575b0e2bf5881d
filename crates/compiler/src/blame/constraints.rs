//! The constraints of a line that test values, and words about them.

use crate::{
    ast::{self, Subject, Test},
    ir::{Constraints, Rule},
    json::{Kind, Kinds},
};

/// The constraints of a rule that test values, each by itself: parameters first, then nodes.
pub(super) fn singles(rule: &Rule) -> Vec<Constraints> {
    let params = rule.params.iter().map(|test| Constraints {
        params: vec![test.clone()],
        ..Constraints::default()
    });
    let nodes = rule.nodes.iter().map(|test| Constraints {
        nodes: vec![test.clone()],
        ..Constraints::default()
    });
    params.chain(nodes).collect()
}

/// The constraints that test values: parameters first, then nodes.
pub(super) fn in_order(syntax: &ast::Limit) -> Vec<&ast::Constraint> {
    let values = || {
        let constraints = syntax.constraints.iter();
        constraints.filter(|constraint| constraint.test != Test::Only)
    };
    let is_query = |constraint: &&ast::Constraint| matches!(constraint.subject, Subject::Query(_));
    values()
        .filter(is_query)
        .chain(values().filter(|constraint| !is_query(constraint)))
        .collect()
}

/// `no number`, `no value`.
pub(super) fn no_value(kinds: Option<Kinds>) -> String {
    match kinds {
        None => "no value".to_owned(),
        Some(kinds) => {
            let names: Vec<&str> = kinds.iter().map(Kind::as_str).collect();
            format!("no {}", names.join(" or "))
        }
    }
}

/// What a forbid line's constraint still matches if no value of its types can: forbid lines err on the side of denying.
pub(super) fn what_is_left(kinds: Option<Kinds>) -> &'static str {
    match kinds {
        None => "",
        Some(_) => ", so it forbids only values of other types",
    }
}
