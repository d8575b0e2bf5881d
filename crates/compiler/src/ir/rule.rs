//! A rule: a line of a policy in the form that decides.

use std::sync::Arc;

use super::id::{LineId, MatcherId, RuleId, UrlId};
use crate::{
    ast::{Effect, Operator},
    json::{Kinds, Path},
    method::MethodSet,
};

/// A line as it decides.
#[derive(Clone, Debug)]
pub struct Rule {
    /// The line of the policy.
    pub line: LineId,
    /// Whether the line permits or forbids.
    pub effect: Effect,
    /// The methods of the requests that it matches.
    pub methods: MethodSet,
    /// The matcher of their URLs.
    pub url: UrlId,
    /// Constraints on query and body; most rules have none.
    pub(crate) constraints: Option<Arc<Constraints>>,
}

/// A line's constraints on query and body.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Constraints {
    /// The constraints on parameters.
    pub params: Vec<ParamTest>,
    /// Whether the query has only the parameters that `params` names.
    pub params_only: bool,
    /// The constraints on JSON nodes.
    pub nodes: Vec<NodeTest>,
    /// The paths of the objects that have only the members that the rule's other paths name.
    pub members: Vec<Arc<Path>>,
}

/// A constraint on a parameter.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ParamTest {
    /// The parameter's name.
    pub name: Arc<str>,
    /// How its values are compared with the matcher.
    pub operator: Operator,
    /// The matcher of its values.
    pub value: MatcherId,
}

/// A constraint on a JSON node.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NodeTest {
    /// The node's path.
    pub path: Arc<Path>,
    /// The JSON types that its values may have; `None`: any.
    pub kinds: Option<Kinds>,
    /// How its values are compared with the matcher.
    pub operator: Operator,
    /// The matcher of its values.
    pub value: MatcherId,
}

impl Constraints {
    /// The constraints as a rule keeps them: `None` if empty.
    pub(crate) fn shared(self) -> Option<Arc<Self>> {
        (self != Self::default()).then(|| Arc::new(self))
    }

    /// Where in the body it looks: the paths of its nodes, then those of its `only`.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        let nodes = self.nodes.iter().map(|test| &*test.path);
        nodes.chain(self.members.iter().map(|path| &**path))
    }
}

impl std::ops::Deref for Rule {
    type Target = Constraints;

    fn deref(&self) -> &Constraints {
        static NONE: Constraints = Constraints {
            params: Vec::new(),
            params_only: false,
            nodes: Vec::new(),
            members: Vec::new(),
        };
        self.constraints.as_deref().unwrap_or(&NONE)
    }
}

impl Rule {
    /// Whether it says anything of the query.
    #[must_use]
    pub fn asks_query(&self) -> bool {
        !self.params.is_empty() || self.params_only
    }

    /// Whether it says anything of the body.
    #[must_use]
    pub fn asks_json(&self) -> bool {
        !self.nodes.is_empty() || !self.members.is_empty()
    }

    /// Whether it leaves no members of the body's root but those that it names.
    pub(crate) fn has_root_only(&self) -> bool {
        self.members.iter().any(|path| path.0.is_empty())
    }
}

/// Lines of one effect, in the order of decision.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rules {
    /// Rules of included sets.
    pub(crate) included: Vec<RuleId>,
    /// Rules of the token itself.
    pub(crate) own: Vec<RuleId>,
}

impl Rules {
    pub(crate) fn iter(&self) -> impl Iterator<Item = RuleId> {
        self.included.iter().chain(&self.own).copied()
    }
}
