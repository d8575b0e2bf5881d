//! The decision: pure, synchronous, the same for the same program and request.

mod body;
mod query;

pub(crate) use query::{names, root_name};

use std::ops::ControlFlow;

use crate::{
    ast::Effect,
    ir::{LineId, Program, Rule, TokenId},
    json::{Nodes, Wanted},
    method::Method,
};

/// A parameter of the query, form-decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Param<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its value; `None` for a name without `=`, which is matched as an empty value.
    pub value: Option<&'a str>,
}

/// What a body is by its head: `Content-Type`, `Content-Encoding`, framing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Media {
    /// One JSON media type, charset absent or UTF-8, no `Content-Encoding`.
    Json,
    /// A form, or a body that does not say what it is.
    Form,
    /// Any `multipart/*`.
    Multipart,
    /// Anything else.
    Other,
}

/// How far a body is known.
#[derive(Clone, Copy, Debug)]
pub enum Body<'a> {
    /// There is none, or an empty one: to JSON constraints an empty object.
    Absent,
    /// There is one, not read yet.
    Unread(Media),
    /// It was read, and these are the nodes that [`Decision::NeedsBody`] asked for.
    Read(&'a Nodes<'a>),
    /// It was read, and is not JSON.
    Unreadable,
}

/// A request in its canonical form.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Whose secret came with it.
    pub token: TokenId,
    /// Its method.
    pub method: Method,
    /// The path below the base URL, percent-decoded; begins with `/` unless it is empty.
    pub path: &'a str,
    /// The parameters, in order.
    pub query: &'a [Param<'a>],
    /// The body.
    pub body: Body<'a>,
}

/// What is to become of a request.
#[derive(Debug)]
pub enum Decision<'p> {
    /// It may pass.
    Allow(Grant),
    /// It may not.
    Deny(Denial),
    /// A line whose other parts match looks into the body: read it whole, give it to [`crate::json::read`] with this, and
    /// ask again with [`Body::Read`] or, for what is not JSON, [`Body::Unreadable`].
    NeedsBody(Wanted<'p>),
}

/// The proof that a decision allowed a request: nothing else makes one.
#[derive(Debug)]
pub struct Grant {
    line: Option<LineId>,
}

impl Grant {
    /// The permit line that decided; `None` for an unrestricted token beyond its lines.
    #[must_use]
    pub fn line(&self) -> Option<LineId> {
        self.line
    }
}

/// Why a request may not pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Denial {
    /// The kind of reason.
    pub reason: DenyReason,
    /// The forbid line that matched.
    pub line: Option<LineId>,
    /// Where no line permits: the permit line that came nearest, if any came near.
    pub nearest: Option<LineId>,
}

/// The kinds of reasons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DenyReason {
    /// No permit line matches.
    NoLine,
    /// A forbid line matches.
    ForbidLine,
}

/// Whether a rule matches, as far as the request is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Held {
    No,
    Yes,
    /// Only the body can tell.
    IfBody,
}

/// Decides a request. Without an inspected body it neither allocates nor waits.
///
/// The first forbid line that matches denies; else the first permit line that matches allows. A forbid line that matches
/// whatever the body says denies at once, without the body.
#[must_use]
pub fn decide<'p>(program: &'p Program, request: &Request<'_>) -> Decision<'p> {
    // Rules that the body decides, in order, up to the first that needs none. Empty, it allocates nothing.
    let mut open: Vec<&Rule> = Vec::new();
    let forbid = each_match(program, request, Effect::Forbid, |line, rule| {
        match rule.map_or(Held::Yes, |rule| constraints(program, rule, request)) {
            Held::No => {}
            Held::Yes => return ControlFlow::Break(line),
            Held::IfBody => open.extend(rule),
        }
        ControlFlow::Continue(())
    });
    if let ControlFlow::Break(line) = forbid {
        return forbidden(line);
    }
    let permit = each_match(program, request, Effect::Permit, |line, rule| {
        match rule.map_or(Held::Yes, |rule| constraints(program, rule, request)) {
            Held::No => {}
            Held::Yes => return ControlFlow::Break(line),
            Held::IfBody => open.extend(rule),
        }
        ControlFlow::Continue(())
    });
    let certain = permit.break_value();
    match request.body {
        Body::Unread(_) if !open.is_empty() => return Decision::NeedsBody(body::wanted(program, &open).0),
        Body::Read(nodes) => {
            let (_, slots) = body::wanted(program, &open);
            for (rule, slots) in open.iter().zip(&slots) {
                match (body::holds(program, rule, slots, nodes), rule.effect) {
                    (false, _) => {}
                    (true, Effect::Forbid) => return forbidden(rule.line),
                    (true, Effect::Permit) => return allowed(Some(rule.line)),
                }
            }
        }
        // What cannot be read matches in a forbid line, and nowhere else.
        Body::Unreadable => {
            if let Some(rule) = open.iter().find(|rule| rule.effect == Effect::Forbid) {
                return forbidden(rule.line);
            }
        }
        Body::Absent | Body::Unread(_) => {}
    }
    match certain {
        Some(line) => allowed(Some(line)),
        None if program.token(request.token).unrestricted => allowed(None),
        None => Decision::Deny(Denial {
            reason: DenyReason::NoLine,
            line: None,
            nearest: nearest(program, request),
        }),
    }
}

