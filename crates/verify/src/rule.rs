//! Rules with their policies, and requests as the proxy decides them.

use tokenward_compiler::method::{Method, MethodSet};
use tokenward_compiler::{ast, decide, ir, json};

use ast::{Effect, Operator};
use decide::{Body, Decision, Media, Param, decide};
use ir::{Matcher, MatcherId, Program, Rule, TokenId};
use json::{Kinds, Path, Step};

use crate::format::{Request, ensure};
use crate::proof::is_same;

/// A constraint on the values of a parameter (`Ok`) or a node (`Err`).
pub(crate) type Test<'p> = (Result<&'p str, &'p Path>, Operator, MatcherId, Option<Kinds>);

/// A rule, with its policy and the number of that.
#[derive(Clone, Copy)]
pub(crate) struct Ruled<'p> {
    pub(crate) side: usize,
    pub(crate) program: &'p Program,
    pub(crate) rule: &'p Rule,
}

impl<'p> Ruled<'p> {
    pub(crate) fn forbids(self) -> bool {
        self.rule.effect == Effect::Forbid
    }

    pub(crate) fn asks(self) -> bool {
        self.rule.asks_query() || self.rule.asks_json()
    }

    pub(crate) fn path(self) -> Option<&'p Matcher> {
        self.program.path_matcher(self.rule.url)
    }

    pub(crate) fn value(self, id: MatcherId) -> Option<&'p Matcher> {
        self.program.value_matcher(id)
    }

    pub(crate) fn tests(self) -> Vec<Test<'p>> {
        let params = self.rule.params.iter().map(|test| (Ok(&*test.name), test.operator, test.value, None));
        let nodes = self.rule.nodes.iter();
        params.chain(nodes.map(|test| (Err(&*test.path), test.operator, test.value, test.kinds))).collect()
    }

    /// Whether it is built like another rule.
    pub(crate) fn is_like(self, other: Ruled<'_>) -> bool {
        let (one, two) = (self.rule, other.rule);
        let heads = one.effect == two.effect && one.methods == two.methods;
        let only = one.params_only == two.params_only && one.members == two.members;
        let (own, their) = (self.tests(), other.tests());
        let alike = |(own, their): (&Test<'_>, &Test<'_>)| {
            let named = (own.0, own.1, own.3) == (their.0, their.1, their.3);
            named && is_same(self.value(own.2), other.value(their.2))
        };
        let tests = own.len() == their.len() && own.iter().zip(&their).all(alike);
        heads && only && tests && is_same(self.path(), other.path())
    }

    /// Whether it refuses each body that the other refuses: no method is one of both, or it looks at the same names.
    pub(crate) fn refuses_as(self, other: Ruled<'_>) -> bool {
        let has = |path: &Path| self.rule.paths().any(|own| own == path);
        let shared = self.rule.methods.intersection(other.rule.methods);
        shared == MethodSet::EMPTY || self.rule.asks_json() && other.rule.paths().all(has)
    }

    /// Whether it matches no request without a body. Then there is an empty object, which forbid lines about a root, or elements of
    /// it, match.
    pub(crate) fn needs_body(self) -> bool {
        self.rule.nodes.iter().any(|test| {
            let is_member = matches!(test.path.0.first(), Some(Step::Name(_)));
            test.operator.needs_value() && (is_member || !self.forbids())
        })
    }

    /// Whether a value that matches makes the constraint hold, rather than one that does not.
    pub(crate) fn wants_match(self, operator: Operator) -> bool {
        let is = matches!(operator, Operator::All | Operator::AllOrAbsent);
        if self.forbids() { is } else { operator != Operator::None }
    }
}

/// A token's rules, and whether it is unrestricted.
pub(crate) struct Side<'p> {
    pub(crate) program: &'p Program,
    pub(crate) token: Option<TokenId>,
    pub(crate) permits: Vec<Ruled<'p>>,
    pub(crate) forbids: Vec<Ruled<'p>>,
    pub(crate) unrestricted: bool,
    pub(crate) name: String,
}

impl<'p> Side<'p> {
    /// The permit rules, each by itself; no rule if the token allows all that none forbids.
    pub(crate) fn sources(&self) -> Vec<Vec<Ruled<'p>>> {
        let each = || self.permits.iter().map(|permit| vec![*permit]).collect();
        if self.unrestricted { vec![Vec::new()] } else { each() }
    }
}

/// Whether a token allows a request that a client can send. No token: it does not.
pub(crate) fn allows(side: &Side<'_>, request: &Request, get_body: bool) -> Result<bool, String> {
    let (program, (name, path, query, kind, text)) = (side.program, request);
    let method = Method::from_token(name);
    let bodiless = matches!(method, Method::Get | Method::Head) && !get_body && kind != "absent";
    let can_be = method.as_str() == name && path.starts_with('/') && !bodiless;
    ensure(can_be, "no client can send a request of the certificate")?;
    let Some(token) = side.token else { return Ok(false) };
    let query: Vec<Param<'_>> =
        query.iter().map(|(name, value)| Param { name, value: Some(value) }).collect();
    let says =
        |body: Body<'_>| decide(program, &decide::Request { token, method, path, query: &query, body });
    let body = match kind.as_str() {
        "absent" => Body::Absent,
        "json" => Body::Unread(Media::Json),
        "form" => Body::Unread(Media::Form),
        "other" => Body::Unread(Media::Other),
        _ => return Err("an unknown kind of body".to_owned()),
    };
    let Decision::NeedsBody(wanted) = says(body) else { return Ok(matches!(says(body), Decision::Allow(_))) };
    Ok(match json::read(text.as_bytes(), &wanted) {
        Ok(nodes) => matches!(says(Body::Read(&nodes)), Decision::Allow(_)),
        Err(json::ReadError::NotJson { .. }) => matches!(says(Body::Unreadable), Decision::Allow(_)),
        Err(_) => false,
    })
}
