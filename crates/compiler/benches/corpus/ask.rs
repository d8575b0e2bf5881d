//! The generator's policies compiled, and its calls asked of them.

use tokenward_compiler::{
    BaseUrl, compile,
    decide::{
        Body, Decision, Media, Param, Request, decide,
        explain::{Tried, explain},
        nearest::nearest,
    },
    ir::{LineId, Program, TokenId},
    json,
    method::Method,
    source::SourceSet,
};

use super::{Call, policy};

/// What programs are bound to.
pub const BASE: &str = "https://jira.example.com";

/// The files of a policy, as the compiler takes them.
#[must_use]
pub fn sources(tokens: usize, lines: usize) -> SourceSet {
    SourceSet::from_files(policy(tokens, lines))
}

/// Compiles what must compile.
#[must_use]
pub fn compiled(sources: &SourceSet) -> Program {
    let compilation = compile(sources);
    match compilation.program {
        Some(program) => program,
        None => panic!(
            "the generated policy does not compile: {:?}",
            compilation.diagnostics.first()
        ),
    }
}

/// Binds what must bind.
#[must_use]
pub fn bound(program: &Program) -> Program {
    BaseUrl::parse(BASE)
        .ok()
        .and_then(|base| program.bind(&base).ok())
        .unwrap_or_else(|| panic!("the generated policy does not bind"))
}

/// A policy's program, bound.
#[must_use]
pub fn program(tokens: usize, lines: usize) -> Program {
    bound(&compiled(&sources(tokens, lines)))
}

/// The ids of a program's tokens, by their places in the generated policy.
#[must_use]
pub fn ids(program: &Program) -> Vec<TokenId> {
    program.tokens().map(|(id, _)| id).collect()
}

/// A call in the form in which the proxy asks.
#[derive(Debug)]
pub struct Asked<'c> {
    token: TokenId,
    method: Method,
    path: &'c str,
    query: Vec<Param<'c>>,
    body: Option<&'c str>,
}

impl<'c> Asked<'c> {
    /// The call of the token that has this id.
    #[must_use]
    pub fn new(call: &'c Call, token: TokenId) -> Self {
        let query = call.query.iter().map(|(name, value)| Param {
            name,
            value: Some(value),
        });
        Self {
            token,
            method: Method::from_token(call.method),
            path: &call.path,
            query: query.collect(),
            body: call.body.as_deref(),
        }
    }

    /// The lines that the decision tries, before a body is read.
    #[must_use]
    pub fn tried<'a>(&'a self, program: &'a Program) -> Vec<Tried<'a>> {
        explain(program, &self.request(Body::Absent))
    }

    /// The permit line that came nearest.
    #[must_use]
    pub fn nearest(&self, program: &Program, tried: &[Tried<'_>]) -> Option<LineId> {
        nearest(program, &self.request(Body::Absent), tried).map(|nearest| nearest.line)
    }

    /// Whether the program allows it; a body is read if the decision asks for it, and then it is asked again.
    #[must_use]
    pub fn allowed(&self, program: &Program) -> bool {
        let body = self.body.map_or(Body::Absent, |_| Body::Unread(Media::Json));
        match decide(program, &self.request(body)) {
            Decision::Allow(_) => true,
            Decision::Deny(_) => false,
            Decision::NeedsBody(wanted) => {
                let nodes = json::read(self.body.unwrap_or_default().as_bytes(), &wanted);
                let body = nodes.as_ref().map_or(Body::Unreadable, Body::Read);
                matches!(decide(program, &self.request(body)), Decision::Allow(_))
            }
        }
    }

    fn request<'r>(&'r self, body: Body<'r>) -> Request<'r> {
        Request {
            token: self.token,
            method: self.method,
            path: self.path,
            query: &self.query,
            body,
        }
    }
}
