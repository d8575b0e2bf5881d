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
    pub(crate) line: LineId,
    pub(crate) effect: Effect,
    pub(crate) methods: MethodSet,
    pub(crate) url: UrlId,
    /// Constraints on query and body; most rules have none.
    pub(crate) constraints: Option<Arc<Constraints>>,
}

/// A line's constraints on query and body.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Constraints {
    pub(crate) params: Vec<ParamTest>,
    pub(crate) params_only: bool,
    pub(crate) nodes: Vec<NodeTest>,
    pub(crate) members: Vec<Arc<Path>>,
}

/// A constraint on a parameter.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ParamTest {
    pub(crate) name: Arc<str>,
    pub(crate) operator: Operator,
    pub(crate) value: MatcherId,
}

/// A constraint on a JSON node.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NodeTest {
    pub(crate) path: Arc<Path>,
    pub(crate) kinds: Option<Kinds>,
    pub(crate) operator: Operator,
    pub(crate) value: MatcherId,
}

impl Constraints {
    /// The constraints as a rule keeps them: `None` if empty.
    pub(crate) fn shared(self) -> Option<Arc<Self>> {
        (self != Self::default()).then(|| Arc::new(self))
    }

    /// Where in the body it looks: the paths of its nodes, then those of its `only`.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &Path> {
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
    pub(crate) fn asks_query(&self) -> bool {
        !self.params.is_empty() || self.params_only
    }

    /// Whether it says anything of the body.
    pub(crate) fn asks_json(&self) -> bool {
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