/// Calls back for each line of the token, of one effect, whose methods and URL match, in the order of decision; with its
/// rule if that has constraints.
fn each_match<'p, B>(
    program: &'p Program,
    request: &Request<'_>,
    effect: Effect,
    mut found: impl FnMut(LineId, Option<&'p Rule>) -> ControlFlow<B>,
) -> ControlFlow<B> {
    if let Some(layout) = &program.layout {
        let asked = (request.method, request.path);
        return layout.each(program, (request.token, effect), asked, |entry| {
            match entry.constrained {
                false => found(entry.line, None),
                true => program
                    .rule(entry.rule)
                    .map_or(ControlFlow::Continue(()), |rule| found(entry.line, Some(rule))),
            }
        });
    }
    let token = program.token(request.token);
    let rules = if effect == Effect::Forbid {
        &token.forbids
    } else {
        &token.permits
    };
    for rule in rules.iter().filter_map(|id| program.rule(id)) {
        if rule.methods.contains(request.method) && program.url(rule.url).matches(request.path) {
            found(rule.line, Some(rule))?;
        }
    }
    ControlFlow::Continue(())
}

fn forbidden<'p>(line: LineId) -> Decision<'p> {
    Decision::Deny(Denial {
        reason: DenyReason::ForbidLine,
        line: Some(line),
        nearest: None,
    })
}

fn allowed<'p>(line: Option<LineId>) -> Decision<'p> {
    Decision::Allow(Grant { line })
}

/// Whether the constraints of a rule, whose methods and URL match, hold by all but the content of the body.
fn constraints(program: &Program, rule: &Rule, request: &Request<'_>) -> Held {
    let asks_query = !rule.params.is_empty() || rule.params_only;
    let asks_json = !rule.nodes.is_empty() || !rule.members.is_empty();
    let unreadable = match rule.effect {
        Effect::Permit => Held::No,
        Effect::Forbid => Held::Yes,
    };
    // The fields of a form become parameters upstream: the query does not tell what the parameters are.
    if matches!(request.body, Body::Unread(Media::Form | Media::Multipart)) && (asks_query || asks_json) {
        return unreadable;
    }
    if asks_query && !query::holds(program, rule, request.query) {
        return Held::No;
    }
    if program.merges_body && asks_json && query::names_node(rule, request.query) {
        return unreadable;
    }
    let merged = program.merges_body && !rule.params.is_empty();
    match request.body {
        Body::Absent if asks_json => {
            let (wanted, slots) = body::wanted(program, &[rule]);
            let holds = slots
                .first()
                .is_some_and(|slots| body::holds(program, rule, slots, &Nodes::empty_object(&wanted)));
            if holds { Held::Yes } else { Held::No }
        }
        Body::Unread(Media::Json) | Body::Read(_) | Body::Unreadable if asks_json || merged => Held::IfBody,
        Body::Unread(Media::Other) if asks_json => unreadable,
        _ => Held::Yes,
    }
}

/// The permit line that came nearest: one whose URL and method match, else one whose URL does.
fn nearest(program: &Program, request: &Request<'_>) -> Option<LineId> {
    let token = program.token(request.token);
    let rules = || token.permits.iter().filter_map(|id| program.rule(id));
    let by_url = || rules().filter(|rule| program.url(rule.url).matches(request.path));
    let by_method = by_url().find(|rule| rule.methods.contains(request.method));
    by_method.or_else(|| by_url().next()).map(|rule| rule.line)
}
