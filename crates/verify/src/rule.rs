//! Rules with their policies, and requests as the proxy decides them.

use tokenward_compiler::method::{Method, MethodSet};
use tokenward_compiler::{ast::Operator, decide, ir, json};

use decide::{Body, Decision, Media, Param, decide};
use ir::{Matcher, MatcherId, Program, Rule, TokenId, ValueTest};

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

    /// The line as people wrote it, and its place.
    pub(crate) fn shown(self) -> String {
        let line = self.program.line(self.rule.line);
        format!("{}:{} `{}`", line.file, line.number, line.text)
    }

    /// Whether it is built like another rule.
    pub(crate) fn is_like(self, other: Ruled<'_>) -> bool {
        let (one, two) = (self.rule, other.rule);
        let heads = (one.effect, one.methods, one.params_only) == (two.effect, two.methods, two.params_only);
        if !heads || !self.path().is(other.path()) {
            return false;
        }
        let (own, their) = (one.value_tests(), two.value_tests());
        let alike = |(own, their): (&ValueTest<'_>, &ValueTest<'_>)| {
            let named = (own.0, own.1, own.3) == (their.0, their.1, their.3);
            named && self.value(own.2).is(other.value(their.2))
        };
        one.members == two.members && own.len() == their.len() && own.iter().zip(&their).all(alike)
    }

    /// Whether it refuses each body that the other refuses: no method is one of both, or it looks at the same names.
    pub(crate) fn refuses_as(self, other: Ruled<'_>) -> bool {
        let has = |path: &json::Path| self.rule.paths().any(|own| own == path);
        let shared = self.rule.methods.intersection(other.rule.methods);
        shared == MethodSet::EMPTY || self.rule.asks_json() && other.rule.paths().all(has)
    }

    /// Whether it matches no request without a body, which counts as an empty object.
    pub(crate) fn needs_body(self) -> bool {
        let is_member = |path: &json::Path| matches!(path.0.first(), Some(json::Step::Name(_)));
        let needs = |path: &json::Path, value| if is_member(path) { value } else { !self.rule.forbids() };
        self.rule.nodes.iter().any(|test| needs(&test.path, test.operator.needs_value()))
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
