//! The ways around a forbid line that looks at the query or the body: each part of it that fails makes it fail.

use crate::{
    ast::Operator,
    ir::{MatcherId, NodeTest, ParamTest, Rule},
};

/// One way around a forbid line.
#[derive(Clone, Copy)]
pub(super) enum Refused<'r> {
    /// A path that the line does not match.
    Url(&'r Rule),
    /// Values of a parameter that this test does not match.
    Parameter(&'r ParamTest),
    /// Values of a node that this test does not match.
    Node(&'r NodeTest),
}

/// A demand on values: the matcher, whether each value must match, and whether there must be one.
#[derive(Clone, Copy)]
pub(super) struct Demand {
    pub(super) value: MatcherId,
    pub(super) wanted: bool,
    pub(super) is_required: bool,
}

impl<'r> Refused<'r> {
    pub(super) fn ways(rule: &'r Rule) -> Vec<Self> {
        let parameters = rule.params.iter().map(Self::Parameter);
        let nodes = rule.nodes.iter().map(Self::Node);
        parameters.chain(nodes).chain([Self::Url(rule)]).collect()
    }

    pub(super) fn url(&self) -> Option<&'r Rule> {
        match self {
            Self::Url(rule) => Some(rule),
            Self::Parameter(_) | Self::Node(_) => None,
        }
    }
}

/// The demand that makes a test of a forbid line fail: such a test holds if one value meets it.
pub(super) fn demand(operator: Operator, value: MatcherId) -> Demand {
    let wanted = operator == Operator::None;
    let is_optional = matches!(
        operator,
        Operator::None | Operator::AllOrAbsent | Operator::WithinOrAbsent(_)
    );
    Demand {
        value,
        wanted,
        // An absent value meets these tests, so it must be there.
        is_required: is_optional,
    }
}

/// The demand of a test of a permit line.
pub(super) fn permitted(operator: Operator, value: MatcherId) -> Demand {
    Demand {
        value,
        wanted: operator != Operator::None,
        is_required: matches!(operator, Operator::All | Operator::Within(_)),
    }
}
