//! Rules with their policies, and requests as the proxy decides them.

use tokenward_compiler::method::{Method, MethodSet};
use tokenward_compiler::{ast::Operator, decide, ir, json};

use decide::{Body, Decision, Media, Param, decide};
use ir::{Matcher, MatcherId, NodeTest, Program, Rule, TokenId};

use crate::format::{Request, ensure};

/// A rule, with its policy and the number of that.
#[derive(Clone, Copy)]
pub(crate) struct Ruled<'p> {
    pub(crate) side: usize,
    pub(crate) program: &'p Program,
    pub(crate) rule: &'p Rule,
}

impl<'p> Ruled<'p> {
    pub(crate) fn path(self) -> &'p Matcher {
        self.program.path_matcher(self.rule.url)
    }

    pub(crate) fn value(self, id: MatcherId) -> &'p Matcher {
        self.program.value_matcher(id)
    }

    /// Whether it refuses each body that the other refuses, or matches no such body: no method is one of both, or it looks at the same
    /// names, or excludes them.
    pub(crate) fn refuses_as(self, other: Ruled<'_>) -> bool {
        let has = |of: &json::Path| self.rule.paths().any(|own| own.0.starts_with(&of.0)) || self.lacks(of);
        let shared = self.rule.methods.intersection(other.rule.methods);
        shared == MethodSet::EMPTY || self.rule.asks_json() && other.rule.paths().all(has)
    }

    /// Whether it matches no body with a member as the path begins with, in any letter case: it has `only`, and does not name it.
    fn lacks(self, path: &json::Path) -> bool {
        let only = self.rule.members.iter().any(|own| own.0.is_empty());
        only && self.rule.paths().all(|own| own.first_name() != path.first_name())
    }

    /// Whether a permit line decides no request that the other matches: that one needs a name that this one excludes, or a member
    /// whose name differs from one of this line only in letter case, so that the body is ambiguous.
    pub(crate) fn excludes(self, other: Ruled<'_>) -> bool {
        let named = |name: &str| self.rule.params.iter().any(|test| *test.name == *name);
        let lacks = |path| self.lacks(path) || self.rule.paths().any(|own| own.is_variant(path));
        let not = |of: Result<&str, _>| of.map_or_else(lacks, |name| self.rule.params_only && !named(name));
        !self.rule.forbids()
            && other.rule.value_tests().iter().any(|test| test.1.needs_value() && not(test.0))
    }

    /// Whether it matches no request without a body, which counts as an empty object.
    pub(crate) fn needs_body(self) -> bool {
        let permits = !self.rule.forbids();
        let needs = |of: &NodeTest| of.path.first_name().map_or(permits, |_| of.operator.needs_value());
        self.rule.nodes.iter().any(needs)
            || self.rule.members.iter().any(|path| path.0.first() == Some(&json::Step::Each))
    }

    /// Whether a value that matches makes the constraint hold, rather than one that does not.
    pub(crate) fn wants_match(self, operator: Operator) -> bool {
        let is = matches!(operator, Operator::All | Operator::AllOrAbsent);
        if self.rule.forbids() { is } else { operator != Operator::None }
    }
}

/// A token's rules, and whether it is unrestricted. Without a policy it has none, and allows nothing.
#[derive(Default)]
pub(crate) struct Side<'p> {
    pub(crate) policy: Option<&'p Program>,
    pub(crate) token: Option<TokenId>,
    pub(crate) permits: Vec<Ruled<'p>>,
    pub(crate) forbids: Vec<Ruled<'p>>,
    pub(crate) unrestricted: bool,
    pub(crate) name: String,
}

/// Whether a token allows a request that a client can send; `None` if it refuses the body, which has a name twice, one with a
/// control character, or one that differs from a line's only in letter case. Without a token it does not.
pub(crate) fn allows(side: &Side<'_>, request: &Request) -> Result<Option<bool>, String> {
    let (name, path, query, kind, text) = request;
    let method = Method::from_token(name);
    let can_be = method.as_str() == name && path.starts_with('/');
    ensure(can_be, "no client can send a request of the certificate")?;
    let (Some(program), Some(token)) = (side.policy, side.token) else { return Ok(Some(false)) };
    let query: Vec<_> = query.iter().map(|(name, value)| Param { name, value: Some(value) }).collect();
    let decide = |body| decide(program, &decide::Request { token, method, path, query: &query, body });
    let says = |body| Ok(Some(matches!(decide(body), Decision::Allow(_))));
    let kinds = [("json", Media::Json), ("form", Media::Form), ("other", Media::Other)];
    let media = kinds.into_iter().find(|(known, _)| known == kind).map(|(_, media)| media);
    ensure(media.is_some() || kind == "absent", "an unknown kind of body")?;
    let body = media.map_or(Body::Absent, Body::Unread);
    let Decision::NeedsBody(wanted) = decide(body) else { return says(body) };
    match json::read(text.as_bytes(), &wanted) {
        Ok(nodes) => says(Body::Read(&nodes)),
        Err(json::ReadError::NotJson { .. }) => says(Body::Unreadable),
        Err(_) => Ok(None),
    }
}
